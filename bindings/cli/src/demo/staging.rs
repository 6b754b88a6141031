//! The demo's files appear all at once or not at all.

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

impl Staging {
    /// Begins a run; what an interrupted one left behind is removed.
    pub(super) fn begin(out: &Path) -> io::Result<Self> {
        let partial = out.join(".partial");
        if partial.exists() {
            fs::remove_dir_all(&partial)?;
        }
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

    /// Removes the files of the run before, moves this run's into place, and returns how many.
    pub(super) fn finish(self) -> io::Result<usize> {
        let mut names = Vec::new();
        for entry in fs::read_dir(self.partial.join("files"))? {
            names.push(entry?.file_name().to_string_lossy().into_owned());
        }
        names.sort();
        let manifest = self.out.join(MANIFEST);
        for old in fs::read_to_string(&manifest).unwrap_or_default().lines() {
            let stale = !names.iter().any(|n| n == old) && Path::new(old).components().count() == 1;
            if stale
                && let Err(error) = fs::remove_file(self.out.join(old))
                && error.kind() != io::ErrorKind::NotFound
            {
                return Err(error);
            }
        }
        fs::write(&manifest, names.join("\n"))?;
        for name in &names {
            fs::rename(self.path(name), self.out.join(name))?;
        }
        Ok(names.len())
    }
}

impl Drop for Staging {
    fn drop(&mut self) {
        // Nothing to tell anybody: the next run removes it all the same.
        let _ = fs::remove_dir_all(&self.partial);
    }
}
