//! What a process holds in its memory: read from where Linux shows it while it lives, and from the core file that it leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::Read,
    os::unix::fs::FileExt,
    path::Path,
};

use goblin::elf::{Elf, program_header::PT_LOAD};

/// Shorter words are too common to be searched for.
const SHORTEST: usize = 8;
/// Bytes that are read at once.
const PIECE: usize = 1 << 20;

/// Things to be searched for, each with a name for who reads the failure.
#[derive(Default)]
pub struct Needles(BTreeMap<u64, Vec<(String, Vec<u8>)>>);

impl Needles {
    /// One more, of at least eight bytes.
    ///
    /// # Panics
    /// When it is shorter.
    pub fn add(&mut self, name: &str, secret: impl AsRef<[u8]>) {
        let secret = secret.as_ref();
        assert!(secret.len() >= SHORTEST, "{name} is too short to be searched for");
        self.0.entry(first(secret)).or_default().push((name.to_owned(), secret.to_vec()));
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.0.values().map(Vec::len).sum()
    }

    /// Names of those that stand in these bytes.
    pub fn found_in(&self, bytes: &[u8]) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        let mut window = 0_u64;
        for (at, byte) in bytes.iter().enumerate() {
            window = window << 8 | u64::from(*byte);
            let Some(start) = (at + 1).checked_sub(SHORTEST) else { continue };
            if let Some(candidates) = self.0.get(&window) {
                let here = candidates.iter().filter(|(_, secret)| bytes[start..].starts_with(secret));
                found.extend(here.map(|(name, _)| name.as_str()));
            }
        }
        found
    }

    fn longest(&self) -> usize {
        self.0.values().flatten().map(|(_, secret)| secret.len()).max().unwrap_or_default()
    }

    /// Names of those that stand in the memory that a core file of ELF holds. Its notes are left out: they hold each thread's
    /// registers, in which what was copied last stays until the next copy (64 bytes of it, with AVX-512), and no program can wipe them.
    ///
    /// # Panics
    /// When it cannot be read, was cut off, or there is hardly anything in it.
    pub fn found_in_core(&self, path: &Path) -> BTreeSet<&str> {
        let core = std::fs::read(path).unwrap();
        let segments = Elf::parse(&core).unwrap().program_headers;
        let (mut found, mut read) = (BTreeSet::new(), 0);
        for segment in segments.iter().filter(|segment| segment.p_type == PT_LOAD) {
            let memory = core.get(segment.file_range()).expect("a whole core file");
            found.extend(self.found_in(memory));
            read += memory.len();
        }
        assert!(read > PIECE, "only {read} bytes of memory are in {}", path.display());
        found
    }

    /// Names of those between two places of a file, and how many bytes could be read.
    fn found_between(&self, file: &File, mut at: u64, end: u64) -> (BTreeSet<&str>, usize) {
        let (mut found, mut read) = (BTreeSet::new(), 0);
        // Pieces overlap, so that what lies across two of them is seen.
        let mut buffer = vec![0; PIECE + self.longest()];
        while at < end {
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX).min(buffer.len());
            let Ok(got @ 1..) = file.read_at(&mut buffer[..wanted], at) else { break };
            found.extend(self.found_in(&buffer[..got]));
            read += got;
            at += got.min(PIECE) as u64;
        }
        (found, read)
    }

    /// Names of those that stand in the memory of a process that this user may read.
    ///
    /// # Panics
    /// When it cannot be read, or hardly anything of it can.
    pub fn found_in_process(&self, process: u32) -> BTreeSet<&str> {
        let mut map = String::new();
        File::open(format!("/proc/{process}/maps")).unwrap().read_to_string(&mut map).unwrap();
        let memory = File::open(format!("/proc/{process}/mem")).unwrap();
        let (mut found, mut read) = (BTreeSet::new(), 0);
        for line in map.lines().filter(|line| line.contains(" rw")) {
            let (start, end) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
            let [start, end] = [start, end].map(|text| u64::from_str_radix(text, 16).unwrap());
            let (here, bytes) = self.found_between(&memory, start, end);
            found.extend(here);
            read += bytes;
        }
        assert!(read > PIECE, "only {read} bytes of process {process} could be read");
        found
    }
}

fn first(secret: &[u8]) -> u64 {
    secret.iter().take(SHORTEST).fold(0, |all, byte| all << 8 | u64::from(*byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_there_is_found_wherever_it_lies_and_what_is_not_is_not() {
        let mut needles = Needles::default();
        needles.add("here", "in the haystack");
        needles.add("not here", "in the hayfield");
        for at in [0, 1, 7, 100] {
            let hay = [vec![b'i'; at], b"in the haystack".to_vec()].concat();
            assert_eq!(needles.found_in(&hay), BTreeSet::from(["here"]));
        }
        assert_eq!(needles.found_in(b"in the hay"), BTreeSet::new());
    }
}
