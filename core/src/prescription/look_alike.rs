//! Files that a doctor might be handed instead of an unsigned e-prescription, each told by name.

use std::fmt;

use serde::{Serialize, Serializer, ser::SerializeStruct};

/// What a file is, when it is not an e-prescription that waits for its signature.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LookAlike {
    /// Nothing, or white space.
    Empty,
    /// Larger than an e-prescription can be.
    TooLarge,
    /// A dispensing file (調剤情報提供ファイル, `ED.xsd`): the pharmacist signs it.
    Dispensing,
    /// A dispensing file's CSV (`CJ1`).
    DispensingCsv,
    /// A prescription that already carries a signature.
    Signed,
    /// Text of a JAHIS QR code on paper (`JAHIS9`, `JAHIS10`, `JAHIS11` …).
    PaperQr,
    /// An HL7 CDA document: a referral letter, a certificate.
    Cda,
    /// An HL7 FHIR resource.
    Fhir,
    /// Another message of HL7, or MML: referrals, orders.
    Hl7,
    /// A PDF.
    Pdf,
    /// A ZIP archive (also an office document).
    Zip,
    /// A PKCS#7 / CMS message.
    Pkcs7,
    /// A bare hash, binary, hexadecimal or base64.
    Hash,
    /// The CSV with CRLF line ends, which the management service refuses (EPSB0052E).
    Crlf {
        /// The first line that ends so, from 1.
        line: u32,
    },
    /// Begins with a byte order mark.
    Bom,
    /// Shift_JIS text.
    ShiftJis,
    /// Neither UTF-8 nor Shift_JIS.
    NotUtf8,
    /// An e-prescription of another version than EPS1.0, or a CSV of another than SJ1.
    WrongVersion,
    /// Anything else.
    Unknown,
}

impl LookAlike {
    /// Stable, for programs.
    pub fn code(&self) -> &'static str {
        self.texts().0
    }

    /// For the doctor, in Japanese.
    pub fn message_ja(&self) -> String {
        match self {
            LookAlike::Crlf { line } => format!("{line}行目: {}", self.texts().1),
            _ => self.texts().1.to_owned(),
        }
    }

    /// For the doctor, in English.
    pub fn message_en(&self) -> String {
        match self {
            LookAlike::Crlf { line } => format!("line {line}: {}", self.texts().2),
            _ => self.texts().2.to_owned(),
        }
    }

    fn texts(self) -> (&'static str, &'static str, &'static str) {
        match self {
            LookAlike::Empty => ("empty", "ファイルが空です", "the file is empty"),
            LookAlike::TooLarge => {
                ("too_large", "電子処方箋としては大きすぎるファイルです", "too large for an e-prescription")
            }
            LookAlike::Dispensing => (
                "dispensing",
                "調剤情報のファイルです。署名するのは薬剤師です",
                "a dispensing file; it is the pharmacist who signs it",
            ),
            LookAlike::DispensingCsv => (
                "dispensing_csv",
                "調剤情報のCSV（CJ1）です。署名するのは薬剤師です",
                "a dispensing file's CSV (CJ1); it is the pharmacist who signs it",
            ),
            LookAlike::Signed => {
                ("signed", "署名済みの電子処方箋です", "an e-prescription that is signed already")
            }
            LookAlike::PaperQr => (
                "paper_qr",
                "紙の処方箋などのQRコード（JAHIS）の内容で、電子処方箋ではありません",
                "the text of a QR code on paper (JAHIS), not an e-prescription",
            ),
            LookAlike::Cda => (
                "cda",
                "CDA文書（紹介状・診断書など）で、電子処方箋ではありません",
                "a CDA document (a referral, a certificate), not an e-prescription",
            ),
            LookAlike::Fhir => {
                ("fhir", "FHIR文書で、電子処方箋ではありません", "a FHIR resource, not an e-prescription")
            }
            LookAlike::Hl7 => (
                "hl7",
                "HL7またはMMLの文書（紹介状など）で、電子処方箋ではありません",
                "an HL7 or MML message (such as a referral), not an e-prescription",
            ),
            LookAlike::Pdf => ("pdf", "PDFで、電子処方箋ではありません", "a PDF, not an e-prescription"),
            LookAlike::Zip => {
                ("zip", "ZIPファイルで、電子処方箋ではありません", "a ZIP archive, not an e-prescription")
            }
            LookAlike::Pkcs7 => (
                "pkcs7",
                "PKCS#7（CMS）で、電子処方箋ではありません",
                "a PKCS#7 (CMS) message, not an e-prescription",
            ),
            LookAlike::Hash => (
                "hash",
                "ハッシュ値だけでは、何に署名するのかを表示できません",
                "a bare hash does not show what would be signed",
            ),
            LookAlike::Crlf { .. } => (
                "crlf",
                "改行がCRLFです。LFでなければ電子処方箋管理サービスが受け付けません（EPSB0052E）",
                "lines end in CRLF; the management service takes LF only (EPSB0052E)",
            ),
            LookAlike::Bom => ("bom", "先頭にBOMがあります", "begins with a byte order mark"),
            LookAlike::ShiftJis => (
                "shift_jis",
                "文字コードがShift_JISです。UTF-8が必要です",
                "Shift_JIS text; UTF-8 is required",
            ),
            LookAlike::NotUtf8 => ("not_utf8", "文字コードがUTF-8ではありません", "not UTF-8"),
            LookAlike::WrongVersion => (
                "wrong_version",
                "版が違います（EPS1.0・SJ1のみ署名できます）",
                "another version; only EPS1.0 with SJ1 can be signed",
            ),
            LookAlike::Unknown => ("unknown", "電子処方箋ではありません", "not an e-prescription"),
        }
    }

    /// What the bytes are, judged from their beginning, before anything is parsed. None when they may be an
    /// e-prescription, as XML or as CSV.
    pub(super) fn of_bytes(bytes: &[u8]) -> Option<LookAlike> {
        let begins = |prefix: &[u8]| bytes.starts_with(prefix);
        if bytes.trim_ascii().is_empty() {
            Some(LookAlike::Empty)
        } else if bytes.get(..1024.min(bytes.len()))?.windows(5).any(|window| window == b"%PDF-") {
            Some(LookAlike::Pdf)
        } else if begins(b"PK\x03\x04") || begins(b"PK\x05\x06") {
            Some(LookAlike::Zip)
        } else if begins(b"-----BEGIN PKCS7") || begins(b"-----BEGIN CMS") || is_cms(bytes) {
            Some(LookAlike::Pkcs7)
        } else if begins(b"JAHIS") {
            Some(LookAlike::PaperQr)
        } else if begins(b"CJ1") {
            Some(LookAlike::DispensingCsv)
        } else if begins(b"MSH|") {
            Some(LookAlike::Hl7)
        } else if begins(b"SJ") || begins(b"<") {
            None
        } else if is_hash(bytes) {
            Some(LookAlike::Hash)
        } else {
            None
        }
    }

    /// What bytes are that are not UTF-8.
    pub(super) fn of_other_encoding(bytes: &[u8]) -> LookAlike {
        if is_shift_jis(bytes) { LookAlike::ShiftJis } else { LookAlike::NotUtf8 }
    }

    /// What an XML document with this root is, if not an e-prescription.
    pub(super) fn of_root(name: &str, namespace: &str) -> Option<LookAlike> {
        if namespace == "http://hl7.org/fhir" {
            Some(LookAlike::Fhir)
        } else if name == "ClinicalDocument" {
            Some(LookAlike::Cda)
        } else if namespace.starts_with("urn:hl7-org") || namespace.contains("medxml.net") || name == "Mml" {
            Some(LookAlike::Hl7)
        } else if name != "Document" || !namespace.is_empty() {
            Some(LookAlike::Unknown)
        } else {
            None
        }
    }
}

impl fmt::Display for LookAlike {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message_en())
    }
}

impl Serialize for LookAlike {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut out = serializer.serialize_struct("LookAlike", 3)?;
        out.serialize_field("code", self.code())?;
        out.serialize_field("message_ja", &self.message_ja())?;
        out.serialize_field("message_en", &self.message_en())?;
        out.end()
    }
}

/// ContentInfo: SEQUENCE, then an object identifier under 1.2.840.113549.1.7 (RFC 5652 §3).
fn is_cms(bytes: &[u8]) -> bool {
    const OID: &[u8] = &[0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x07];
    bytes.first() == Some(&0x30)
        && bytes.get(..24.min(bytes.len())).is_some_and(|h| h.windows(10).any(|w| w == OID))
}

/// 32, 48 or 64 bytes that are no text, or the same in hexadecimal or base64.
fn is_hash(bytes: &[u8]) -> bool {
    let text = bytes.trim_ascii();
    let is_text = std::str::from_utf8(bytes).is_ok_and(|text| !text.chars().any(char::is_control));
    let hexadecimal = matches!(text.len(), 64 | 96 | 128) && text.iter().all(u8::is_ascii_hexdigit);
    let base64 = matches!(text.len(), 44 | 64 | 88)
        && text.iter().all(|byte| byte.is_ascii_alphanumeric() || b"+/=-_".contains(byte));
    let binary = matches!(bytes.len(), 32 | 48 | 64) && !is_text;
    binary || hexadecimal || base64
}

/// Whether every byte has a place in Shift_JIS (JIS X 0208 annex 1), and some are not ASCII.
fn is_shift_jis(bytes: &[u8]) -> bool {
    let mut rest = bytes.iter();
    let mut beyond_ascii = false;
    while let Some(&byte) = rest.next() {
        match byte {
            0x00..=0x7F => {}
            0xA1..=0xDF => beyond_ascii = true,
            0x81..=0x9F | 0xE0..=0xFC => {
                if !matches!(rest.next(), Some(0x40..=0x7E | 0x80..=0xFC)) {
                    return false;
                }
                beyond_ascii = true;
            }
            _ => return false,
        }
    }
    beyond_ascii
}
