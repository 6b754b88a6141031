use hpki_agent::prescription as core;

use crate::convert::{choices, records};

choices! {
    /// Whether a violation keeps the prescription from being signed.
    ViolationSeverity of core::Severity {
        /// Blocks signing.
        Error,
        /// Shown before signing, and does not block it.
        Warning,
    }
}

records! {
    /// A name in both languages; both empty where there is none.
    FieldName of core::Name {
        /// Japanese.
        ja: String,
        /// English.
        en: String,
    }

    /// One thing that is wrong with a prescription. It names the place and never repeats what stands there.
    Violation of core::Violation {
        /// Whether it blocks signing.
        severity: ViolationSeverity,
        /// Stable, for programs: lower-case words joined by underscores.
        code: String,
        /// Record number (1 to 302), where it belongs to a record.
        record: Option<u16>,
        /// Line of the CSV, from 1; none for the envelope and for a record that is missing.
        line: Option<u32>,
        /// Name of the field, where it belongs to one.
        field: Option<FieldName>,
        /// For the doctor, in Japanese, with the place.
        message_ja: String,
        /// The same in English.
        message_en: String,
    }
}
