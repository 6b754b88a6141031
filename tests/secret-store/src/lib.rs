//! A [`Desktop`] with a real secret store: gnome-keyring on a D-Bus session bus, both in processes of their own under a home
//! of their own, so that nothing of the user's is touched and tests do not meet. Its doctor logs in and out, locks the
//! keyring, loses it, or has none at all; [`Desktop::run`] is `hpki-agent` there, in a new process each time, and
//! [`Desktop::probe`] a single step at the agent's `KeyringStore`.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Password of the login, under which gnome-keyring keeps its file.
const PASSWORD: &str = "correct horse";
/// The keyring is there after milliseconds; on a busy machine after seconds.
const PATIENCE: Duration = Duration::from_secs(120);

/// A bus that starts no service by itself: what runs on this desktop is what the test has started.
const BUS: &str = r#"<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><type>session</type><listen>unix:tmpdir=/tmp</listen><auth>EXTERNAL</auth>
<policy context="default"><allow send_destination="*"/><allow receive_sender="*"/><allow own="*"/></policy></busconfig>
"#;

/// A user's desktop session.
pub struct Desktop {
    home: TempDir,
    bus: Option<Child>,
    address: String,
    keyring: Option<Child>,
    /// Where [`Desktop::probe`] and `hpki-agent` were built.
    programs: PathBuf,
}

impl Desktop {
    /// With neither bus nor keyring. `probe` is the path of the program `secret-store-probe`; `hpki-agent` lies beside it.
    ///
    /// # Panics
    /// When `hpki-agent` was not built.
    pub fn bare(probe: &str) -> Self {
        let home = tempfile::tempdir().unwrap();
        let programs = Path::new(probe).parent().unwrap().to_owned();
        assert!(programs.join("hpki-agent").exists(), "cargo build -p hpki-agent-cli comes first");
        let runtime = home.path().join("run");
        fs::create_dir(&runtime).unwrap();
        fs::set_permissions(&runtime, fs::Permissions::from_mode(0o700)).unwrap();
        Self { home, bus: None, address: "unix:path=/nowhere".into(), keyring: None, programs }
    }

    /// With a session bus on which no secret store runs.
    ///
    /// # Panics
    /// When `dbus-run-session` does not start.
    pub fn with_bus(probe: &str) -> Self {
        let mut desktop = Self::bare(probe);
        let configuration = desktop.path("session.conf");
        fs::write(&configuration, BUS).unwrap();
        let mut bus = Command::new("dbus-run-session")
            .arg(format!("--config-file={}", configuration.display()))
            .args(["--", "sh", "-c", "echo $DBUS_SESSION_BUS_ADDRESS; exec cat"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("dbus-run-session runs (apt-get install dbus-daemon)");
        let mut address = String::new();
        BufReader::new(bus.stdout.take().unwrap()).read_line(&mut address).unwrap();
        assert!(address.starts_with("unix:"), "no session bus: {address}");
        address.trim_end().clone_into(&mut desktop.address);
        desktop.bus = Some(bus);
        desktop
    }

    /// With a keyring that the login has opened.
    ///
    /// # Panics
    /// When gnome-keyring does not start.
    pub fn logged_in(probe: &str) -> Self {
        let mut desktop = Self::with_bus(probe);
        desktop.log_in();
        desktop
    }

    /// Starts the keyring and opens it.
    ///
    /// # Panics
    /// When gnome-keyring does not start.
    pub fn log_in(&mut self) {
        let mut keyring = self
            .command("gnome-keyring-daemon".as_ref())
            .args(["--foreground", "--unlock", "--components=secrets"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .expect("gnome-keyring-daemon runs (apt-get install gnome-keyring)");
        keyring.stdin.take().unwrap().write_all(PASSWORD.as_bytes()).unwrap();
        self.keyring = Some(keyring);
        let deadline = Instant::now() + PATIENCE;
        while self.probe(&["get", "is-it-there"], b"").status.code() != Some(3) {
            assert!(Instant::now() < deadline, "gnome-keyring does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Ends the keyring, as a logout or a crash does.
    ///
    /// # Panics
    /// When it cannot be ended.
    pub fn log_out(&mut self) {
        if let Some(mut keyring) = self.keyring.take() {
            keyring.kill().unwrap();
            keyring.wait().unwrap();
        }
    }

    /// The user locks the keyring.
    ///
    /// # Panics
    /// When it stays open.
    pub fn lock(&self) {
        let told = self.probe(&["lock"], b"");
        assert!(told.status.success(), "{told:?}");
    }

    /// The user opens it with this password; whether it is open then.
    pub fn unlock_with(&self, password: &str) -> bool {
        self.probe(&["unlock"], password.as_bytes()).status.success()
    }

    /// The user opens it.
    ///
    /// # Panics
    /// When it stays locked.
    pub fn unlock(&self) {
        assert!(self.unlock_with(PASSWORD));
    }

    /// Folder of the keyring's files.
    pub fn keyrings(&self) -> PathBuf {
        self.path("share/keyrings")
    }

    /// Where a file of this name lies.
    pub fn path(&self, name: &str) -> PathBuf {
        self.home.path().join(name)
    }

    /// A single step at the agent's `KeyringStore`: see `src/probe.rs`.
    ///
    /// # Panics
    /// When the program cannot be run.
    pub fn probe(&self, arguments: &[&str], input: &[u8]) -> Output {
        let mut probe = self
            .command(&self.programs.join("secret-store-probe"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let _ = probe.stdin.take().unwrap().write_all(input); // `get` does not read
        probe.wait_with_output().unwrap()
    }

    /// Runs `hpki-agent` without a passphrase file: exit code, standard output, standard error.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn run(&self, arguments: &[&str]) -> (Option<i32>, String, String) {
        let mut agent = self.command(&self.programs.join("hpki-agent"));
        let output = agent.args(arguments).stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout), text(output.stderr))
    }

    fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .envs(std::env::var_os("PATH").map(|path| ("PATH", path)))
            .env("HOME", self.home.path())
            .env("XDG_DATA_HOME", self.path("share"))
            .env("XDG_CONFIG_HOME", self.path("config"))
            .env("XDG_RUNTIME_DIR", self.path("run"))
            .env("DBUS_SESSION_BUS_ADDRESS", &self.address)
            .env("HPKI_AGENT_HOME", self.path("phone"))
            .current_dir(self.home.path());
        command
    }
}

impl Drop for Desktop {
    fn drop(&mut self) {
        self.log_out();
        if let Some(mut bus) = self.bus.take() {
            drop(bus.stdin.take());
            let _ = bus.wait();
        }
    }
}
