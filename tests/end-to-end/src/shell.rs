//! The command line as its user has it: a program, a home folder, exit codes and output.

use std::{
    ffi::OsStr,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
};

use serde_json::Value;
use tempfile::TempDir;

use crate::{json, target_dir};

/// The program `hpki-agent`, built as this workspace has it now.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut build = Command::new(cargo);
        build
            .args(["build", "--quiet", "--package", "hpki-agent-cli"])
            .current_dir(env!("CARGO_MANIFEST_DIR"));
        assert!(build.env("CARGO_TARGET_DIR", target_dir()).status().expect("cargo runs").success());
        target_dir().join("debug/hpki-agent")
    })
}

/// A command that has ended.
pub struct Ended {
    /// Exit code; `None` after a signal.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it printed as errors.
    pub err: String,
}

impl Ended {
    /// The output, when the command ended with this code.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn with(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{}{}", self.out, self.err);
        self.out
    }

    /// The JSON value on each line of the output, when the command ended with this code.
    ///
    /// # Panics
    /// When not, or when it is no JSON.
    #[track_caller]
    pub fn json_with(self, code: i32) -> Vec<Value> {
        self.with(code).lines().map(|line| json(line.as_bytes())).collect()
    }
}

/// A user's shell: a folder to work in, a home for the phone's state, no terminal.
pub struct Shell {
    folder: TempDir,
}

impl Shell {
    /// With nothing in it but a passphrase.
    ///
    /// # Panics
    /// When there is no room.
    pub fn new() -> Self {
        let shell = Self { folder: tempfile::tempdir().unwrap() };
        shell.write("passphrase", b"correct horse battery staple\n");
        shell
    }

    /// Where a file of this name lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Writes a file into the folder, and gives its name.
    ///
    /// # Panics
    /// When there is no room.
    pub fn write<'a>(&self, name: &'a str, bytes: &[u8]) -> &'a str {
        std::fs::write(self.path(name), bytes).unwrap();
        name
    }

    /// Names of the files in a folder, sorted.
    ///
    /// # Panics
    /// When there is no such folder.
    pub fn names(&self, folder: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(folder)).unwrap();
        let mut names: Vec<_> =
            entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// When it cannot be run.
    pub async fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ended {
        let mut command = self.command(arguments);
        let output = tokio::task::spawn_blocking(move || command.output()).await.unwrap().unwrap();
        let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
        Ended { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs the program before a reader that has left already, and gives its exit code.
    ///
    /// # Panics
    /// When it cannot be run.
    pub async fn run_unread<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Option<i32> {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let mut command = self.command(arguments);
        command.stdout(writer);
        tokio::task::spawn_blocking(move || command.status()).await.unwrap().unwrap().code()
    }

    /// Starts the program.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn start<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Child {
        self.command(arguments).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(program());
        command
            .args(arguments)
            .current_dir(self.folder.path())
            .env("HPKI_AGENT_HOME", self.path("home"))
            .env("HPKI_AGENT_PASSPHRASE_FILE", self.path("passphrase"))
            .stdin(Stdio::null());
        command
    }
}

impl Default for Shell {
    fn default() -> Self {
        Self::new()
    }
}
