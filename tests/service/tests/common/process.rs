//! The service as a process of its own.

use super::key_arguments;
use serde_json::Value;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

/// `reference-service serve` on a folder.
pub(crate) struct Process {
    child: Child,
    pub(crate) issuer: String,
}

impl Process {
    /// With these switches, on any free port.
    pub(crate) fn start(dir: &Path, switches: &[&str]) -> Self {
        Self::listening(dir, "127.0.0.1:0", switches)
    }

    fn listening(dir: &Path, listen: &str, switches: &[&str]) -> Self {
        let mut child =
            serve(dir, switches).args(["--listen", listen]).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap();
        Self { child, issuer: ready["issuer"].as_str().unwrap().to_owned() }
    }

    /// SIGKILL, and the same service again.
    pub(crate) fn kill_and_restart(&mut self, dir: &Path) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let listen = self.issuer.trim_start_matches("https://").to_owned();
        *self = Self::listening(dir, &listen, &[]);
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The command, not yet run.
pub(crate) fn serve(dir: &Path, switches: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_reference-service"));
    command.arg("--dir").arg(dir).args(key_arguments()).arg("serve").args(switches);
    command
}
