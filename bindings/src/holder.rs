use std::time::SystemTime;

use hpki_agent::certificate as core;

use crate::convert::records;

records! {
    /// Whose certificate it is, as the doctor is shown it.
    Holder of core::Holder {
        /// Name in kanji; family and given name separated by U+3000.
        name_kanji: Option<String>,
        /// Name in romaji, from the subject's CN.
        name_romaji: String,
        /// hcRole texts, such as `Medical Doctor`.
        roles: Vec<String>,
        /// Organisation, where the certificate has one.
        organization: Option<String>,
        /// The issuing CA's name (RFC 4514).
        issuer: String,
        /// Serial number, lower-case hexadecimal.
        serial_number: String,
        /// Start of validity.
        not_before: SystemTime,
        /// End of validity.
        not_after: SystemTime,
    }
}
