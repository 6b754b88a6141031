use hpki_agent::agent as core;

use crate::convert::Expose;

/// Something to tell the doctor that stops nothing yet.
#[derive(Clone, Debug, PartialEq, Eq, uniffi::Enum)]
pub enum Warning {
    /// The certificate ends soon.
    CertificateExpires {
        /// Whole days left, 0 to 60.
        days: u16,
        /// What to tell the doctor, in Japanese.
        text_ja: String,
        /// What to tell the doctor, in English.
        text_en: String,
    },
    /// The phone's clock is wrong; the service's time is used instead.
    ClockWrong {
        /// Service's time minus phone's, in whole minutes.
        minutes: i64,
        /// What to tell the doctor, in Japanese.
        text_ja: String,
        /// What to tell the doctor, in English.
        text_en: String,
    },
}

impl Expose<Warning> for core::Warning {
    fn expose(&self) -> Warning {
        let (text_ja, text_en) = (self.text_ja(), self.text_en());
        match *self {
            Self::CertificateExpires { days } => Warning::CertificateExpires { days, text_ja, text_en },
            Self::ClockWrong { minutes } => Warning::ClockWrong { minutes, text_ja, text_en },
        }
    }
}
