//! Every reason that verification can give.

use super::super::{report::Reason, xml::XmlError};
use crate::certificate::ProfileError;

pub(super) const NOT_XML: Reason = Reason::fails(
    "not_xml",
    "UTF-8のXML文書として読めません。",
    "The file cannot be read as an XML document in UTF-8.",
);
pub(super) const OVER_LIMITS: Reason = Reason::fails(
    "over_limits",
    "ファイルが大きすぎるか、構造が複雑すぎます。",
    "The file is too large or too complex.",
);
pub(super) const NOT_A_PRESCRIPTION: Reason = Reason::fails(
    "not_a_prescription",
    "電子処方箋または調剤結果のファイルではありません。",
    "The file is neither an e-prescription nor a dispensing file.",
);
pub(super) const NOT_SIGNED: Reason = Reason::fails(
    "not_signed",
    "あるべき場所に署名がありません。",
    "There is no signature in the place where it must be.",
);
pub(super) const DUPLICATE_ID: Reason = Reason::fails(
    "duplicate_id",
    "同じidが二か所以上にあります。",
    "The same id stands in more than one place.",
);
pub(super) const SECOND_DOCUMENT: Reason = Reason::fails(
    "second_document",
    "処方箋本体（PrescriptionDocument）が二つ以上あります。",
    "There is more than one PrescriptionDocument.",
);
pub(super) const SIGNATURE_ELSEWHERE: Reason = Reason::fails(
    "signature_elsewhere",
    "あるべき場所以外に署名があります。",
    "There is a signature outside the places where one may be.",
);
pub(super) const DOCUMENT_NOT_PLAIN: Reason = Reason::fails(
    "document_not_plain",
    "署名対象の要素が所定の形ではありません。",
    "The signed element does not have its prescribed shape.",
);
pub(super) const DOCUMENT_UNREADABLE: Reason = Reason::fails(
    "document_unreadable",
    "処方箋本体をBase64とUTF-8として読めません。",
    "The prescription's body is not Base64 of UTF-8 text.",
);
pub(super) const STRUCTURE: Reason = Reason::fails(
    "signature_structure",
    "署名の構造がXAdESに合いません。",
    "The signature is not structured as XAdES requires.",
);
pub(super) const ALGORITHM: Reason = Reason::fails(
    "algorithm_refused",
    "認められないアルゴリズムが使われています。",
    "An algorithm is used that is not accepted.",
);
pub(super) const TRANSFORM: Reason = Reason::fails(
    "transform_refused",
    "認められない変換が使われています。",
    "A transform is used that is not accepted.",
);
pub(super) const REFERENCE_ELSEWHERE: Reason = Reason::fails(
    "reference_elsewhere",
    "署名の参照が所定の要素以外を指しています。",
    "A reference of the signature points to something else than it may.",
);
pub(super) const REFERENCE_MISSING: Reason = Reason::fails(
    "reference_missing",
    "署名が本体または署名属性を対象としていません。",
    "The signature does not cover the document or its own properties.",
);
pub(super) const DOCUMENT_CHANGED: Reason = Reason::fails(
    "document_changed",
    "署名後に本体が変更されています。",
    "The document was changed after it was signed.",
);
pub(super) const PROPERTIES_CHANGED: Reason = Reason::fails(
    "properties_changed",
    "署名後に署名属性が変更されています。",
    "The signed properties were changed after signing.",
);
pub(super) const KEY_INFO_CHANGED: Reason = Reason::fails(
    "key_info_changed",
    "署名後に証明書情報（KeyInfo）が変更されています。",
    "KeyInfo was changed after signing.",
);
pub(super) const SIGNATURE_VALUE: Reason = Reason::fails(
    "signature_value_wrong",
    "署名値が証明書の鍵で検証できません。",
    "The signature value does not verify with the certificate's key.",
);
pub(super) const CERTIFICATE_UNREADABLE: Reason = Reason::fails(
    "certificate_unreadable",
    "署名者の証明書が読めません。",
    "The signer's certificate cannot be read.",
);
pub(super) const CERTIFICATE_MISMATCH: Reason = Reason::fails(
    "certificate_mismatch",
    "署名属性が示す証明書と、添付された証明書が一致しません。",
    "The certificate enclosed is not the one that the signed properties name.",
);
pub(super) const CERTIFICATE_PROFILE: Reason = Reason::fails(
    "certificate_profile",
    "HPKI署名用証明書ではありません。",
    "The certificate is not an HPKI signing certificate.",
);
pub(super) const AUTHENTICATION_CERTIFICATE: Reason = Reason::fails(
    "authentication_certificate",
    "署名用ではなく認証用の証明書です。",
    "The certificate is for authentication, not for signing.",
);
pub(super) const WEAK_CERTIFICATE: Reason = Reason::fails(
    "certificate_weak",
    "証明書の鍵または署名アルゴリズムの強度が足りません。",
    "The certificate's key or signature is too weak.",
);
pub(super) const ROLE_MISSING: Reason = Reason::fails(
    "role_missing",
    "証明書に医療資格（hcRole）がありません。",
    "The certificate names no healthcare role (hcRole).",
);
pub(super) const ROLE_NOT_PRESCRIBER: Reason = Reason::fails(
    "role_not_prescriber",
    "処方できる資格の証明書ではありません。",
    "The certificate's role may not prescribe.",
);
pub(super) const SIGNED_OUTSIDE_VALIDITY: Reason = Reason::fails(
    "signed_outside_validity",
    "署名時刻が証明書の有効期間外です。",
    "The signing time lies outside the certificate's validity.",
);
pub(super) const REVOKED: Reason =
    Reason::fails("certificate_revoked", "証明書は失効しています。", "The certificate is revoked.");
pub(super) const OUT_OF_VALIDITY_NOW: Reason = Reason::open(
    "certificate_out_of_validity",
    "検証時刻が証明書の有効期間外で、署名時に有効だったことを確認できません。",
    "The certificate is out of its validity at the time of verification; that it was valid at signing is not proven.",
);
pub(super) const PATH_OPEN: Reason = Reason::open(
    "path_not_established",
    "信頼するルート認証局までの認証パスを確立できません。",
    "No path to a trusted root could be established.",
);
pub(super) const REVOCATION_OPEN: Reason = Reason::open(
    "revocation_not_established",
    "有効な失効リスト（CRL）がなく、失効していないことを確認できません。",
    "Without a current CRL it is not established that the certificate is not revoked.",
);
pub(super) const TIMESTAMP_NOT_CHECKED: Reason = Reason::note(
    "timestamp_not_checked",
    "タイムスタンプがありますが、検証していません。",
    "There are timestamps; they were not checked.",
);
pub(super) const SIGNING_TIME_UNREADABLE: Reason = Reason::note(
    "signing_time_unreadable",
    "署名時刻がないか、読めません。",
    "The signing time is missing or unreadable.",
);

/// The reason why a file that is not read as XML is invalid.
pub(super) fn of_xml(error: XmlError) -> Reason {
    match error {
        XmlError::TooLarge
        | XmlError::TooDeep
        | XmlError::TooManyAttributes
        | XmlError::TooManyNodes
        | XmlError::TooManyNamespaces => OVER_LIMITS,
        _ => NOT_XML,
    }
}

/// The reason why a certificate may not have made a signature.
pub(super) fn of_profile(error: &ProfileError) -> Reason {
    match error {
        ProfileError::AuthenticationCertificate => AUTHENTICATION_CERTIFICATE,
        ProfileError::WeakSignature | ProfileError::KeyTooWeak(_) => WEAK_CERTIFICATE,
        ProfileError::NoRole => ROLE_MISSING,
        ProfileError::Pharmacist { .. } | ProfileError::NotPrescriber { .. } => ROLE_NOT_PRESCRIBER,
        ProfileError::NotYetValid { .. } | ProfileError::Expired { .. } => SIGNED_OUTSIDE_VALIDITY,
        _ => CERTIFICATE_PROFILE,
    }
}
