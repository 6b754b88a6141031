//! The demo's files appear all at once or not at all: they are made aside, and when all of them are there, one rename says
//! so. From then on they are moved into place, by this run or, if it is ended in between, by the next one.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

/// A folder that is filled aside and moved into place; dropped unfinished, it is removed.
pub(super) struct Staging {
    out: PathBuf,
    partial: PathBuf,
}

/// Lists what a run has made, so that the next one removes exactly that.
const MANIFEST: &str = ".demo-files";

/// Holds a run's files once all of them are made.
const READY: &str = ".ready";

impl Staging {
    /// Begins a run, once what an interrupted one left behind is published or, when it was not complete, removed.
    pub(super) fn begin(out: &Path) -> io::Result<Self> {
        let partial = out.join(".partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
        publish(out)?;
        fs::create_dir_all(partial.join("files"))?;
        Ok(Self { out: out.to_owned(), partial })
    }

    /// For what does not outlive the run: the service's and the phone's own state.
    pub(super) fn work(&self, name: &str) -> io::Result<PathBuf> {
        let folder = self.partial.join(name);
        fs::create_dir_all(&folder)?;
        Ok(folder)
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.partial.join("files").join(name)
    }

    pub(super) fn write(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        fs::write(self.path(name), bytes)
    }

    /// Puts this run's files in place of those of the run before, and returns how many.
    pub(super) fn finish(self) -> io::Result<usize> {
        let files = self.partial.join("files");
        let mut names = Vec::new();
        for entry in fs::read_dir(&files)? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        fs::write(files.join(MANIFEST), names.join("\n"))?;
        fs::rename(&files, self.out.join(READY))?;
        publish(&self.out)?;
        Ok(names.len())
    }
}

/// Moves a complete run's files into place, as far as that has not been done yet; the manifest is moved last.
fn publish(out: &Path) -> io::Result<()> {
    let ready = out.join(READY);
    let Ok(new) = fs::read_to_string(ready.join(MANIFEST)) else {
        return if ready.exists() { fs::remove_dir(ready) } else { Ok(()) };
    };
    let plain = |name: &&str| Path::new(name).components().count() == 1;
    for old in fs::read_to_string(out.join(MANIFEST)).unwrap_or_default().lines().filter(plain) {
        if !new.lines().any(|name| name == old) {
            unless_absent(fs::remove_file(out.join(old)))?;
        }
    }
    for name in new.lines().filter(plain) {
        unless_absent(fs::rename(ready.join(name), out.join(name)))?;
    }
    fs::rename(ready.join(MANIFEST), out.join(MANIFEST))?;
    fs::remove_dir(ready)
}

fn unless_absent(done: io::Result<()>) -> io::Result<()> {
    done.or_else(|error| if error.kind() == io::ErrorKind::NotFound { Ok(()) } else { Err(error) })
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nothing to tell anybody: the next run removes it all the same.
        let _ = fs::remove_dir_all(&self.partial);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files(folder: &Path) -> Vec<(String, String)> {
        let mut files: Vec<_> = fs::read_dir(folder)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|e| (e.file_name().into_string().unwrap(), fs::read_to_string(e.path()).unwrap()))
            .filter(|(name, _)| name != MANIFEST)
            .collect();
        files.sort();
        files
    }

    fn run(out: &Path, names: &[&str], content: &str) -> Staging {
        let staging = Staging::begin(out).unwrap();
        for name in names {
            staging.write(name, content.as_bytes()).unwrap();
        }
        staging
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, content)| ((*name).to_owned(), (*content).to_owned())).collect()
    }

    #[test]
    fn a_run_that_is_ended_while_its_files_are_moved_is_finished_by_the_next() {
        for moved in [&[][..], &["a"], &["a", "b"]] {
            let folder = tempfile::tempdir().unwrap();
            let out = folder.path();
            fs::write(out.join("own"), "mine").unwrap();
            run(out, &["a", "gone"], "first").finish().unwrap();
            let second = run(out, &["a", "b"], "second");
            fs::write(second.path(MANIFEST), "a\nb").unwrap();
            fs::rename(out.join(".partial").join("files"), out.join(READY)).unwrap();
            for name in moved {
                fs::rename(out.join(READY).join(name), out.join(name)).unwrap();
            }
            std::mem::forget(second);
            drop(Staging::begin(out).unwrap());
            assert_eq!(files(out), pairs(&[("a", "second"), ("b", "second"), ("own", "mine")]), "{moved:?}");
        }
    }

    #[test]
    fn a_run_that_is_not_finished_leaves_everything_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        run(folder.path(), &["a"], "first").finish().unwrap();
        drop(run(folder.path(), &["a", "b"], "second"));
        assert_eq!(files(folder.path()), pairs(&[("a", "first")]));
    }
}
