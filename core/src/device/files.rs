//! Files that survive a crash: written whole or not at all, readable by their owner alone, used by one process.

use std::{
    ffi::OsString,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Read as _, Write as _},
    path::{Path, PathBuf},
};

/// What a half-written file ends with; the next start may remove it.
pub(crate) const TEMPORARY: &str = ".tmp";

/// Takes the exclusive lock on the file at `path`, made when absent; it is held until the value is dropped or the
/// process ends. `None` when somebody else holds it.
pub(crate) fn lock(path: &Path) -> io::Result<Option<File>> {
    let file = private().write(true).create(true).truncate(false).open(path)?;
    match file.try_lock() {
        Ok(()) => Ok(Some(file)),
        Err(TryLockError::WouldBlock) => Ok(None),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Replaces the file at `path` by these bytes: after a crash at any moment it holds the old bytes or the new ones.
/// Callers see to it that one thread at a time writes to one path.
pub(crate) fn write_atomically(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary(path);
    let written = write_durably(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if let Err(error) = written {
        // Half a file must not fill the rest of a disk that is full.
        let _ = fs::remove_file(&temporary);
        return Err(error);
    }
    sync_folder_of(path)
}

fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = private().write(true).create(true).truncate(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Removes files of one folder for good; one that is absent is no error.
pub(crate) fn remove_all(paths: &[PathBuf]) -> io::Result<()> {
    let mut removed = None;
    let all = paths.iter().try_for_each(|path| match fs::remove_file(path) {
        Ok(()) => {
            removed = Some(path);
            Ok(())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    });
    removed.map_or(Ok(()), |path| sync_folder_of(path)).and(all)
}

/// Reads a file of at most `limit` bytes: `None` when it is absent, [`io::ErrorKind::FileTooLarge`] when it is longer.
pub(crate) fn read(path: &Path, limit: usize) -> io::Result<Option<Vec<u8>>> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(limit as u64 + 1).read_to_end(&mut bytes)?;
    if bytes.len() > limit {
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(Some(bytes))
}

/// Makes a folder that only its owner can enter; one that exists is left as it is.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    let mut builder = fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(path)
}

/// Makes a rename or removal in the folder of `path` durable. Windows has no such call and needs none.
pub(crate) fn sync_folder_of(path: &Path) -> io::Result<()> {
    #[cfg(unix)]
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder)?.sync_all()?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}

/// Options for a file that only its owner can read (mode 0600 where there are modes).
pub(crate) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn temporary(path: &Path) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(TEMPORARY);
    name.into()
}
