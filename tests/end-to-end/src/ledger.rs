//! What the service's database says that was signed and delivered.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use rusqlite::{Connection, OpenFlags};

/// One line of the ledger: the service has made this signature.
struct Made {
    token: Vec<u8>,
    hash: Vec<u8>,
    signature: Vec<u8>,
}

/// The ledger and the prescriptions of a service.
pub struct Ledger {
    made: Vec<Made>,
    /// The signature in each signed prescription that was delivered.
    delivered: BTreeMap<String, Vec<u8>>,
}

impl Ledger {
    /// Reads the database of the service in this folder.
    ///
    /// # Panics
    /// When it cannot be read.
    pub(crate) fn of(folder: &Path) -> Self {
        let read_only = OpenFlags::SQLITE_OPEN_READ_ONLY;
        let database = Connection::open_with_flags(folder.join("service.sqlite"), read_only).unwrap();
        let mut made = database.prepare("SELECT token, hash, signature FROM ledger").unwrap();
        let made = made
            .query_map([], |row| Ok(Made { token: row.get(0)?, hash: row.get(1)?, signature: row.get(2)? }))
            .unwrap()
            .map(Result::unwrap)
            .collect();
        let signed = "SELECT id, signature FROM prescriptions WHERE state = 'signed'";
        let mut delivered = database.prepare(signed).unwrap();
        let rows = delivered.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap();
        let delivered = rows.map(Result::unwrap).collect();
        Self { made, delivered }
    }

    /// Each prescription was delivered once, with a signature of its own that was made here, whatever else was signed.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn assert_each_delivered_once<'a>(&self, requests: impl IntoIterator<Item = &'a String>) {
        let mut delivered = BTreeSet::new();
        for request in requests {
            let signature =
                self.delivered.get(request).unwrap_or_else(|| panic!("{request} was not delivered"));
            assert!(self.made.iter().any(|made| made.signature == *signature), "{request}: not made here");
            assert!(delivered.insert(signature), "one signature was delivered twice");
        }
    }

    /// Each prescription was signed as one hash with one value, which was delivered to it and to no other; nothing else was
    /// ever signed; no token signed one hash twice. Gives how many lines repeat another, their answer having been lost:
    /// the same value over the same hash, by another token.
    ///
    /// # Panics
    /// When not.
    #[track_caller]
    pub fn assert_each_signed_once<'a>(&self, requests: impl IntoIterator<Item = &'a String>) -> usize {
        let (mut by_hash, mut by_token) = (BTreeMap::new(), BTreeMap::<_, usize>::new());
        for made in &self.made {
            let other = by_hash.insert(&made.hash, &made.signature);
            assert!(other.is_none_or(|other| *other == made.signature), "one hash has two signatures");
            *by_token.entry((&made.token, &made.hash)).or_default() += 1;
        }
        assert!(by_token.values().all(|times| *times == 1), "a token signed twice");
        let mut signed: Vec<_> = by_hash.into_values().collect();
        let mut expected = Vec::new();
        for request in requests {
            expected
                .push(self.delivered.get(request).unwrap_or_else(|| panic!("{request} was not delivered")));
        }
        signed.sort_unstable();
        expected.sort_unstable();
        assert!(expected.windows(2).all(|pair| pair[0] != pair[1]), "one signature was delivered twice");
        assert!(signed == expected, "{} were signed, {} delivered", signed.len(), expected.len());
        self.made.len() - signed.len()
    }
}
