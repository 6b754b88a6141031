//! The record table of an e-prescription's CSV (JAHIS 26-101 with the differences of the e-prescription), as data.
//! A new edition of the specification is a change of this file and of [`super::codes`].

use super::{
    codes::{self, Code},
    violation::Name,
};

/// One kind of record.
#[derive(Debug)]
pub(super) struct Record {
    pub(super) number: u16,
    pub(super) name: Name,
    pub(super) scope: Scope,
    pub(super) occurs: Occurs,
    pub(super) fields: &'static [Field],
}

/// What a record belongs to, and so where it stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scope {
    /// The prescription: records 1–82, ascending.
    Prescription,
    /// One RP, named by the first field.
    Rp,
    /// One drug, named by the first field (RP) and the second (serial within the RP).
    Drug,
    /// The prescription again, after the last RP.
    Closing,
}

/// How often a record stands in its scope.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Occurs {
    Required,
    Once,
    Repeated,
}

/// One field of a record.
#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: Name,
    pub(super) need: Need,
    pub(super) class: Class,
    /// Longest value, in characters.
    pub(super) max: usize,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    Required,
    /// At least one of the record's fields that are marked so.
    OneOf,
    Optional,
}

/// What a field's value is made of.
#[derive(Clone, Copy, Debug)]
pub(super) enum Class {
    /// Half-width digits, any number of them.
    Digits,
    /// Half-width digits, exactly the maximum.
    FixedDigits,
    /// Digits with an optional decimal fraction.
    Decimal,
    /// A decimal, or a fraction such as `2/3`.
    Amount,
    /// A date, YYYYMMDD.
    Date,
    /// One of a list.
    Code(&'static [Code]),
    /// One of a list that is not known to be complete: test institutions bear prefecture 99.
    OpenCode(&'static [Code]),
    /// Any characters.
    Any,
    /// Half-width letters and digits.
    Alphanumeric,
    /// Half-width kana (and ASCII, for names that are not Japanese).
    Kana,
    /// Full-width characters.
    FullWidth,
    /// A telephone number.
    Phone,
    /// nnn-nnnn.
    Postal,
}

impl Class {
    /// Whether the longest length is a matter of its own; in the others the form of the value decides.
    pub(super) fn is_counted(self) -> bool {
        use Class::{Amount, Code, Date, Decimal, FixedDigits, OpenCode};
        !matches!(self, Code(_) | OpenCode(_) | FixedDigits | Date | Decimal | Amount)
    }
}

/// The record of this number.
pub(super) fn find(number: u16) -> Option<&'static Record> {
    let at = RECORDS.binary_search_by_key(&number, |record| record.number).ok()?;
    RECORDS.get(at)
}

use Class::{Alphanumeric, Amount, Any, Date, Decimal, Digits, FixedDigits, FullWidth, Kana, Phone, Postal};
use Occurs::{Once, Repeated, Required};
use Scope::{Closing, Drug, Prescription, Rp};

const fn r(
    number: u16,
    ja: &'static str,
    en: &'static str,
    scope: Scope,
    occurs: Occurs,
    fields: &'static [Field],
) -> Record {
    Record { number, name: Name { ja, en }, scope, occurs, fields }
}

const fn field(ja: &'static str, en: &'static str, need: Need, class: Class, max: usize) -> Field {
    Field { name: Name { ja, en }, need, class, max }
}

/// A required field (◎).
const fn req(ja: &'static str, en: &'static str, class: Class, max: usize) -> Field {
    field(ja, en, Need::Required, class, max)
}

/// One of the fields of which at least one is required (●).
const fn one(ja: &'static str, en: &'static str, class: Class, max: usize) -> Field {
    field(ja, en, Need::OneOf, class, max)
}

/// An optional field.
const fn opt(ja: &'static str, en: &'static str, class: Class, max: usize) -> Field {
    field(ja, en, Need::Optional, class, max)
}

/// A required code of one character.
const fn code(ja: &'static str, en: &'static str, list: &'static [Code]) -> Field {
    field(ja, en, Need::Required, Class::Code(list), 1)
}

/// An optional code of one character.
const fn opt_code(ja: &'static str, en: &'static str, list: &'static [Code]) -> Field {
    field(ja, en, Need::Optional, Class::Code(list), 1)
}

const RP: Field = req("RP番号", "RP number", Digits, 3);
const SERIAL_IN_RP: Field = req("RP内連番", "serial within the RP", Digits, 2);
const SERIAL: Field = req("連番", "serial", Digits, 3);
const PAYER: Field = req("負担者番号", "payer number", Digits, 8);
const RECIPIENT: Field = opt("受給者番号", "recipient number", Digits, 7);

/// Every record, ascending. Records 22 and 23 are marked as required in the specification, yet cannot be for those who
/// pay themselves or by public expense alone: `rules` decides.
pub(super) const RECORDS: &[Record] = &[
    r(
        1,
        "医療機関",
        "institution",
        Prescription,
        Required,
        &[
            code("種別", "kind", codes::FACILITY),
            req("医療機関コード", "institution code", FixedDigits, 7),
            field("都道府県", "prefecture", Need::Required, Class::OpenCode(codes::PREFECTURE), 2),
            req("名称", "name", FullWidth, 60),
        ],
    ),
    r(
        2,
        "医療機関所在地",
        "institution's address",
        Prescription,
        Once,
        &[one("郵便番号", "postal code", Postal, 8), one("所在地", "address", FullWidth, 50)],
    ),
    r(
        3,
        "医療機関電話",
        "institution's telephone",
        Prescription,
        Once,
        &[
            req("電話番号", "telephone", Phone, 13),
            opt("FAX番号", "fax", Phone, 13),
            opt("その他連絡先", "other contact", FullWidth, 50),
        ],
    ),
    r(
        4,
        "診療科",
        "department",
        Prescription,
        Once,
        &[
            opt_code("コード種別", "kind of code", codes::DEPARTMENT),
            opt("診療科コード", "department code", Alphanumeric, 3),
            opt("診療科名", "department", FullWidth, 40),
        ],
    ),
    r(
        5,
        "医師",
        "prescriber",
        Prescription,
        Required,
        &[
            opt("医師コード", "prescriber's code", Alphanumeric, 15),
            opt("カナ氏名", "name in kana", Kana, 40),
            req("漢字氏名", "name in kanji", FullWidth, 20),
        ],
    ),
    r(
        11,
        "患者氏名",
        "patient's name",
        Prescription,
        Required,
        &[
            opt("患者コード", "patient's code", Alphanumeric, 15),
            one("漢字氏名", "name in kanji", FullWidth, 20),
            one("カナ氏名", "name in kana", Kana, 40),
        ],
    ),
    r(12, "患者性別", "patient's sex", Prescription, Required, &[code("性別", "sex", codes::SEX)]),
    r(
        13,
        "患者生年月日",
        "patient's date of birth",
        Prescription,
        Required,
        &[req("生年月日", "date of birth", Date, 8)],
    ),
    r(
        14,
        "患者一部負担区分",
        "patient's copayment class",
        Prescription,
        Once,
        &[code("一部負担区分", "copayment class", codes::COPAYMENT)],
    ),
    r(
        21,
        "保険種別",
        "kind of insurance",
        Prescription,
        Once,
        &[code("保険種別", "kind of insurance", codes::INSURANCE)],
    ),
    r(
        22,
        "保険者番号",
        "insurer",
        Prescription,
        Once,
        &[req("保険者番号", "insurer number", Alphanumeric, 14)],
    ),
    r(
        23,
        "記号・番号",
        "insured person's symbol and number",
        Prescription,
        Once,
        &[
            opt("記号", "symbol", FullWidth, 20),
            opt("番号", "number", FullWidth, 20),
            code("被保険者・被扶養者", "insured or dependant", codes::INSURED),
            opt("枝番", "branch number", Digits, 2),
        ],
    ),
    r(
        24,
        "負担・給付率",
        "rates",
        Prescription,
        Once,
        &[
            req("患者負担率", "patient's rate (%)", Digits, 3),
            req("保険給付率", "insurer's rate (%)", Digits, 3),
        ],
    ),
    r(
        25,
        "職務上の事由",
        "work-related reason",
        Prescription,
        Once,
        &[code("職務上の事由", "work-related reason", codes::WORK)],
    ),
    r(27, "第一公費", "first public expense", Prescription, Once, &[PAYER, RECIPIENT]),
    r(28, "第二公費", "second public expense", Prescription, Once, &[PAYER, RECIPIENT]),
    r(29, "第三公費", "third public expense", Prescription, Once, &[PAYER, RECIPIENT]),
    r(
        30,
        "特殊公費",
        "special public expense",
        Prescription,
        Once,
        &[
            req("負担者番号", "payer number", FullWidth, 20),
            opt("受給者番号", "recipient number", FullWidth, 20),
        ],
    ),
    r(
        31,
        "レセプト種別",
        "kind of claim",
        Prescription,
        Once,
        &[req("レセプト種別コード", "claim code", FixedDigits, 4)],
    ),
    r(
        51,
        "処方箋交付年月日",
        "date of issue",
        Prescription,
        Required,
        &[req("交付年月日", "date of issue", Date, 8)],
    ),
    r(52, "使用期限", "use-by date", Prescription, Once, &[opt("使用期限", "use-by date", Date, 8)]),
    r(
        61,
        "麻薬施用",
        "narcotics",
        Prescription,
        Once,
        &[
            opt("免許番号", "licence number", Any, 15),
            req("患者住所", "patient's address", FullWidth, 50),
            req("患者電話番号", "patient's telephone", Phone, 13),
        ],
    ),
    r(62, "残薬確認", "leftover medicine", Prescription, Once, &[code("対応", "action", codes::LEFTOVER)]),
    r(
        63,
        "分割指示",
        "split dispensing",
        Prescription,
        Once,
        &[req("分割回数", "number of parts", Digits, 2), req("分割回", "this part", Digits, 2)],
    ),
    r(64, "リフィル", "refill", Prescription, Once, &[req("総使用回数", "number of uses", Digits, 1)]),
    r(
        81,
        "備考",
        "remark",
        Prescription,
        Repeated,
        &[SERIAL, opt_code("種別", "kind", codes::REMARK), req("備考", "remark", FullWidth, 50)],
    ),
    r(
        82,
        "処方箋番号",
        "prescription number",
        Prescription,
        Once,
        &[
            field("種別", "kind", Need::Required, Class::OpenCode(codes::NUMBER), 1),
            req("番号", "number", Alphanumeric, 16),
        ],
    ),
    r(
        101,
        "剤形",
        "form",
        Rp,
        Required,
        &[
            RP,
            code("剤形区分", "form", codes::FORM),
            opt("剤形名称", "name of the form", FullWidth, 2),
            opt("調剤数量", "quantity", Digits, 3),
        ],
    ),
    r(
        102,
        "分割調剤数量",
        "split quantity",
        Rp,
        Once,
        &[
            RP,
            req("分割回ごとの数量", "quantity of this part", Digits, 3),
            req("総数量", "total quantity", Digits, 3),
        ],
    ),
    r(
        111,
        "用法",
        "usage",
        Rp,
        Required,
        &[
            RP,
            code("用法コード種別", "kind of usage code", codes::USAGE),
            req("用法コード", "usage code", Alphanumeric, 16),
            req("用法名称", "usage", FullWidth, 50),
            opt("1日回数", "times per day", Digits, 2),
        ],
    ),
    r(
        181,
        "用法補足",
        "usage supplement",
        Rp,
        Repeated,
        &[
            RP,
            SERIAL,
            opt_code("区分", "kind", codes::USAGE_SUPPLEMENT),
            req("補足情報", "supplement", FullWidth, 50),
            opt("補足コード", "supplement code", Alphanumeric, 8),
            opt("部位コード", "site code", Alphanumeric, 3),
        ],
    ),
    r(
        201,
        "薬品",
        "drug",
        Drug,
        Required,
        &[
            RP,
            SERIAL_IN_RP,
            code("情報区分", "kind", codes::DRUG),
            code("薬品コード種別", "kind of drug code", codes::DRUG_CODE),
            req("薬品コード", "drug code", Alphanumeric, 13),
            req("薬品名称", "drug", FullWidth, 40),
            req("用量", "dose", Decimal, 12),
            code("力価フラグ", "potency", codes::POTENCY),
            req("単位", "unit", FullWidth, 6),
        ],
    ),
    r(
        211,
        "単位変換",
        "unit conversion",
        Drug,
        Once,
        &[RP, SERIAL_IN_RP, req("係数", "factor", Decimal, 12)],
    ),
    r(
        221,
        "不均等",
        "uneven doses",
        Drug,
        Once,
        &[
            RP,
            SERIAL_IN_RP,
            one("1回目の量", "first dose", Amount, 12),
            one("2回目の量", "second dose", Amount, 12),
            one("3回目の量", "third dose", Amount, 12),
            one("4回目の量", "fourth dose", Amount, 12),
            one("5回目の量", "fifth dose", Amount, 12),
            opt("1回目のコード", "first code", Alphanumeric, 8),
            opt("2回目のコード", "second code", Alphanumeric, 8),
            opt("3回目のコード", "third code", Alphanumeric, 8),
            opt("4回目のコード", "fourth code", Alphanumeric, 8),
            opt("5回目のコード", "fifth code", Alphanumeric, 8),
        ],
    ),
    r(
        231,
        "負担区分",
        "who bears the cost",
        Drug,
        Once,
        &[
            RP,
            SERIAL_IN_RP,
            opt_code("第一公費", "first public expense", codes::BURDEN),
            opt_code("第二公費", "second public expense", codes::BURDEN),
            opt_code("第三公費", "third public expense", codes::BURDEN),
            opt_code("特殊公費", "special public expense", codes::BURDEN),
        ],
    ),
    r(
        241,
        "1回服用量",
        "single dose",
        Drug,
        Once,
        &[RP, SERIAL_IN_RP, req("1回量", "amount", Amount, 12), opt("1日回数", "times per day", Digits, 2)],
    ),
    r(
        281,
        "薬品補足",
        "drug supplement",
        Drug,
        Repeated,
        &[
            RP,
            SERIAL_IN_RP,
            SERIAL,
            opt_code("区分", "kind", codes::DRUG_SUPPLEMENT),
            req("補足情報", "supplement", FullWidth, 50),
            opt("補足コード", "supplement code", Alphanumeric, 8),
        ],
    ),
    r(
        301,
        "提供診療情報",
        "clinical information",
        Closing,
        Repeated,
        &[SERIAL, opt("薬品名称", "drug", FullWidth, 40), req("コメント", "comment", FullWidth, 300)],
    ),
    r(
        302,
        "検査値",
        "test result",
        Closing,
        Repeated,
        &[SERIAL, req("検査値", "test result", FullWidth, 300)],
    ),
];
