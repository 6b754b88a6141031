use hpki_agent::prescription as core;

use crate::{convert::Expose, preview::Preview, violation::Violation};

/// What a file is, when it is not an e-prescription that waits for its signature.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct LookAlike {
    /// Stable, for programs, such as `dispensing` or `paper_qr`.
    pub code: String,
    /// For the doctor, in Japanese.
    pub message_ja: String,
    /// For the doctor, in English.
    pub message_en: String,
}

/// Everything that can be said about a file, signable or not.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct Inspection {
    /// Whether the agent would sign it.
    pub is_signable: bool,
    /// What it is, where it is something else or in a form that nobody accepts.
    pub look_alike: Option<LookAlike>,
    /// What it says, wherever a prescription could be read at all.
    pub preview: Option<Preview>,
    /// What is wrong with it, in the order of lines; those without a line first.
    pub violations: Vec<Violation>,
}

/// Reads any file as far as it can be read: the XML envelope, or the bare `SJ1` CSV. The bytes are read where they lie.
#[uniffi::export]
pub fn inspect(file: &[u8]) -> Inspection {
    let found = core::inspect(file);
    Inspection {
        is_signable: found.is_signable(),
        look_alike: found.look_alike.expose(),
        preview: found.preview.expose(),
        violations: found.violations.expose(),
    }
}

impl Expose<LookAlike> for core::LookAlike {
    fn expose(&self) -> LookAlike {
        LookAlike {
            code: self.code().to_owned(),
            message_ja: self.message_ja(),
            message_en: self.message_en(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_that_is_something_else_is_told_by_name() {
        let found = inspect(b"%PDF-1.7");
        assert!(!found.is_signable);
        assert_eq!(found.look_alike.unwrap().code, "pdf");
    }
}
