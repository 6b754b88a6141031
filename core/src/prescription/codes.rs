//! The code lists of the record table: code → what it means.

use super::violation::Name;

/// One entry of a code list.
#[derive(Debug)]
pub(super) struct Code {
    pub(super) code: &'static str,
    pub(super) name: Name,
}

const fn c(code: &'static str, ja: &'static str, en: &'static str) -> Code {
    Code { code, name: Name { ja, en } }
}

pub(super) const FACILITY: &[Code] =
    &[c("1", "医科", "medical"), c("3", "歯科", "dental"), c("6", "訪問看護", "home-visit nursing")];

pub(super) const DEPARTMENT: &[Code] =
    &[c("1", "コードなし", "no code"), c("2", "診療科コード", "department code")];

pub(super) const SEX: &[Code] = &[c("1", "男", "male"), c("2", "女", "female")];

pub(super) const COPAYMENT: &[Code] = &[
    c("1", "高齢者一般", "elderly, general"),
    c("2", "高齢者7割", "elderly, 70 % covered"),
    c("3", "6歳未満", "under six"),
    c("4", "高齢者一般", "elderly, general"),
    c("5", "高齢者8割", "elderly, 80 % covered"),
];

pub(super) const INSURANCE: &[Code] = &[
    c("1", "医保・公費", "employees' insurance or public expense"),
    c("2", "国保", "national health insurance"),
    c("3", "労災", "workers' compensation"),
    c("4", "自賠責", "automobile liability"),
    c("5", "公害", "pollution-related"),
    c("6", "自費", "self-pay"),
    c("7", "後期高齢者", "late-stage elderly"),
];

pub(super) const INSURED: &[Code] = &[c("1", "被保険者", "insured person"), c("2", "被扶養者", "dependant")];

pub(super) const WORK: &[Code] = &[
    c("1", "職務上", "in the line of duty"),
    c("2", "下船後3月以内", "within three months of disembarking"),
    c("3", "通勤災害", "commuting accident"),
];

pub(super) const LEFTOVER: &[Code] = &[
    c("1", "疑義照会の上調剤", "ask the prescriber, then dispense"),
    c("2", "情報提供", "inform the prescriber"),
];

pub(super) const REMARK: &[Code] =
    &[c("1", "一包化", "one-dose packages"), c("2", "粉砕", "crush"), c("3", "分割", "split")];

pub(super) const NUMBER: &[Code] = &[c("1", "引換番号", "reference number")];

pub(super) const FORM: &[Code] = &[
    c("1", "内服", "internal"),
    c("2", "頓服", "as needed"),
    c("3", "外用", "external"),
    c("4", "内服滴剤", "internal drops"),
    c("5", "注射", "injection"),
    c("6", "医療材料", "medical material"),
    c("9", "不明", "unknown"),
];

pub(super) const USAGE: &[Code] = &[c("3", "電子処方箋用法マスタ", "e-prescription usage master")];

pub(super) const USAGE_SUPPLEMENT: &[Code] = &[
    c("1", "漸減", "tapering"),
    c("2", "一包化", "one-dose packages"),
    c("3", "隔日", "every other day"),
    c("4", "粉砕", "crush"),
    c("5", "用法の続き", "usage, continued"),
    c("6", "部位", "site"),
    c("7", "1回使用量", "amount per use"),
    c("8", "JAMI補足用法", "JAMI supplementary usage"),
    c("9", "JAMI部位", "JAMI site"),
];

pub(super) const DRUG: &[Code] = &[
    c("1", "医薬品", "medicine"),
    c("2", "医療材料", "medical material"),
    c("3", "非保険薬", "not covered by insurance"),
];

pub(super) const DRUG_CODE: &[Code] = &[
    c("2", "レセプト電算コード", "claims code"),
    c("4", "YJコード", "YJ code"),
    c("7", "一般名コード", "generic name code"),
];

pub(super) const POTENCY: &[Code] =
    &[c("1", "薬価単位", "unit of the price list"), c("2", "力価単位", "unit of potency")];

pub(super) const BURDEN: &[Code] = &[c("0", "対象外", "does not bear"), c("1", "対象", "bears")];

pub(super) const DRUG_SUPPLEMENT: &[Code] = &[
    c("1", "一包化", "one-dose packages"),
    c("2", "粉砕", "crush"),
    c("3", "後発品変更不可", "no change to a generic"),
    c("4", "剤形変更不可", "no change of form"),
    c("5", "含量規格変更不可", "no change of strength"),
    c("6", "剤形変更不可及び含量規格変更不可", "no change of form or strength"),
    c("7", "JAMI補足用法", "JAMI supplementary usage"),
    c("8", "先発医薬品患者希望", "original brand at the patient's wish"),
];

pub(super) const PREFECTURE: &[Code] = &[
    c("01", "北海道", "Hokkaido"),
    c("02", "青森県", "Aomori"),
    c("03", "岩手県", "Iwate"),
    c("04", "宮城県", "Miyagi"),
    c("05", "秋田県", "Akita"),
    c("06", "山形県", "Yamagata"),
    c("07", "福島県", "Fukushima"),
    c("08", "茨城県", "Ibaraki"),
    c("09", "栃木県", "Tochigi"),
    c("10", "群馬県", "Gunma"),
    c("11", "埼玉県", "Saitama"),
    c("12", "千葉県", "Chiba"),
    c("13", "東京都", "Tokyo"),
    c("14", "神奈川県", "Kanagawa"),
    c("15", "新潟県", "Niigata"),
    c("16", "富山県", "Toyama"),
    c("17", "石川県", "Ishikawa"),
    c("18", "福井県", "Fukui"),
    c("19", "山梨県", "Yamanashi"),
    c("20", "長野県", "Nagano"),
    c("21", "岐阜県", "Gifu"),
    c("22", "静岡県", "Shizuoka"),
    c("23", "愛知県", "Aichi"),
    c("24", "三重県", "Mie"),
    c("25", "滋賀県", "Shiga"),
    c("26", "京都府", "Kyoto"),
    c("27", "大阪府", "Osaka"),
    c("28", "兵庫県", "Hyogo"),
    c("29", "奈良県", "Nara"),
    c("30", "和歌山県", "Wakayama"),
    c("31", "鳥取県", "Tottori"),
    c("32", "島根県", "Shimane"),
    c("33", "岡山県", "Okayama"),
    c("34", "広島県", "Hiroshima"),
    c("35", "山口県", "Yamaguchi"),
    c("36", "徳島県", "Tokushima"),
    c("37", "香川県", "Kagawa"),
    c("38", "愛媛県", "Ehime"),
    c("39", "高知県", "Kochi"),
    c("40", "福岡県", "Fukuoka"),
    c("41", "佐賀県", "Saga"),
    c("42", "長崎県", "Nagasaki"),
    c("43", "熊本県", "Kumamoto"),
    c("44", "大分県", "Oita"),
    c("45", "宮崎県", "Miyazaki"),
    c("46", "鹿児島県", "Kagoshima"),
    c("47", "沖縄県", "Okinawa"),
];
