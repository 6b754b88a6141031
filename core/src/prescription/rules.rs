//! Rules between records: which must be there, and which must agree.

use super::{
    check,
    preview::{DateText, Preview, Rp},
    sheet::Row,
    table::{self, Occurs, Record, Scope},
    violation::{self as rule, Rule, Violation},
};

/// Checks a prescription as a whole.
pub(super) fn check(rows: &[Row<'_>], preview: &Preview, violations: &mut Vec<Violation>) {
    let mut rules = Rules { rows, preview, violations };
    rules.presence();
    rules.insurance();
    rules.dates();
    rules.number();
    rules.refill_and_split();
    rules.split_quantities();
    rules.burden();
}

struct Rules<'c> {
    rows: &'c [Row<'c>],
    preview: &'c Preview,
    violations: &'c mut Vec<Violation>,
}

impl<'c> Rules<'c> {
    fn find(&self, number: u16) -> Option<&'c Row<'c>> {
        self.rows.iter().find(|row| row.number == Some(number))
    }

    /// Reports at the first record of this number, or as its absence.
    fn report(&mut self, rule: &Rule, number: u16) {
        let Some(record) = table::find(number) else { return };
        let violation = match self.find(number) {
            Some(row) => rule.at_record(row.line, record),
            None => rule.for_absent(record),
        };
        self.violations.push(violation);
    }

    fn report_at(&mut self, rule: &Rule, number: u16, line: u32) {
        if let Some(record) = table::find(number) {
            self.violations.push(rule.at_record(line, record));
        }
    }

    fn presence(&mut self) {
        let required =
            |record: &&Record| record.scope == Scope::Prescription && record.occurs == Occurs::Required;
        for record in table::RECORDS.iter().filter(required) {
            if self.find(record.number).is_none() {
                self.violations.push(rule::RECORD_MISSING.for_absent(record));
            }
        }
        if self.preview.rps.is_empty() {
            self.report(&rule::RECORD_MISSING, 101);
        }
        for rp in &self.preview.rps {
            if rp.usage.is_none() {
                self.report_at(&rule::RP_WITHOUT_USAGE, 101, rp.line);
            }
            if rp.drugs.is_empty() {
                self.report_at(&rule::RP_WITHOUT_DRUG, 101, rp.line);
            }
            if counts_days_or_times(rp) && rp.quantity.is_empty() {
                self.report_at(&rule::QUANTITY_MISSING, 101, rp.line);
            }
        }
    }

    /// Records 22 and 23 go together, and only those who are not insured, or whose whole cost public expense bears, have
    /// neither.
    fn insurance(&mut self) {
        let insurance = &self.preview.insurance;
        let (insurer, holder) = (self.find(22).is_some(), self.find(23).is_some());
        let kind = insurance.kind.as_ref().map_or("", |kind| kind.code.as_str());
        let public_expense_alone = matches!(kind, "" | "1") && !insurance.public_expenses.is_empty();
        let must_be_insured = match kind {
            "3" | "4" | "5" | "6" => false,
            "" => insurer || holder,
            _ => !public_expense_alone || holder,
        };
        if must_be_insured && !insurer {
            self.report(&rule::RECORD_MISSING, 22);
        }
        if must_be_insured && !holder && !(insurer && public_expense_alone) {
            self.report(&rule::RECORD_MISSING, 23);
        }
        if kind.is_empty() && !insurer && !holder && !public_expense_alone {
            self.violations.push(rule::INSURANCE_UNKNOWN.in_file());
        }
        if holder && insurance.symbol.is_empty() && insurance.number.is_empty() {
            self.report(&rule::INSURED_WITHOUT_NUMBER, 23);
        }
        let rates = (insurance.patient_rate.parse::<u16>(), insurance.insurer_rate.parse::<u16>());
        if let (Ok(patient), Ok(insurer)) = rates
            && patient.checked_add(insurer) != Some(100)
        {
            self.report(&rule::RATES, 24);
        }
    }

    fn dates(&mut self) {
        let date = |text: &DateText| check::date(&text.text);
        let Some(issued) = self.preview.issued.as_ref().and_then(date) else { return };
        if self.preview.patient.birth_date.as_ref().and_then(date).is_some_and(|born| born > issued) {
            self.report(&rule::BORN_AFTER_ISSUE, 13);
        }
        if self
            .preview
            .use_by
            .as_ref()
            .and_then(|until| date(&until.date))
            .is_some_and(|until| until < issued)
        {
            self.report(&rule::EXPIRES_BEFORE_ISSUE, 52);
        }
    }

    fn number(&mut self) {
        let sixteen_digits = |number: &str| number.len() == 16 && number.bytes().all(|b| b.is_ascii_digit());
        if self.preview.number.as_ref().is_some_and(|n| !n.number.is_empty() && !sixteen_digits(&n.number)) {
            self.report(&rule::REFERENCE_NUMBER, 82);
        }
    }

    fn refill_and_split(&mut self) {
        if let Some(refill) = &self.preview.refill {
            if !matches!(refill.as_str(), "2" | "3") {
                self.report(&rule::REFILL_COUNT, 64);
            }
            if self.preview.split.is_some() {
                self.report(&rule::REFILL_AND_SPLIT, 64);
            }
        }
        if let Some(split) = &self.preview.split {
            let sound = match (split.parts.parse::<u8>(), split.part.parse::<u8>()) {
                (Ok(parts), Ok(part)) => parts >= 2 && (1..=parts).contains(&part),
                _ => false,
            };
            if !sound {
                self.report(&rule::SPLIT_COUNT, 63);
            }
        }
    }

    /// Record 101 carries the total; record 102 repeats it beside the part's own quantity.
    fn split_quantities(&mut self) {
        let split = self.preview.split.is_some();
        let some_given = self.preview.rps.iter().any(|rp| rp.split.is_some());
        if split && !some_given {
            self.report(&rule::SPLIT_QUANTITY_MISSING, 102);
        }
        for rp in &self.preview.rps {
            match &rp.split {
                Some(_) if !split => self.report_at(&rule::SPLIT_MISSING, 102, self.line_of_split(rp)),
                Some(quantity) => {
                    let number = |text: &str| text.parse::<u16>().ok();
                    let total = number(&quantity.total);
                    if total != number(&rp.quantity) || number(&quantity.part) > total {
                        self.report_at(&rule::SPLIT_SUM, 102, self.line_of_split(rp));
                    }
                }
                None if split && some_given && counts_days_or_times(rp) => {
                    self.report_at(&rule::SPLIT_QUANTITY_PARTLY, 101, rp.line);
                }
                None => {}
            }
        }
    }

    fn line_of_split(&self, rp: &Rp) -> u32 {
        let from = self.rows.partition_point(|row| row.line <= rp.line);
        let after = self.rows.get(from..).unwrap_or_default();
        after.iter().find(|row| row.number == Some(102)).map_or(rp.line, |row| row.line)
    }

    fn burden(&mut self) {
        let drugs = || self.preview.rps.iter().flat_map(|rp| &rp.drugs);
        if drugs().any(|drug| drug.burden.is_some()) {
            let lines: Vec<u32> =
                drugs().filter(|drug| drug.burden.is_none()).map(|drug| drug.line).collect();
            for line in lines {
                self.report_at(&rule::BURDEN_PARTLY, 201, line);
            }
        }
    }
}

/// Internal (days) and as-needed (times) medicine have a quantity; for other forms the specification fixes it.
fn counts_days_or_times(rp: &Rp) -> bool {
    !rp.quantity_unit.ja.is_empty()
}
