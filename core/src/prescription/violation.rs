//! What can be wrong with a prescription, all in one list: the code, how severe it is, and what the doctor is told.
//! The official text is not public, so a severity that turns out wrong is changed here and nowhere else.

use std::fmt;

use serde::Serialize;

use super::table::{Field, Record};

/// Whether a violation keeps the prescription from being signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Blocks signing.
    Error,
    /// Shown before signing, and does not block it.
    Warning,
}

/// A name in both languages.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Name {
    /// Japanese.
    pub ja: &'static str,
    /// English.
    pub en: &'static str,
}

/// One thing that is wrong. It names the place and never repeats what stands there: no personal data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Whether it blocks signing.
    pub severity: Severity,
    /// Stable, for programs: lower-case words joined by `_`.
    pub code: &'static str,
    /// Record number (1–302), where the violation belongs to a record.
    pub record: Option<u16>,
    /// Line of the CSV, from 1 (`SJ1`); none for the envelope and for a record that is missing.
    pub line: Option<u32>,
    /// Name of the field, where the violation belongs to one.
    pub field: Option<Name>,
    /// For the doctor, in Japanese, with the place.
    pub message_ja: String,
    /// The same in English.
    pub message_en: String,
}

impl Violation {
    /// Whether it keeps the prescription from being signed.
    pub fn blocks(&self) -> bool {
        self.severity == Severity::Error
    }
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message_en)
    }
}

/// A rule, before it is known where it was broken.
pub(super) struct Rule {
    severity: Severity,
    code: &'static str,
    ja: &'static str,
    en: &'static str,
}

const fn error(code: &'static str, ja: &'static str, en: &'static str) -> Rule {
    Rule { severity: Severity::Error, code, ja, en }
}

const fn warning(code: &'static str, ja: &'static str, en: &'static str) -> Rule {
    Rule { severity: Severity::Warning, code, ja, en }
}

impl Rule {
    /// Broken by the file as a whole.
    pub(super) fn in_file(&self) -> Violation {
        Violation {
            severity: self.severity,
            code: self.code,
            record: None,
            line: None,
            field: None,
            message_ja: self.ja.to_owned(),
            message_en: self.en.to_owned(),
        }
    }

    /// Broken by a line that belongs to no known record.
    pub(super) fn at_line(&self, line: u32) -> Violation {
        Violation {
            line: Some(line),
            message_ja: format!("{line}行目: {}", self.ja),
            message_en: format!("line {line}: {}", self.en),
            ..self.in_file()
        }
    }

    /// Broken by the absence of a record.
    pub(super) fn for_absent(&self, record: &Record) -> Violation {
        Violation {
            record: Some(record.number),
            message_ja: format!("{} {}: {}", record.number, record.name.ja, self.ja),
            message_en: format!("{} {}: {}", record.number, record.name.en, self.en),
            ..self.in_file()
        }
    }

    /// Broken by a record.
    pub(super) fn at_record(&self, line: u32, record: &Record) -> Violation {
        let (number, name) = (record.number, record.name);
        Violation {
            record: Some(number),
            line: Some(line),
            message_ja: format!("{line}行目 {number} {}: {}", name.ja, self.ja),
            message_en: format!("line {line}, {number} {}: {}", name.en, self.en),
            ..self.in_file()
        }
    }

    /// Broken by one field of a record.
    pub(super) fn at_field(&self, line: u32, record: &Record, field: &Field) -> Violation {
        let (number, name) = (record.number, record.name);
        Violation {
            record: Some(number),
            line: Some(line),
            field: Some(field.name),
            message_ja: format!("{line}行目 {number} {}「{}」: {}", name.ja, field.name.ja, self.ja),
            message_en: format!("line {line}, {number} {}, “{}”: {}", name.en, field.name.en, self.en),
            ..self.in_file()
        }
    }
}

// The envelope
pub(super) const XML_BROKEN: Rule = error("xml_broken", "XMLとして読めません", "not well-formed XML");
pub(super) const XML_DTD: Rule =
    error("xml_dtd", "DOCTYPE宣言は許されません", "a DOCTYPE declaration is not allowed");
pub(super) const XML_ENCODING: Rule = error(
    "xml_encoding",
    "XML宣言の文字コードがUTF-8ではありません",
    "the XML declaration names an encoding other than UTF-8",
);
pub(super) const XML_TOO_COMPLEX: Rule = error(
    "xml_too_complex",
    "XMLの構造が複雑すぎます",
    "the XML has too many, too deep or too long elements",
);
pub(super) const XML_UNEXPECTED: Rule = error(
    "xml_unexpected",
    "電子処方箋に定義のないXMLの要素・属性・文字があります",
    "the envelope holds an element, attribute or text that an e-prescription does not have",
);
pub(super) const XML_MISSING: Rule = error(
    "xml_missing",
    "電子処方箋に必要なXMLの要素・属性がありません",
    "the envelope lacks a required element or attribute",
);
pub(super) const XML_DUPLICATE: Rule = error(
    "xml_duplicate",
    "XMLの要素またはidが重複しています",
    "an element or an id of the envelope stands twice",
);
pub(super) const XML_ORDER: Rule =
    error("xml_order", "XMLの要素の順序が違います", "elements of the envelope are out of order");
pub(super) const XML_NAMESPACE: Rule = error(
    "xml_namespace",
    "XMLに余分な名前空間の宣言があります",
    "the envelope declares a namespace that would become part of the signed bytes",
);
pub(super) const SCHEMA_LOCATION: Rule = warning(
    "schema_location",
    "スキーマ名（EP.xsd）がありません",
    "the envelope does not name its schema, EP.xsd",
);
pub(super) const VERSION: Rule =
    error("version", "電子処方箋の版がEPS1.0ではありません", "the version is not EPS1.0");
pub(super) const BASE64: Rule =
    error("base64", "処方内容をbase64として読めません", "the prescription document is not valid base64");
pub(super) const BASE64_SPACE: Rule = warning(
    "base64_space",
    "処方内容のbase64に空白または改行があります",
    "the base64 of the prescription document holds white space",
);
pub(super) const NOT_SIGNED_ID: Rule = warning(
    "not_signed_prescription_id",
    "処方箋IDは署名の対象外です",
    "the PrescriptionId lies outside what is signed",
);
pub(super) const NOT_SIGNED_INFORMATION: Rule = warning(
    "not_signed_additional_information",
    "付加情報は署名の対象外です",
    "the AdditionalPrescriptionInformation lies outside what is signed",
);

// The bytes of the CSV
pub(super) const BOM: Rule = error("bom", "先頭にBOMがあります", "begins with a byte order mark");
pub(super) const TOO_MANY_LINES: Rule = error("too_many_lines", "行数が多すぎます", "too many lines");
pub(super) const HEADER: Rule = error("header", "先頭行が「SJ1」ではありません", "the first line is not SJ1");
pub(super) const CRLF: Rule = error(
    "crlf",
    "改行がCRLFです。LFでなければ電子処方箋管理サービスが受け付けません（EPSB0052E）",
    "lines end in CRLF; the management service takes LF only (EPSB0052E)",
);
pub(super) const EMPTY_LINE: Rule = warning("empty_line", "空行があります", "an empty line");
pub(super) const CONTROL: Rule = error("control_character", "制御文字があります", "a control character");
pub(super) const INVISIBLE: Rule = error(
    "invisible_character",
    "見えない文字または表示の順序を変える文字があります",
    "an invisible character, or one that changes the order of display",
);
pub(super) const GAIJI: Rule = error("gaiji", "外字があります", "a private-use character (gaiji)");
pub(super) const COMBINING: Rule = error(
    "combining_character",
    "前の文字に重なる記号があります",
    "a mark that is drawn over the character before it",
);
pub(super) const VARIANT: Rule =
    warning("variant_character", "異体字の指定があります", "a variation selector");

pub(super) const UNFAMILIAR: Rule = warning(
    "unfamiliar_character",
    "処方箋に通常使われない、ほかの文字と紛らわしい文字があります（文字の番号を添えて表示します）",
    "a character that prescriptions are not written with and that may pass for another; its number stands behind it",
);

// Fields
pub(super) const RECORD_NUMBER: Rule =
    error("record_number", "レコード番号を読めません", "the record number cannot be read");
pub(super) const UNKNOWN_RECORD: Rule = warning(
    "unknown_record",
    "仕様の表にないレコードです",
    "a record that the specification's table does not have",
);
pub(super) const TOO_MANY_FIELDS: Rule = error("too_many_fields", "項目が多すぎます", "too many fields");
pub(super) const SURPLUS_FIELD: Rule = warning(
    "surplus_field",
    "余分な項目があります（値の中に半角カンマがある場合も）",
    "surplus fields (a half-width comma inside a value makes one)",
);
pub(super) const FIELD_MISSING: Rule =
    error("field_missing", "必須の項目がありません", "a required field is missing");
pub(super) const ONE_OF_MISSING: Rule = error(
    "one_of_missing",
    "いずれか一つは必須の項目がありません",
    "at least one of the fields marked ● must be given",
);
pub(super) const FIELD_TOO_LONG: Rule =
    warning("field_too_long", "表の桁数を超えています", "longer than the table allows");
pub(super) const FIELD_ABSURD: Rule = error("field_absurd", "項目が長すぎます", "far too long to be shown");
pub(super) const EDGE_SPACE: Rule =
    warning("edge_space", "前後に空白があります", "white space at the beginning or the end");
pub(super) const NOT_DIGITS: Rule = error("not_digits", "半角数字ではありません", "not half-width digits");
pub(super) const WRONG_DIGITS: Rule = error(
    "wrong_digits",
    "決められた桁数の半角数字ではありません",
    "not the fixed number of half-width digits",
);
pub(super) const BROKEN_NUMBER: Rule = error("broken_number", "数値として読めません", "not a number");
pub(super) const ZERO: Rule = warning("zero_amount", "数量が0です", "the amount is zero");
pub(super) const BROKEN_DATE: Rule =
    error("broken_date", "実在する日付（YYYYMMDD）ではありません", "not a real date (YYYYMMDD)");
pub(super) const UNKNOWN_CODE: Rule = error(
    "unknown_code",
    "コード表にない値です（必須項目）",
    "a required field with a code that the table does not have",
);
pub(super) const UNFAMILIAR_CODE: Rule = warning(
    "unfamiliar_code",
    "コード表にない値です（そのまま表示します）",
    "a code that the table does not have; it is shown as it is",
);
pub(super) const NOT_ALPHANUMERIC: Rule =
    warning("not_alphanumeric", "半角英数字ではありません", "not half-width alphanumeric");
pub(super) const NOT_KANA: Rule = warning("not_kana", "半角カナではありません", "not half-width kana");
pub(super) const NOT_FULL_WIDTH: Rule =
    warning("not_full_width", "全角でない文字があります", "a character that is not full-width");
pub(super) const NOT_A_PHONE: Rule =
    warning("not_a_phone_number", "電話番号の形ではありません", "does not look like a telephone number");
pub(super) const NOT_A_POSTAL_CODE: Rule =
    warning("not_a_postal_code", "郵便番号（nnn-nnnn）の形ではありません", "not a postal code (nnn-nnnn)");

// Structure
pub(super) const RECORD_MISSING: Rule =
    error("record_missing", "必須のレコードがありません", "a required record is missing");
pub(super) const RECORD_REPEATED: Rule = error(
    "record_repeated",
    "一度しか使えないレコードが重複しています",
    "a record that may stand once stands again",
);
pub(super) const ORDER: Rule = error("order", "レコードの順序が違います", "the record is out of order");
pub(super) const CLOSING_EARLY: Rule = warning(
    "closing_record_early",
    "提供情報レコードの後に他のレコードがあります",
    "other records follow the closing records 301 and 302",
);
pub(super) const RP_ORDER: Rule = error("rp_order", "RP番号が昇順ではありません", "RP numbers do not ascend");
pub(super) const RP_UNKNOWN: Rule = error(
    "rp_mismatch",
    "RP番号が属するRPと一致しません",
    "the RP number is not that of the RP in which it stands",
);
pub(super) const DRUG_ORDER: Rule =
    error("drug_order", "RP内連番が昇順ではありません", "serial numbers within the RP do not ascend");
pub(super) const DRUG_UNKNOWN: Rule =
    error("drug_mismatch", "RP内連番に当たる薬品がありません", "no drug of this RP has this serial number");
pub(super) const SERIAL_ORDER: Rule =
    warning("serial_order", "連番が昇順ではありません", "serial numbers do not ascend");
pub(super) const RP_WITHOUT_DRUG: Rule =
    error("rp_without_drug", "RPに薬品がありません", "an RP without a drug");
pub(super) const RP_WITHOUT_USAGE: Rule =
    error("rp_without_usage", "RPに用法がありません", "an RP without usage");

// Between records
pub(super) const INSURANCE_UNKNOWN: Rule = warning(
    "insurance_unknown",
    "保険・公費のレコードがありません",
    "neither insurance nor public expense is stated",
);
pub(super) const INSURED_WITHOUT_NUMBER: Rule = warning(
    "insured_without_number",
    "記号・番号のどちらもありません",
    "neither the symbol nor the number of the insured is given",
);
pub(super) const RATES: Rule = warning(
    "rates",
    "負担率と給付率の合計が100ではありません",
    "the patient's and the insurer's rates do not add up to 100",
);
pub(super) const BORN_AFTER_ISSUE: Rule = error(
    "born_after_issue",
    "生年月日が交付年月日より後です",
    "the patient is born after the date of issue",
);
pub(super) const EXPIRES_BEFORE_ISSUE: Rule = error(
    "expires_before_issue",
    "使用期限が交付年月日より前です",
    "the use-by date is before the date of issue",
);
pub(super) const REFILL_COUNT: Rule =
    error("refill_count", "リフィルの総使用回数は2または3です", "a refill prescription is used 2 or 3 times");
pub(super) const REFILL_AND_SPLIT: Rule = error(
    "refill_and_split",
    "リフィルと分割指示は併用できません",
    "refill and split dispensing exclude each other",
);
pub(super) const SPLIT_COUNT: Rule = error(
    "split_count",
    "分割回数は2以上、分割回はその範囲内です",
    "a prescription is split into 2 or more, and this is one of them",
);
pub(super) const SPLIT_QUANTITY_MISSING: Rule = error(
    "split_quantity_missing",
    "分割指示に対する分割調剤数量がありません",
    "split dispensing without quantities",
);
pub(super) const SPLIT_QUANTITY_PARTLY: Rule =
    warning("split_quantity_partly", "このRPに分割調剤数量がありません", "this RP has no split quantity");
pub(super) const SPLIT_MISSING: Rule = error(
    "split_missing",
    "分割指示（63）がないのに分割調剤数量があります",
    "split quantities without record 63",
);
pub(super) const SPLIT_SUM: Rule = error(
    "split_sum",
    "分割調剤の総数量が調剤数量と合いません",
    "the split's total is not the quantity of record 101, or one part exceeds it",
);
pub(super) const QUANTITY_MISSING: Rule =
    error("quantity_missing", "調剤数量（日数・回数）がありません", "the number of days or times is missing");
pub(super) const BURDEN_PARTLY: Rule = error(
    "burden_partly",
    "負担区分は全薬品に記録するか、全く記録しないかのどちらかです",
    "the burden record is given for some drugs only; it is for all or none",
);
pub(super) const REFERENCE_NUMBER: Rule = warning(
    "reference_number",
    "引換番号が16桁の数字ではありません",
    "the reference number is not 16 digits",
);

// Against the certificate
pub(super) const PRESCRIBER_DIFFERS: Rule = warning(
    "prescriber_differs",
    "医師氏名が証明書の名義と一致しません（旧姓・異体字の場合もあります）",
    "the prescriber's name differs from the certificate's holder (a maiden name or a variant character may be why)",
);
pub(super) const PRESCRIBER_UNCHECKED: Rule = warning(
    "prescriber_unchecked",
    "証明書に漢字氏名がなく、医師氏名と照合できません",
    "the certificate has no name in kanji to compare the prescriber's name with",
);
