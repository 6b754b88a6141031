use std::time::SystemTime;

use hpki_agent::journal as core;

use crate::convert::{Expose, choices, records};

records! {
    /// One line of the journal.
    JournalEntry of core::Entry {
        /// Number, from 1, without gaps.
        seq: u64,
        /// When it was recorded, by the phone's clock.
        at: SystemTime,
        /// What happened.
        event: JournalEvent,
        /// `hash` of the line before; zeros in the first.
        previous: String,
    }
}

choices! {
    /// How a journal differs from what the phone has written.
    TamperingKind of core::TamperingKind {
        /// Not a line of a journal.
        Malformed,
        /// A line was edited.
        Altered,
        /// Lines were removed, inserted or reordered.
        Unlinked,
        /// Lines are missing at the end.
        Truncated,
        /// Lines were added at the end that the phone did not write.
        NotAnchored,
        /// A chain that holds together, but was computed anew.
        HeadDiffers,
        /// The anchor is missing from the secret store, or unreadable.
        AnchorLost,
    }
}

/// What a verified journal amounts to.
#[derive(Clone, Debug, PartialEq, uniffi::Record)]
pub struct JournalSummary {
    /// Number of entries.
    pub count: u64,
    /// Hash of the last entry, lower-case hexadecimal; zeros when there is none.
    pub head: String,
    /// Time of the first entry.
    pub first: Option<SystemTime>,
    /// Time of the last entry.
    pub last: Option<SystemTime>,
}

/// Why an exported journal does not count.
#[derive(Debug, thiserror::Error, uniffi::Error)]
pub enum JournalError {
    /// It is not what the phone has written.
    #[error("tampered with at entry {seq}")]
    Tampered {
        /// Number of the first entry that is wrong.
        seq: u64,
        /// What is wrong with it.
        kind: TamperingKind,
    },
}

/// Checks that a journal exported by `Agent.export_journal` hangs together: every line, their order, the closing line. That it
/// is the phone's own and not computed anew, only the phone can tell, or whoever noted an earlier head.
#[uniffi::export]
pub fn verify_journal_export(export: &[u8]) -> Result<JournalSummary, JournalError> {
    match core::verify_export(export) {
        Ok(summary) => Ok(JournalSummary {
            count: summary.head.count,
            head: summary.head.hash.to_string(),
            first: summary.first.expose(),
            last: summary.last.expose(),
        }),
        Err(found) => Err(JournalError::Tampered { seq: found.seq, kind: found.kind.expose() }),
    }
}

/// What can be recorded: digests (SHA-256, lower-case hexadecimal), codes and identifiers, never patient data.
#[derive(Clone, Debug, PartialEq, uniffi::Enum)]
pub enum JournalEvent {
    /// The phone was bound and the doctor confirmed the certificate.
    Registered {
        /// Issuer of the service.
        service: String,
        /// The phone at the service.
        client_id: String,
        /// The credential to sign with.
        credential_id: String,
        /// SHA-256 of the certificate's DER.
        certificate: String,
        /// Thumbprint of the approval key.
        approval_key: String,
        /// Another phone was bound before.
        replaced: bool,
    },
    /// The doctor approved these documents in one act; the approval key has signed.
    Approved {
        /// SHA-256 of each, in the order shown.
        documents: Vec<String>,
    },
    /// An approved batch came to nothing.
    NotSigned {
        /// Why.
        code: String,
        /// How many documents were approved.
        count: u64,
    },
    /// A document was signed, and the signature verified.
    Signed {
        /// Which request.
        request: Option<String>,
        /// Which document.
        document: String,
        /// SHA-256 of the signature value.
        signature: String,
    },
    /// The service took the signed document.
    Delivered {
        /// Which request.
        request: String,
        /// Which document.
        document: String,
    },
    /// The service did not take the signed document, and will not.
    NotDelivered {
        /// Which request.
        request: String,
        /// Which document.
        document: String,
        /// Why.
        code: String,
    },
    /// The doctor declined. The reason, free text, went to the clinic and is not kept.
    Declined {
        /// Which request.
        request: String,
        /// Which document, where it could be read.
        document: Option<String>,
    },
    /// The phone refused the document before the doctor could approve it.
    Refused {
        /// Which request.
        request: Option<String>,
        /// Which document.
        document: String,
        /// Codes of the violations, each once.
        codes: Vec<String>,
    },
    /// Something pinned at registration has changed; the agent stopped.
    BindingChanged {
        /// What changed.
        code: String,
    },
    /// The doctor unbound the phone.
    Unregistered {
        /// The phone at the service.
        client_id: String,
    },
    /// Keys and state were wiped without the doctor's asking, such as when the service has revoked the phone.
    Wiped {
        /// Why.
        code: String,
    },
    /// An older journal was tampered with and put aside; this one begins here.
    SetAside {
        /// The first entry that was wrong.
        seq: u64,
        /// What was wrong.
        kind: TamperingKind,
    },
}

impl Expose<String> for core::Digest {
    fn expose(&self) -> String {
        self.to_string()
    }
}

impl Expose<String> for core::Code {
    fn expose(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Expose<String> for core::Identifier {
    fn expose(&self) -> String {
        self.as_str().to_owned()
    }
}

impl Expose<JournalEvent> for core::Event {
    fn expose(&self) -> JournalEvent {
        match self {
            Self::Registered { service, client_id, credential_id, certificate, approval_key, replaced } => {
                JournalEvent::Registered {
                    service: service.expose(),
                    client_id: client_id.expose(),
                    credential_id: credential_id.expose(),
                    certificate: certificate.expose(),
                    approval_key: approval_key.expose(),
                    replaced: replaced.expose(),
                }
            }
            Self::Approved { documents } => JournalEvent::Approved { documents: documents.expose() },
            Self::NotSigned { code, count } => {
                JournalEvent::NotSigned { code: code.expose(), count: count.expose() }
            }
            Self::Signed { request, document, signature } => JournalEvent::Signed {
                request: request.expose(),
                document: document.expose(),
                signature: signature.expose(),
            },
            Self::Delivered { request, document } => {
                JournalEvent::Delivered { request: request.expose(), document: document.expose() }
            }
            Self::NotDelivered { request, document, code } => JournalEvent::NotDelivered {
                request: request.expose(),
                document: document.expose(),
                code: code.expose(),
            },
            Self::Declined { request, document } => {
                JournalEvent::Declined { request: request.expose(), document: document.expose() }
            }
            Self::Refused { request, document, codes } => JournalEvent::Refused {
                request: request.expose(),
                document: document.expose(),
                codes: codes.expose(),
            },
            Self::BindingChanged { code } => JournalEvent::BindingChanged { code: code.expose() },
            Self::Unregistered { client_id } => JournalEvent::Unregistered { client_id: client_id.expose() },
            Self::Wiped { code } => JournalEvent::Wiped { code: code.expose() },
            Self::SetAside { seq, kind } => JournalEvent::SetAside { seq: seq.expose(), kind: kind.expose() },
        }
    }
}
