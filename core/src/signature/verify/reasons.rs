//! Every reason that verification can give.

use super::super::{
    report::Reason,
    timestamp::{AuthorityError, TokenError},
    xml::XmlError,
};
use crate::certificate::{PathError, PathRefusal, ProfileError, RevocationUnknown};

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
    "認められない正規化アルゴリズムが使われています。",
    "A canonicalisation is used that is not accepted.",
);
pub(super) const SIGNATURE_METHOD: Reason = Reason::fails(
    "signature_method_refused",
    "認められない署名アルゴリズムが使われています。",
    "A signature method is used that is not accepted.",
);
pub(super) const DIGEST_METHOD: Reason = Reason::fails(
    "digest_method_refused",
    "認められないハッシュアルゴリズムが使われています。",
    "A digest method is used that is not accepted.",
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
pub(super) const CERTIFICATE_NOT_NAMED: Reason = Reason::fails(
    "certificate_not_named",
    "署名属性が署名者の証明書を示していません。",
    "The signed properties do not name the signer's certificate.",
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
pub(super) const REVOCATION_STALE: Reason = Reason::open(
    "revocation_data_stale",
    "失効リスト（CRL）が検証時刻に有効なものではありません。",
    "The CRL is not one that was in force at the time that counts.",
);
pub(super) const PATH_CONSTRAINTS: Reason = Reason::open(
    "path_constraints",
    "認証パスの証明書が、拡張領域または強度の制約を満たしません。",
    "A certificate of the path does not meet its constraints or is too weak.",
);
pub(super) const CERTIFICATE_TAMPERED: Reason = Reason::fails(
    "certificate_tampered",
    "署名者の証明書が、発行者の鍵で検証できません。",
    "The signer's certificate does not verify with its issuer's key.",
);
pub(super) const TIMESTAMP_STRUCTURE: Reason = Reason::fails(
    "timestamp_structure",
    "タイムスタンプの属性の構造が認められません。",
    "The property that holds the timestamp is not structured as accepted.",
);
pub(super) const TIMESTAMP_FORM: Reason = Reason::fails(
    "timestamp_form",
    "タイムスタンプトークンがCMS SignedDataの形式ではありません。",
    "The timestamp token is not CMS SignedData as RFC 3161 requires.",
);
pub(super) const TIMESTAMP_SIGNERS: Reason = Reason::fails(
    "timestamp_signers",
    "タイムスタンプトークンの署名者が一つではありません。",
    "The timestamp token does not have exactly one signer.",
);
pub(super) const TIMESTAMP_ATTRIBUTES: Reason = Reason::fails(
    "timestamp_attributes",
    "タイムスタンプトークンに必要な署名属性がありません。",
    "The timestamp token lacks a signed attribute that it must have.",
);
pub(super) const TIMESTAMP_CONTENT_TYPE: Reason = Reason::fails(
    "timestamp_content_type",
    "タイムスタンプトークンの内容がTSTInfoではありません。",
    "The content of the timestamp token is not TSTInfo.",
);
pub(super) const TIMESTAMP_ALGORITHM: Reason = Reason::fails(
    "timestamp_algorithm",
    "タイムスタンプに認められないアルゴリズムが使われています。",
    "The timestamp uses an algorithm that is not accepted.",
);
pub(super) const TIMESTAMP_IMPRINT: Reason = Reason::fails(
    "timestamp_imprint",
    "タイムスタンプが対象のデータに対するものではありません。",
    "The timestamp is not one of the data that it must cover.",
);
pub(super) const TIMESTAMP_SIGNATURE: Reason = Reason::fails(
    "timestamp_signature",
    "タイムスタンプトークンの署名を検証できません。改ざんされています。",
    "The signature of the timestamp token does not verify: it was tampered with.",
);
pub(super) const TIMESTAMP_CERTIFICATE_MISSING: Reason = Reason::open(
    "timestamp_certificate_missing",
    "タイムスタンプ局（TSA）の証明書が見つかりません。",
    "The certificate of the time-stamp authority is missing.",
);
pub(super) const TIMESTAMP_CERTIFICATE_MISMATCH: Reason = Reason::fails(
    "timestamp_certificate_mismatch",
    "タイムスタンプトークンが示すTSA証明書と、添付された証明書が一致しません。",
    "The authority's certificate is not the one that the timestamp token names.",
);
pub(super) const TIMESTAMP_PURPOSE: Reason = Reason::fails(
    "timestamp_purpose",
    "TSA証明書の拡張鍵用途が、クリティカルなタイムスタンプ専用ではありません。",
    "The authority's certificate is not critically limited to time-stamping.",
);
pub(super) const TIMESTAMP_OUTSIDE_VALIDITY: Reason = Reason::fails(
    "timestamp_outside_validity",
    "タイムスタンプ時刻がTSA証明書の有効期間外です。",
    "The timestamp lies outside the validity of its authority's certificate.",
);
pub(super) const TIMESTAMP_ORDER: Reason = Reason::open(
    "timestamp_order",
    "タイムスタンプ時刻が、それより後であるべき時刻より後です。",
    "The timestamp is later than the time that it must precede.",
);
pub(super) const TIMESTAMP_PATH_OPEN: Reason = Reason::open(
    "timestamp_path_not_established",
    "TSA証明書から、信頼するタイムスタンプ用ルートまでの認証パスを確立できません。",
    "No path from the time-stamp authority to a root trusted for timestamps could be established.",
);
pub(super) const TIMESTAMP_REVOKED: Reason = Reason::fails(
    "timestamp_certificate_revoked",
    "TSA証明書またはその認証局の証明書は失効しています。",
    "The certificate of the time-stamp authority, or of its CA, is revoked.",
);
pub(super) const TIMESTAMP_REVOCATION_OPEN: Reason = Reason::open(
    "timestamp_revocation_not_established",
    "有効な失効リスト（CRL）がなく、TSA証明書が失効していないことを確認できません。",
    "Without a current CRL it is not established that the time-stamp authority is not revoked.",
);
pub(super) const SIGNING_TIME_LATE: Reason = Reason::note(
    "signing_time_after_timestamp",
    "署名者の示す署名時刻が、タイムスタンプ時刻より後です。",
    "The signing time claimed by the signer is later than the timestamp.",
);
pub(super) const MANAGEMENT_UNSIGNED: Reason = Reason::note(
    "management_unsigned",
    "管理情報（PrescriptionManagement等）は、この署名の対象外です。",
    "Management data (PrescriptionManagement and the like) is not covered by the signature.",
);
pub(super) const ADDITIONAL_UNSIGNED: Reason = Reason::note(
    "additional_information_unsigned",
    "付加情報（AdditionalPrescriptionInformation等）は署名の対象外で、医師が記載したものではありません。",
    "Additional information (AdditionalPrescriptionInformation and the like) is not signed: these are not the doctor's words.",
);
pub(super) const OTHER_UNSIGNED: Reason = Reason::note(
    "other_element_unsigned",
    "署名の対象外の要素が他にあります。",
    "There are other elements that no signature covers.",
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

/// The reason why there is no path.
pub(super) fn of_path(error: &PathError) -> Reason {
    match error {
        PathError::Refused { position: 0, refusal: PathRefusal::Signature } => CERTIFICATE_TAMPERED,
        PathError::Refused { refusal: PathRefusal::NotYetValid(_) | PathRefusal::Expired(_), .. } => {
            PATH_OPEN
        }
        PathError::Refused { .. } => PATH_CONSTRAINTS,
        _ => PATH_OPEN,
    }
}

/// The reason why revocation is not established.
pub(super) fn of_revocation(why: &RevocationUnknown) -> Reason {
    match why {
        RevocationUnknown::Stale { .. } | RevocationUnknown::NotYetValid { .. } => REVOCATION_STALE,
        _ => REVOCATION_OPEN,
    }
}

/// The reason why a token cannot be judged.
pub(super) fn of_token(error: TokenError) -> Reason {
    match error {
        TokenError::Form => TIMESTAMP_FORM,
        TokenError::ContentType => TIMESTAMP_CONTENT_TYPE,
        TokenError::Algorithm => TIMESTAMP_ALGORITHM,
        TokenError::Signers => TIMESTAMP_SIGNERS,
        TokenError::Attributes => TIMESTAMP_ATTRIBUTES,
    }
}

/// The reason why a token's time is not believed.
pub(super) fn of_authority(error: AuthorityError) -> Reason {
    match error {
        AuthorityError::CertificateMissing => TIMESTAMP_CERTIFICATE_MISSING,
        AuthorityError::CertificateMismatch => TIMESTAMP_CERTIFICATE_MISMATCH,
        AuthorityError::Signature => TIMESTAMP_SIGNATURE,
        AuthorityError::OutsideValidity => TIMESTAMP_OUTSIDE_VALIDITY,
        AuthorityError::Purpose => TIMESTAMP_PURPOSE,
        AuthorityError::Revoked => TIMESTAMP_REVOKED,
        AuthorityError::Order => TIMESTAMP_ORDER,
        AuthorityError::Path => TIMESTAMP_PATH_OPEN,
        AuthorityError::RevocationOpen => TIMESTAMP_REVOCATION_OPEN,
    }
}
