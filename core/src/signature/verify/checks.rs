//! The verification items of the e-prescription specification (5.5.3, 5.6.1, 5.7), each answered from the reasons found:
//! an item against which there is none has passed, if it was reached.

use super::{
    super::report::{Check, Outcome, Reason, Severity},
    reasons as r,
    stamps::Findings,
};

#[derive(Clone, Copy)]
struct Row {
    item: &'static str,
    code: &'static str,
    text_ja: &'static str,
    text_en: &'static str,
    /// The reasons that speak against it.
    against: &'static [Reason],
    /// What follows is not reached when this has not passed.
    is_gate: bool,
}

const fn row(
    item: &'static str,
    code: &'static str,
    text_ja: &'static str,
    text_en: &'static str,
    against: &'static [Reason],
) -> Row {
    Row { item, code, text_ja, text_en, against, is_gate: false }
}

const fn gate(row: Row) -> Row {
    Row { is_gate: true, ..row }
}

const PROFILE: &[Reason] = &[
    r::CERTIFICATE_PROFILE,
    r::AUTHENTICATION_CERTIFICATE,
    r::WEAK_CERTIFICATE,
    r::ROLE_MISSING,
    r::ROLE_NOT_PRESCRIBER,
    r::PATH_CONSTRAINTS,
];
const VALIDATION: &[Reason] = &[
    r::SIGNED_OUTSIDE_VALIDITY,
    r::OUT_OF_VALIDITY_NOW,
    r::CERTIFICATE_TAMPERED,
    r::CERTIFICATE_PROFILE,
    r::AUTHENTICATION_CERTIFICATE,
    r::WEAK_CERTIFICATE,
    r::PATH_OPEN,
    r::PATH_CONSTRAINTS,
    r::REVOKED,
    r::REVOCATION_OPEN,
    r::REVOCATION_STALE,
];

/// 5.5.3, what the signature itself shows.
static SIGNATURE: [Row; 8] = [
    row(
        "5.5.3",
        "signing_certificate_named",
        "署名属性が署名証明書を示している",
        "The signed properties name the signing certificate",
        &[r::STRUCTURE, r::CERTIFICATE_NOT_NAMED],
    ),
    row(
        "5.5.3",
        "signing_certificate_present",
        "署名証明書がある",
        "The signing certificate is enclosed",
        &[r::CERTIFICATE_UNREADABLE],
    ),
    row(
        "5.5.3",
        "signing_certificate_matching",
        "署名証明書が署名属性の示すものと一致する",
        "The signing certificate is the one that is named",
        &[r::CERTIFICATE_MISMATCH],
    ),
    row(
        "5.5.3",
        "signing_certificate_valid",
        "署名証明書の認証パスを構築し検証できる",
        "The path of the signing certificate is built and validated",
        VALIDATION,
    ),
    row(
        "5.5.3",
        "reference_elements",
        "Reference要素が所定の要素を指し、ハッシュ値が一致する",
        "The Reference elements point where they must and their digests match",
        &[
            r::TRANSFORM,
            r::ALGORITHM,
            r::REFERENCE_ELSEWHERE,
            r::REFERENCE_MISSING,
            r::DOCUMENT_CHANGED,
            r::PROPERTIES_CHANGED,
            r::KEY_INFO_CHANGED,
        ],
    ),
    row(
        "5.5.3",
        "digest_method",
        "DigestMethodが認められたものである",
        "The digest methods are accepted ones",
        &[r::DIGEST_METHOD],
    ),
    row(
        "5.5.3",
        "signature_method",
        "SignatureMethodが認められたものである",
        "The signature method is an accepted one",
        &[r::SIGNATURE_METHOD],
    ),
    row(
        "5.5.3",
        "signature_value",
        "SignatureValueを署名証明書の鍵で検証できる",
        "The signature value verifies with the key of the signing certificate",
        &[r::SIGNATURE_VALUE],
    ),
];

const TOKEN_SIGNATURE: &[Reason] =
    &[r::TIMESTAMP_SIGNATURE, r::TIMESTAMP_CERTIFICATE_MISSING, r::TIMESTAMP_CERTIFICATE_MISMATCH];
const TOKEN_PATH: &[Reason] = &[
    r::TIMESTAMP_PURPOSE,
    r::TIMESTAMP_OUTSIDE_VALIDITY,
    r::TIMESTAMP_ORDER,
    r::TIMESTAMP_PATH_OPEN,
    r::TIMESTAMP_REVOKED,
    r::TIMESTAMP_REVOCATION_OPEN,
];

/// 5.6.1 for one kind of timestamp, in the order of checking.
macro_rules! timestamp_rows {
    ($code:literal, $ja:literal, $en:literal) => {
        [
            gate(row(
                "5.6.1",
                concat!($code, "_token_form"),
                concat!($ja, "がCMSの形式である"),
                concat!($en, " is a CMS token"),
                &[r::TIMESTAMP_STRUCTURE, r::TIMESTAMP_FORM, r::TIMESTAMP_SIGNERS, r::TIMESTAMP_ATTRIBUTES],
            )),
            gate(row(
                "5.6.1",
                concat!($code, "_token_content_type"),
                concat!($ja, "の内容がTSTInfoである"),
                concat!($en, " holds a TSTInfo"),
                &[r::TIMESTAMP_CONTENT_TYPE],
            )),
            gate(row(
                "5.6.1",
                concat!($code, "_token_hash_algorithm"),
                concat!($ja, "のハッシュアルゴリズムが認められたものである"),
                concat!($en, " uses accepted algorithms"),
                &[r::TIMESTAMP_ALGORITHM],
            )),
            gate(row(
                "5.6.1",
                concat!($code, "_token_imprint"),
                concat!($ja, "のハッシュ値が対象と一致する"),
                concat!($en, " has the digest of what it covers"),
                &[r::TIMESTAMP_IMPRINT],
            )),
            gate(row(
                "5.6.1",
                concat!($code, "_token_signature"),
                concat!($ja, "のTSA署名を検証できる"),
                concat!($en, " verifies with its authority's certificate"),
                TOKEN_SIGNATURE,
            )),
            gate(row(
                "5.6.1",
                concat!($code, "_token_path"),
                concat!($ja, "のTSA証明書の認証パスを構築し検証できる"),
                concat!($en, ": the path of its authority is built and validated"),
                TOKEN_PATH,
            )),
        ]
    };
}

static SIGNATURE_TOKEN: [Row; 6] =
    timestamp_rows!("signature", "署名タイムスタンプ", "The signature timestamp");
static ARCHIVE_TOKEN: [Row; 6] =
    timestamp_rows!("archive", "アーカイブタイムスタンプ", "The archive timestamp");

/// 5.5.3, what the timestamps add; each sums up rows of 5.6.1.
const SIGNATURE_STAMP_TOKEN: Row = row(
    "5.5.3",
    "signature_timestamp_token",
    "署名タイムスタンプのトークンが有効である",
    "The token of the signature timestamp is valid",
    &[],
);
const SIGNATURE_STAMP_IMPRINT: Row = row(
    "5.5.3",
    "signature_timestamp_imprint",
    "署名タイムスタンプがこの署名値に対するものである",
    "The signature timestamp is one of this signature value",
    &[],
);
const ARCHIVE_STAMP: Row = row(
    "5.5.3",
    "archive_timestamp",
    "アーカイブタイムスタンプが有効である",
    "The archive timestamps are valid",
    &[],
);

/// 5.7 for the signing certificate, as of the time that counts.
static CERTIFICATE: [Row; 5] = [
    gate(row(
        "5.7",
        "certificate_path",
        "信頼するルートまでの認証パスを構築できる",
        "A path to a trusted root is built",
        &[r::PATH_OPEN, r::SIGNED_OUTSIDE_VALIDITY, r::OUT_OF_VALIDITY_NOW],
    )),
    row(
        "5.7",
        "certificate_constraints",
        "証明書の拡張領域が制約を満たす",
        "The extensions of the certificates meet their constraints",
        PROFILE,
    ),
    gate(row(
        "5.7",
        "certificate_integrity",
        "証明書が改ざんされていない",
        "The certificates are not tampered with",
        &[r::CERTIFICATE_TAMPERED],
    )),
    row(
        "5.7",
        "certificate_not_revoked",
        "証明書が失効していない",
        "The certificates are not revoked",
        &[r::REVOKED, r::REVOCATION_OPEN, r::REVOCATION_STALE],
    ),
    row(
        "5.7",
        "revocation_data_fresh",
        "失効情報が有効期間内である",
        "The revocation data was in force",
        &[r::REVOCATION_OPEN, r::REVOCATION_STALE],
    ),
];

/// All items of one signature. `is_complete`: its examination went through to the end.
pub(super) fn all(reasons: &[Reason], is_complete: bool, stamps: &Findings) -> Vec<Check> {
    let missing = if is_complete { Outcome::NotApplicable } else { Outcome::Undetermined };
    let token = |rows: &[Row; 6], reasons: Option<&[Reason]>| match reasons {
        Some(reasons) => answered(rows, reasons, true),
        None => [missing; 6],
    };
    let signature_token = token(&SIGNATURE_TOKEN, stamps.signature.as_deref());
    let archive_token = token(&ARCHIVE_TOKEN, stamps.archive.as_deref());
    let [form, content_type, algorithm, imprint, signature, path] = signature_token;

    let mut checks = Vec::with_capacity(
        SIGNATURE.len() + 3 + SIGNATURE_TOKEN.len() + ARCHIVE_TOKEN.len() + CERTIFICATE.len(),
    );
    let mut say = |rows: &[Row], outcomes: &[Outcome]| {
        checks.extend(rows.iter().zip(outcomes).map(|(row, outcome)| row.check(*outcome)));
    };
    say(&SIGNATURE, &answered(&SIGNATURE, reasons, is_complete));
    say(&[SIGNATURE_STAMP_TOKEN], &[worst(&[form, content_type, algorithm, signature, path])]);
    say(&[SIGNATURE_STAMP_IMPRINT], &[imprint]);
    say(&[ARCHIVE_STAMP], &[worst(&archive_token)]);
    say(&SIGNATURE_TOKEN, &signature_token);
    say(&ARCHIVE_TOKEN, &archive_token);
    say(&CERTIFICATE, &answered(&CERTIFICATE, reasons, is_complete));
    checks
}

fn answered<const N: usize>(rows: &[Row; N], reasons: &[Reason], is_complete: bool) -> [Outcome; N] {
    let mut is_reached = is_complete;
    rows.each_ref().map(|row| {
        let outcome = row.outcome(reasons, is_reached);
        is_reached &= !row.is_gate || outcome == Outcome::Passed;
        outcome
    })
}

fn worst(outcomes: &[Outcome]) -> Outcome {
    let order = [Outcome::Failed, Outcome::Undetermined, Outcome::NotApplicable];
    order.into_iter().find(|outcome| outcomes.contains(outcome)).unwrap_or(Outcome::Passed)
}

impl Row {
    fn check(&self, result: Outcome) -> Check {
        let Self { item, code, text_ja, text_en, .. } = *self;
        Check { item, code, result, text_ja, text_en }
    }

    fn outcome(&self, reasons: &[Reason], is_reached: bool) -> Outcome {
        let any = |severity| reasons.iter().any(|r| r.severity == severity && self.against.contains(r));
        if any(Severity::Fails) {
            Outcome::Failed
        } else if any(Severity::Indeterminate) || !is_reached {
            Outcome::Undetermined
        } else {
            Outcome::Passed
        }
    }
}
