//! The preview as text, laid out as a doctor knows it from paper.

use super::{
    check,
    preview::{Coded, DateText, Drug, Preview, Rp},
    violation::Name,
};

/// A language of what is shown. The document's own words are never translated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lang {
    /// Japanese.
    Ja,
    /// English.
    En,
}

impl Preview {
    /// The whole prescription as plain text, lines ended by LF. Everything that [`Preview`] holds stands in it.
    pub fn to_text(&self, lang: Lang) -> String {
        let mut page = Page { lang, out: String::with_capacity(4096) };
        page.heading("処方箋", "PRESCRIPTION");
        self.dates(&mut page);
        self.institution(&mut page);
        self.patient(&mut page);
        self.insurance(&mut page);
        for rp in &self.rps {
            page.rp(rp);
        }
        page.heading("以下余白・備考", "END OF MEDICATION; REMARKS");
        self.remarks(&mut page);
        if !self.other.is_empty() {
            page.heading("その他（記載のまま）", "OTHER LINES, VERBATIM");
            for line in &self.other {
                page.line(&format!("  [{}] {}", line.line, line.text));
            }
        }
        page.out
    }

    fn dates(&self, page: &mut Page) {
        if let Some(issued) = &self.issued {
            page.row("交付年月日", "Issued", &[&page.date(issued)]);
        }
        if let Some(use_by) = &self.use_by {
            let note = page.pick("（交付日を含め4日以内）", " (4 days including the day of issue)");
            let date = page.date(&use_by.date) + if use_by.computed { note } else { "" };
            page.row("使用期限", "Use by", &[&date]);
        }
        if let Some(uses) = &self.refill {
            page.row(
                "リフィル",
                "Refill",
                &[&format!("{}{uses}{}", page.pick("総使用回数 ", "uses: "), page.pick("回", ""))],
            );
        }
        if let Some(split) = &self.split {
            let text = match page.lang {
                Lang::Ja => format!("{}回に分割のうち{}回目", split.parts, split.part),
                Lang::En => format!("part {} of {}", split.part, split.parts),
            };
            page.row("分割指示", "Split", &[&text]);
        }
        if let Some(number) = &self.number {
            page.row("処方箋番号", "Number", &[&page.coded(number.kind.as_ref()), &number.number]);
        }
    }

    fn institution(&self, page: &mut Page) {
        let from = &self.institution;
        page.heading("医療機関", "INSTITUTION");
        page.row("名称", "Name", &[&from.name, &page.coded(from.kind.as_ref())]);
        page.row("コード", "Code", &[&from.code]);
        page.row("都道府県", "Prefecture", &[&page.coded(from.prefecture.as_ref())]);
        page.row("所在地", "Address", &[&from.postal_code, &from.address]);
        page.row("電話", "Telephone", &[&from.phone]);
        page.row("FAX", "Fax", &[&from.fax]);
        page.row("連絡先", "Contact", &[&from.other_contact]);
        if let Some(department) = &self.department {
            let kind = page.coded(department.kind.as_ref());
            page.row("診療科", "Department", &[&department.name, &department.code, &kind]);
        }
        page.row("医師", "Prescriber", &[&self.prescriber.name, &self.prescriber.kana]);
        page.row("医師コード", "Their code", &[&self.prescriber.code]);
    }

    fn patient(&self, page: &mut Page) {
        let patient = &self.patient;
        page.heading("患者", "PATIENT");
        page.row("氏名", "Name", &[&patient.name, &patient.kana]);
        page.row("性別", "Sex", &[&page.coded(patient.sex.as_ref())]);
        let born = patient.birth_date.as_ref().map(|date| page.date(date)).unwrap_or_default();
        page.row("生年月日", "Born", &[&born]);
        page.row("患者コード", "Code", &[&patient.code]);
        page.row("一部負担", "Copayment", &[&page.coded(patient.copayment.as_ref())]);
    }

    fn insurance(&self, page: &mut Page) {
        let insurance = &self.insurance;
        if *insurance == super::Insurance::default() {
            return;
        }
        page.heading("保険・公費", "INSURANCE");
        page.row("種別", "Kind", &[&page.coded(insurance.kind.as_ref())]);
        page.row("保険者番号", "Insurer", &[&insurance.insurer_number]);
        page.row("記号", "Symbol", &[&insurance.symbol]);
        page.row("番号", "Number", &[&insurance.number]);
        page.row("枝番", "Branch", &[&insurance.branch]);
        page.row("区分", "Insured", &[&page.coded(insurance.insured.as_ref())]);
        page.row("患者負担率", "Patient %", &[&insurance.patient_rate]);
        page.row("保険給付率", "Insurer %", &[&insurance.insurer_rate]);
        page.row("職務上の事由", "Work", &[&page.coded(insurance.work_reason.as_ref())]);
        for expense in &insurance.public_expenses {
            let recipient = page.labelled("受給者", "recipient", &expense.recipient);
            page.row(expense.rank.ja, expense.rank.en, &[&expense.payer, &recipient]);
        }
        page.row("レセプト種別", "Claim code", &[&insurance.claim_code]);
    }

    fn remarks(&self, page: &mut Page) {
        for remark in &self.remarks {
            page.numbered(&remark.serial, &[&page.coded(remark.kind.as_ref()), &remark.text]);
        }
        if let Some(narcotics) = &self.narcotics {
            page.row("麻薬施用者免許", "Narcotics", &[&narcotics.licence]);
            page.row("患者住所", "Patient at", &[&narcotics.address]);
            page.row("患者電話", "Telephone", &[&narcotics.phone]);
        }
        page.row("残薬確認", "Leftovers", &[&page.coded(self.leftover.as_ref())]);
        if !self.clinical.is_empty() || !self.tests.is_empty() {
            page.heading("薬局への提供情報", "INFORMATION FOR THE PHARMACY");
        }
        for note in &self.clinical {
            page.numbered(&note.serial, &[&note.drug, &note.text]);
        }
        for test in &self.tests {
            page.numbered(&test.serial, &[page.pick("検査値", "test result"), &test.text]);
        }
    }
}

struct Page {
    lang: Lang,
    out: String,
}

impl Page {
    fn pick<'s>(&self, ja: &'s str, en: &'s str) -> &'s str {
        match self.lang {
            Lang::Ja => ja,
            Lang::En => en,
        }
    }

    fn name(&self, name: Name) -> &'static str {
        match self.lang {
            Lang::Ja => name.ja,
            Lang::En => name.en,
        }
    }

    fn line(&mut self, text: &str) {
        self.out.push_str(text);
        self.out.push('\n');
    }

    fn heading(&mut self, ja: &str, en: &str) {
        let heading = format!("── {} ", self.pick(ja, en));
        let rest = 60usize.saturating_sub(width(&heading));
        self.line(&(heading + &"─".repeat(rest)));
    }

    /// A label and what of the values is not empty; no row where all are.
    fn row(&mut self, ja: &str, en: &str, values: &[&str]) {
        let value = join(values);
        if !value.is_empty() {
            let label = self.pick(ja, en);
            let gap = 16usize.saturating_sub(width(label)).max(2);
            self.line(&format!("  {label}{}{value}", " ".repeat(gap)));
        }
    }

    fn numbered(&mut self, serial: &str, values: &[&str]) {
        self.line(&format!("  {serial}. {}", join(values)));
    }

    /// A value with its label before it; empty where the value is.
    fn labelled(&self, ja: &str, en: &str, value: &str) -> String {
        if value.is_empty() { String::new() } else { format!("{} {value}", self.pick(ja, en)) }
    }

    /// The meaning, with the code in brackets.
    fn coded(&self, coded: Option<&Coded>) -> String {
        let Some(coded) = coded else { return String::new() };
        match (self.pick(coded.ja, coded.en), self.lang) {
            ("", Lang::Ja) => format!("不明なコード[{}]", coded.code),
            ("", Lang::En) => format!("unknown code [{}]", coded.code),
            (meaning, Lang::Ja) => format!("{meaning}[{}]", coded.code),
            (meaning, Lang::En) => format!("{meaning} [{}]", coded.code),
        }
    }

    /// As written, where it is not a date; else with the Japanese era, or in ISO 8601.
    fn date(&self, date: &DateText) -> String {
        match (self.lang, check::date(&date.text), &date.iso) {
            (Lang::Ja, Some(day), _) => {
                let (era, first_year) = era(day);
                let year = match day.year() - first_year + 1 {
                    1 => "元".to_owned(),
                    year => year.to_string(),
                };
                format!("{}年{}月{}日（{era}{year}年）", day.year(), u8::from(day.month()), day.day())
            }
            (Lang::En, _, Some(iso)) => iso.clone(),
            _ => date.text.clone(),
        }
    }

    fn rp(&mut self, rp: &Rp) {
        let title = format!("Rp {}", rp.number);
        self.heading(&title, &title);
        let unit = self.name(rp.quantity_unit);
        let gap = if self.lang == Lang::En && !unit.is_empty() { " " } else { "" };
        let quantity = match (rp.quantity.as_str(), unit) {
            ("", _) => String::new(),
            (quantity, "") => self.labelled("調剤数量", "quantity", quantity),
            (quantity, unit) => format!("{quantity}{gap}{unit}"),
        };
        let form = self.coded(rp.form.as_ref());
        self.line(&format!("  {}", join(&[&form, &rp.form_name, &quantity])));
        if let Some(split) = &rp.split {
            let text = match self.lang {
                Lang::Ja => format!("今回 {}{unit}／総数量 {}{unit}", split.part, split.total),
                Lang::En => format!("{}{gap}{unit} now, of {}{gap}{unit}", split.part, split.total),
            };
            self.row("分割調剤", "Split", &[&text]);
        }
        for drug in &rp.drugs {
            self.drug(drug);
        }
        if let Some(usage) = &rp.usage {
            self.row("用法", "Usage", &[&usage.name]);
            self.row("1日回数", "Times per day", &[&usage.times_per_day]);
            self.row("用法コード", "Usage code", &[&usage.code, &self.coded(usage.code_kind.as_ref())]);
        }
        for supplement in &rp.supplements {
            let kind = self.coded(supplement.kind.as_ref());
            let code = self.labelled("補足コード", "supplement code", &supplement.code);
            let site = self.labelled("部位コード", "site code", &supplement.site_code);
            self.numbered(&supplement.serial, &[&kind, &supplement.text, &code, &site]);
        }
    }

    fn drug(&mut self, drug: &Drug) {
        let potency = self.coded(drug.potency.as_ref());
        let dose = match self.lang {
            Lang::Ja => format!("{}{}", drug.dose, drug.unit),
            Lang::En => format!("{} {}", drug.dose, drug.unit),
        };
        self.line(&format!("  ({}) {}", drug.serial, join(&[&drug.name, &dose, &potency])));
        for (forbidden, ja, en) in [
            (drug.no_generic, "★後発品への変更不可", "* no change to a generic"),
            (drug.no_other_form, "★剤形の変更不可", "* no change of form"),
            (drug.no_other_strength, "★含量規格の変更不可", "* no change of strength"),
            (drug.brand_at_patients_wish, "★先発医薬品 患者希望", "* original brand at the patient's wish"),
        ] {
            if forbidden {
                let mark = format!("      {}", self.pick(ja, en));
                self.line(&mark);
            }
        }
        let (kind, code_kind) = (self.coded(drug.kind.as_ref()), self.coded(drug.code_kind.as_ref()));
        self.row("  薬品コード", "  Code", &[&drug.code, &code_kind, &kind]);
        if let Some(dose) = &drug.single_dose {
            let times = self.labelled("1日回数", "times per day:", &dose.times_per_day);
            self.row("  1回量", "  Single dose", &[&dose.amount, &times]);
        }
        if let Some(uneven) = &drug.uneven {
            let series = |values: &[String]| {
                let shown: Vec<&str> =
                    values.iter().map(|value| if value.is_empty() { "…" } else { value }).collect();
                shown.join(" - ")
            };
            self.row("  不均等", "  Uneven doses", &[&series(&uneven.doses)]);
            self.row("  不均等コード", "  Their codes", &[&series(&uneven.codes)]);
        }
        if let Some(factor) = &drug.conversion {
            self.row("  単位変換", "  Conversion", &[factor]);
        }
        if let Some(burden) = &drug.burden {
            let bearers = [
                ("第一公費", "first", &burden.first),
                ("第二公費", "second", &burden.second),
                ("第三公費", "third", &burden.third),
                ("特殊公費", "special", &burden.special),
            ];
            let texts: Vec<String> =
                bearers.iter().map(|(ja, en, by)| self.labelled(ja, en, &self.coded(by.as_ref()))).collect();
            self.row("  負担区分", "  Borne by", &texts.iter().map(String::as_str).collect::<Vec<_>>());
        }
        for supplement in &drug.supplements {
            let kind = self.coded(supplement.kind.as_ref());
            let code = self.labelled("補足コード", "supplement code", &supplement.code);
            self.line(&format!("      {}. {}", supplement.serial, join(&[&kind, &supplement.text, &code])));
        }
    }
}

fn join(values: &[&str]) -> String {
    let given: Vec<&str> = values.iter().copied().filter(|value| !value.is_empty()).collect();
    given.join("  ")
}

/// Columns on a terminal: full-width characters take two.
fn width(text: &str) -> usize {
    text.chars().map(|c| if matches!(c, '\0'..='\u{10FF}' | '─' | '★') { 1 } else { 2 }).sum()
}

/// The Japanese era of a day, and its first year.
fn era(day: time::Date) -> (&'static str, i32) {
    match (day.year(), u8::from(day.month()), day.day()) {
        date if date >= (2019, 5, 1) => ("令和", 2019),
        date if date >= (1989, 1, 8) => ("平成", 1989),
        date if date >= (1926, 12, 25) => ("昭和", 1926),
        date if date >= (1912, 7, 30) => ("大正", 1912),
        _ => ("明治", 1868),
    }
}
