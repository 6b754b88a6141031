//! Certificates issued ahead: the association knows its members, and makes their keys and certificates before they
//! apply, so that a letter can leave the day that somebody does. A member is known by a number, which becomes the
//! serial number in the certificate's name; nobody is issued to twice, however often and from wherever it is run.

use super::{Authority, AuthorityError, HolderSpec};
use std::collections::HashSet;
use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

/// The first line of a roster.
const COLUMNS: &str = "number,name_kanji,name_romaji,role";
/// Shorter than a credential's id, so that the two are never mistaken for each other.
const MAX_NUMBER_CHARS: usize = 20;

/// A member of the association.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Letters and digits, unique, up to twenty.
    pub number: String,
    /// Family name first.
    pub name_kanji: String,
    /// Given name first.
    pub name_romaji: String,
    /// hcRole.
    pub role: String,
}

/// What [`Authority::issue_ahead`] did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IssuedAhead {
    /// New certificates.
    pub issued: usize,
    /// Members who had one.
    pub present: usize,
}

impl Member {
    /// Reads a roster: CSV in UTF-8 without quotes, its first line `number,name_kanji,name_romaji,role`.
    ///
    /// # Errors
    /// [`AuthorityError::Roster`] with the line that is wrong, or repeats a number.
    pub fn read_roster(text: &str) -> Result<Vec<Self>, AuthorityError> {
        let mut lines = text.trim_start_matches('\u{feff}').lines().zip(1..);
        let wrong = |line, why| AuthorityError::Roster { line, why };
        if lines.next().is_none_or(|(first, _)| first.trim_end() != COLUMNS) {
            return Err(wrong(1, "the columns are not number,name_kanji,name_romaji,role"));
        }
        let mut numbers = HashSet::new();
        let filled = lines.filter(|(text, _)| !text.trim().is_empty());
        filled
            .map(|(text, line)| {
                let fields: Vec<_> = text.split(',').map(str::trim).collect();
                let [number, name_kanji, name_romaji, role] = fields[..] else {
                    return Err(wrong(line, "there are not four fields"));
                };
                let member = Self {
                    number: number.to_owned(),
                    name_kanji: name_kanji.to_owned(),
                    name_romaji: name_romaji.to_owned(),
                    role: role.to_owned(),
                };
                member.check().map_err(|why| wrong(line, why))?;
                if !numbers.insert(member.number.clone()) {
                    return Err(wrong(line, "the number stood before"));
                }
                Ok(member)
            })
            .collect()
    }

    /// `count` members who do not exist: `A0000001` and on, always the same.
    pub fn made_up(count: usize) -> Vec<Self> {
        (1..=count)
            .map(|n| Self {
                number: format!("A{n:07}"),
                name_kanji: format!("試験 会員{n}"),
                name_romaji: format!("KAIIN{n} SHIKEN"),
                role: if n % 4 == 0 { "Dentist" } else { "Medical Doctor" }.to_owned(),
            })
            .collect()
    }

    fn check(&self) -> Result<(), &'static str> {
        let fits = (1..=MAX_NUMBER_CHARS).contains(&self.number.len());
        if !fits || !self.number.chars().all(|c| c.is_ascii_alphanumeric()) {
            return Err("the number is not one to twenty letters and digits");
        }
        if self.role.is_empty() || !self.role.chars().all(|c| c.is_ascii_alphabetic() || c == ' ') {
            return Err("the role is not an hcRole");
        }
        self.holder().check_names().map(|_| ()).map_err(|_| "a name does not fit a certificate")
    }

    fn holder(&self) -> HolderSpec {
        HolderSpec {
            holder_serial: Some(self.number.clone()),
            ..HolderSpec::new(&self.name_kanji, &self.name_romaji, &self.role)
        }
    }
}

impl Authority {
    /// Issues to every member who has no certificate yet, on all cores. Each is on the disk before the next is begun:
    /// interrupted, it goes on where it was. `progress` gets how many are done, of how many.
    ///
    /// # Errors
    /// [`AuthorityError`] of the first that failed; those issued by then stay.
    pub fn issue_ahead(
        &self,
        roster: &[Member],
        progress: impl Fn(usize, usize) + Sync,
    ) -> Result<IssuedAhead, AuthorityError> {
        let known = self.store().write(crate::store::credentials::holder_serials)?;
        let missing: Vec<_> = roster.iter().filter(|member| !known.contains(&member.number)).collect();
        let (next, issued, present) = (AtomicUsize::new(0), AtomicUsize::new(0), AtomicUsize::new(0));
        let (failed, failure) = (AtomicBool::new(false), Mutex::new(None));
        let work = || {
            while !failed.load(Ordering::SeqCst) {
                let Some(member) = missing.get(next.fetch_add(1, Ordering::SeqCst)) else { return };
                match self.issue(&member.holder()) {
                    Ok(_) => drop(issued.fetch_add(1, Ordering::SeqCst)),
                    // Another process was faster.
                    Err(error) if error.is_duplicate() => drop(present.fetch_add(1, Ordering::SeqCst)),
                    Err(error) => {
                        failed.store(true, Ordering::SeqCst);
                        failure.lock().expect("no thread panics with it").get_or_insert(error);
                        return;
                    }
                }
                progress(issued.load(Ordering::SeqCst) + present.load(Ordering::SeqCst), missing.len());
            }
        };
        let cores = std::thread::available_parallelism().map_or(1, NonZeroUsize::get);
        std::thread::scope(|scope| {
            for _ in 0..cores.min(missing.len()) {
                scope.spawn(work);
            }
        });
        match failure.into_inner().expect("no thread panicked with it") {
            Some(error) => Err(error),
            None => Ok(IssuedAhead {
                issued: issued.into_inner(),
                present: roster.len() - missing.len() + present.into_inner(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_roster_is_read_line_by_line_and_a_wrong_one_names_its_line() {
        let good = "\u{feff}number,name_kanji,name_romaji,role\r\nM1,手須戸 花子,HANAKO TESUTO,Medical Doctor\r\n\r\nM2,歯 科,SHIKA HA,Dentist\r\n";
        let members = Member::read_roster(good).unwrap();
        assert_eq!(members.len(), 2);
        assert_eq!((members[1].number.as_str(), members[1].role.as_str()), ("M2", "Dentist"));
        let row = |row: &str| Member::read_roster(&format!("{COLUMNS}\nM1,名,MEI,Dentist\n{row}\n"));
        for wrong in [
            "M1,名,MEI,Dentist",
            "M2,名,MEI",
            "M2,名,MEI,Dentist,",
            ",名,MEI,Dentist",
            "M-2,名,MEI,Dentist",
            "M23456789012345678901,名,MEI,Dentist",
            "M2,,MEI,Dentist",
            "M2,名,名,Dentist",
            "M2,名,MEI,\"Dentist\"",
        ] {
            assert!(matches!(row(wrong), Err(AuthorityError::Roster { line: 3, .. })), "{wrong}");
        }
        assert!(matches!(Member::read_roster("a,b\n"), Err(AuthorityError::Roster { line: 1, .. })));
        let made_up = Member::made_up(10_000);
        assert!(made_up.iter().all(|member| member.check().is_ok()));
        assert_eq!(made_up.iter().map(|member| &member.number).collect::<HashSet<_>>().len(), 10_000);
    }
}
