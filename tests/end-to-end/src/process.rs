//! A phone as a process, which can be killed where it writes and where it waits.

use std::{
    io::Read as _,
    os::unix::process::ExitStatusExt as _,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::Duration,
};

use tempfile::TempDir;

use crate::target_dir;

/// SIGKILL.
const KILLED: i32 = 9;
/// Between two looks at whether a process is to be killed.
const LOOK: Duration = Duration::from_millis(1);

/// `dead_battery.c`, built.
fn dead_battery() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| {
        let library = target_dir().join("dead_battery.so");
        let fresh = library.with_extension(std::process::id().to_string());
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/src/dead_battery.c");
        let built = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-Wall", "-Wextra", "-Werror", "-o"])
            .args([fresh.as_os_str(), source.as_ref(), "-ldl".as_ref()])
            .status();
        assert!(built.expect("a C compiler is installed as cc").success());
        std::fs::rename(&fresh, &library).unwrap();
        library
    })
}

/// How a run of the app ended.
pub struct Run {
    /// Exit code; `None` where it was killed.
    pub code: Option<i32>,
    /// What it printed.
    pub out: String,
    /// What it printed as errors.
    pub err: String,
    /// The points that it passed, the last one being where it was killed.
    pub points: Vec<String>,
}

impl Run {
    /// The output of a run that ended well.
    ///
    /// # Panics
    /// When it did not.
    #[track_caller]
    pub fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}{} after {:?}", self.out, self.err, self.points.last());
        self.out
    }
}

/// A phone whose app is a process. Every run of it is a new start.
pub struct PhoneProcess {
    program: PathBuf,
    folder: TempDir,
}

impl PhoneProcess {
    /// A new phone with an app that trusts this; `program` is `phone` of this package.
    ///
    /// # Panics
    /// When there is no room.
    pub fn trusting(program: &str, trust_json: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("phone.trust"), trust_json).unwrap();
        std::fs::create_dir_all(folder.path().join("phone/secrets")).unwrap();
        Self { program: program.into(), folder }
    }

    /// The same phone, whose secrets are to be kept in the desktop's file under a passphrase.
    ///
    /// # Panics
    /// When there is no room.
    #[must_use]
    pub fn with_passphrase(self) -> Self {
        std::fs::remove_dir(self.home().join("secrets")).unwrap();
        std::fs::write(self.folder.path().join("phone.passphrase"), "correct horse battery staple").unwrap();
        self
    }

    /// Runs a step to its end.
    pub fn run(&self, step: &[&str]) -> Run {
        self.killed_at(0, step)
    }

    /// Runs a step, and kills it at the point of this number (from 1) where it changes a file.
    ///
    /// # Panics
    /// When it cannot be run, or ends by another signal.
    pub fn killed_at(&self, point: usize, step: &[&str]) -> Run {
        let run = self.run_with("DEAD_BATTERY_AT", point, step);
        assert!(point == 0 || run.code.is_some() || run.points.len() == point, "{:?}", run.points);
        run
    }

    /// Runs a step, while the disk is full from the point of this number (from 1) on at which something is put on it.
    ///
    /// # Panics
    /// When it cannot be run, or ends by a signal.
    pub fn full_from(&self, point: usize, step: &[&str]) -> Run {
        let run = self.run_with("DISK_FULL_FROM", point, step);
        assert!(run.code.is_some(), "{}", run.err);
        run
    }

    fn run_with(&self, switch: &str, point: usize, step: &[&str]) -> Run {
        let log = self.folder.path().join("points");
        let _ = std::fs::remove_file(&log);
        let mut command = self.command(step);
        command
            .env("LD_PRELOAD", dead_battery())
            .env("DEAD_BATTERY_BELOW", self.home())
            .env(switch, point.to_string())
            .env("DEAD_BATTERY_LOG", &log);
        let points = |log: &Path| std::fs::read_to_string(log).unwrap_or_default();
        let mut run = ended(command.spawn().unwrap());
        run.points = points(&log).lines().map(without_identifiers).collect();
        run
    }

    /// Runs a step until the user is asked for their finger, and kills it there.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn killed_at_the_prompt(&self, step: &[&str]) -> Run {
        let [hold, asked] = ["hold", "asked"].map(|name| self.home().with_extension(name));
        std::fs::write(&hold, "").unwrap();
        let run = self.killed_when(step, || asked.exists());
        std::fs::remove_file(hold).unwrap();
        assert!(std::fs::remove_file(asked).is_ok(), "nobody was asked: {}{}", run.out, run.err);
        run
    }

    /// Starts a step and kills it as soon as this is true; gives how it ended.
    ///
    /// # Panics
    /// When it cannot be run.
    pub fn killed_when(&self, step: &[&str], mut is_true: impl FnMut() -> bool) -> Run {
        let mut child = self.command(step).spawn().unwrap();
        while child.try_wait().unwrap().is_none() {
            if is_true() {
                child.kill().unwrap();
                break;
            }
            std::thread::sleep(LOOK);
        }
        ended(child)
    }

    /// Names of what the secret store holds.
    ///
    /// # Panics
    /// When it cannot be read.
    pub fn secrets(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.home().join("secrets")) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.retain(|name| !name.ends_with(".partial"));
        names.sort();
        names
    }

    /// Names of the sealed entries.
    ///
    /// # Panics
    /// When they cannot be read.
    pub fn entries(&self) -> Vec<String> {
        let Ok(entries) = std::fs::read_dir(self.home().join("data/state")) else { return Vec::new() };
        let mut names: Vec<_> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    fn home(&self) -> PathBuf {
        self.folder.path().join("phone")
    }

    fn command(&self, step: &[&str]) -> Command {
        let mut command = Command::new(&self.program);
        command.arg(self.home()).args(step);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }
}

fn ended(mut child: Child) -> Run {
    let [mut out, mut err] = [String::new(), String::new()];
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    let status = child.wait().unwrap();
    let code = status.code();
    assert!(code.is_some() || status.signal() == Some(KILLED), "{status}: {err}");
    Run { code, out, err, points: Vec::new() }
}

/// `before renaming to data/state/outbox-5f….sealed`: what a name has of 32 hexadecimal digits is `*`.
fn without_identifiers(point: &str) -> String {
    let mut readable = point.to_owned();
    while let Some(at) = readable.as_bytes().windows(32).position(|w| w.iter().all(u8::is_ascii_hexdigit)) {
        readable.replace_range(at..at + 32, "*");
    }
    readable
}
