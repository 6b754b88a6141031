//! Rows → [`Preview`], watching the structure on the way: order of records, RP numbers, serials. Each field that finds
//! its place is marked; a row with a field left unmarked is shown verbatim, so nothing can be hidden.

use super::{
    check,
    codes::Code,
    preview::{
        Burden, ClinicalNote, Coded, DateText, Department, Drug, DrugSupplement, Narcotics, OtherLine,
        PrescriptionNumber, Preview, PublicExpense, Remark, Rp, SingleDose, Split, SplitQuantity, TestResult,
        Uneven, Usage, UsageSupplement, UseBy,
    },
    sheet::{self, Row},
    table::{Class, Occurs, Record, Scope},
    violation::{self as rule, Name, Rule, Violation},
};

/// Builds the preview and reports what is wrong with the structure.
pub(super) fn preview(rows: &[Row<'_>], violations: &mut Vec<Violation>) -> Preview {
    let mut builder = Builder {
        preview: Preview::default(),
        violations,
        seen: 0,
        stage: Stage::Head,
        last: 0,
        closing: None,
    };
    for row in rows {
        let mut taker = Taker { row, taken: 0 };
        if let Some(record) = row.record {
            builder.place(record, &mut taker);
        }
        taker.leave_rest_to(&mut builder.preview.other);
    }
    let mut preview = builder.preview;
    if preview.use_by.is_none() {
        preview.use_by = preview.issued.as_ref().and_then(three_days_after);
    }
    preview
}

fn three_days_after(issued: &DateText) -> Option<UseBy> {
    let last = check::date(&issued.text)?.checked_add(time::Duration::days(3))?;
    let text = format!("{:04}{:02}{:02}", last.year(), u8::from(last.month()), last.day());
    Some(UseBy { date: date_text(text), computed: true })
}

fn date_text(text: String) -> DateText {
    let iso =
        check::date(&text).map(|d| format!("{:04}-{:02}-{:02}", d.year(), u8::from(d.month()), d.day()));
    DateText { text, iso }
}

/// Takes fields out of a row, and remembers which.
struct Taker<'r, 'a> {
    row: &'r Row<'a>,
    /// Bit n: field n has its place in the preview.
    taken: u32,
}

impl Taker<'_, '_> {
    fn text(&mut self, index: usize) -> String {
        self.mark(index);
        sheet::visible(self.row, self.row.field(index))
    }

    fn coded(&mut self, index: usize) -> Option<Coded> {
        self.mark(index);
        let value = self.row.field(index);
        if value.is_empty() {
            return None;
        }
        let list: &[Code] = match self.row.record.and_then(|record| record.fields.get(index)).map(|f| f.class)
        {
            Some(Class::Code(list) | Class::OpenCode(list)) => list,
            _ => &[],
        };
        let name = list.iter().find(|known| known.code == value).map_or(Name::default(), |known| known.name);
        Some(Coded { code: sheet::visible(self.row, value), ja: name.ja, en: name.en })
    }

    fn date(&mut self, index: usize) -> DateText {
        date_text(self.text(index))
    }

    /// Marks a key (RP number, serial) as placed, when it is written exactly as where it is shown.
    fn key(&mut self, index: usize, shown: &str) {
        if self.row.field(index) == shown {
            self.mark(index);
        }
    }

    fn mark(&mut self, index: usize) {
        self.taken |= 1 << index;
    }

    fn leave_rest_to(self, other: &mut Vec<OtherLine>) {
        let left = |(index, value): (usize, &&str)| !value.is_empty() && self.taken & (1 << index) == 0;
        if self.row.record.is_none() || self.row.fields.iter().enumerate().any(left) {
            other.push(OtherLine {
                line: self.row.line,
                record: self.row.number,
                text: sheet::visible(self.row, self.row.text),
            });
        }
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    Head,
    Rp,
    Drug,
}

struct Builder<'v> {
    preview: Preview,
    violations: &'v mut Vec<Violation>,
    /// Bit n: record n of the head has its place.
    seen: u128,
    stage: Stage,
    /// Number of the last record of this stage.
    last: u16,
    /// Line and record of the last closing record, while nothing has followed it.
    closing: Option<(u32, &'static Record)>,
}

impl Builder<'_> {
    fn place(&mut self, record: &'static Record, row: &mut Taker<'_, '_>) {
        if record.scope == Scope::Closing {
            self.closing = Some((row.row.line, record));
            return self.place_closing(record, row);
        }
        if let Some((line, closing)) = self.closing.take() {
            self.violations.push(rule::CLOSING_EARLY.at_record(line, closing));
        }
        let in_order = match (record.scope, record.number) {
            (_, 101) => true,
            (_, 201) => self.stage >= Stage::Rp,
            (Scope::Prescription, number) => self.stage == Stage::Head && number >= self.last,
            (Scope::Rp, number) => self.stage == Stage::Rp && number >= self.last,
            (_, number) => self.stage == Stage::Drug && number >= self.last,
        };
        if in_order {
            self.last = record.number;
        } else {
            self.report(&rule::ORDER, record, row);
        }
        match (record.scope, record.number) {
            (Scope::Prescription, _) => self.place_head(record, row),
            (_, 101) => self.open_rp(record, row),
            (_, 201) => self.open_drug(record, row),
            (Scope::Rp, _) => self.place_in_rp(record, row),
            _ => self.place_in_drug(record, row),
        }
    }

    fn report(&mut self, rule: &Rule, record: &Record, row: &Taker<'_, '_>) {
        self.violations.push(rule.at_record(row.row.line, record));
    }

    fn place_head(&mut self, record: &'static Record, row: &mut Taker<'_, '_>) {
        let bit = 1u128.checked_shl(record.number.into()).unwrap_or(0);
        if record.occurs != Occurs::Repeated && self.seen & bit != 0 {
            return self.report(&rule::RECORD_REPEATED, record, row);
        }
        self.seen |= bit;
        let Preview { institution, prescriber, patient, insurance, .. } = &mut self.preview;
        match record.number {
            1 => {
                institution.kind = row.coded(0);
                institution.code = row.text(1);
                institution.prefecture = row.coded(2);
                institution.name = row.text(3);
            }
            2 => (institution.postal_code, institution.address) = (row.text(0), row.text(1)),
            3 => {
                (institution.phone, institution.fax) = (row.text(0), row.text(1));
                institution.other_contact = row.text(2);
            }
            4 => {
                self.preview.department =
                    Some(Department { kind: row.coded(0), code: row.text(1), name: row.text(2) });
            }
            5 => {
                (prescriber.code, prescriber.kana, prescriber.name) = (row.text(0), row.text(1), row.text(2));
            }
            11 => (patient.code, patient.name, patient.kana) = (row.text(0), row.text(1), row.text(2)),
            12 => patient.sex = row.coded(0),
            13 => patient.birth_date = Some(row.date(0)),
            14 => patient.copayment = row.coded(0),
            21 => insurance.kind = row.coded(0),
            22 => insurance.insurer_number = row.text(0),
            23 => {
                (insurance.symbol, insurance.number) = (row.text(0), row.text(1));
                (insurance.insured, insurance.branch) = (row.coded(2), row.text(3));
            }
            24 => (insurance.patient_rate, insurance.insurer_rate) = (row.text(0), row.text(1)),
            25 => insurance.work_reason = row.coded(0),
            27..=30 => insurance.public_expenses.push(PublicExpense {
                rank: record.name,
                payer: row.text(0),
                recipient: row.text(1),
            }),
            31 => insurance.claim_code = row.text(0),
            51 => self.preview.issued = Some(row.date(0)),
            52 if row.row.field(0).is_empty() => {}
            52 => self.preview.use_by = Some(UseBy { date: row.date(0), computed: false }),
            61 => {
                self.preview.narcotics =
                    Some(Narcotics { licence: row.text(0), address: row.text(1), phone: row.text(2) });
            }
            62 => self.preview.leftover = row.coded(0),
            63 => self.preview.split = Some(Split { parts: row.text(0), part: row.text(1) }),
            64 => self.preview.refill = Some(row.text(0)),
            81 => {
                let previous = self.preview.remarks.last().and_then(|remark| value(&remark.serial));
                self.check_serial(previous, 0, record, row);
                self.preview.remarks.push(Remark {
                    serial: row.text(0),
                    kind: row.coded(1),
                    text: row.text(2),
                });
            }
            82 => self.preview.number = Some(PrescriptionNumber { kind: row.coded(0), number: row.text(1) }),
            _ => {}
        }
    }

    fn open_rp(&mut self, record: &'static Record, row: &mut Taker<'_, '_>) {
        let number = row.text(0);
        if self.preview.rps.last().is_some_and(|last| value(&number) <= value(&last.number)) {
            self.report(&rule::RP_ORDER, record, row);
        }
        let form = row.coded(1);
        let quantity_unit = quantity_unit(form.as_ref().map_or("", |form| form.code.as_str()));
        self.preview.rps.push(Rp {
            line: row.row.line,
            number,
            form,
            form_name: row.text(2),
            quantity: row.text(3),
            quantity_unit,
            ..Rp::default()
        });
        self.stage = Stage::Rp;
    }

    /// The RP that a row belongs to: the last one, if it bears the row's number.
    fn rp<'p>(preview: &'p mut Preview, row: &mut Taker<'_, '_>) -> Option<&'p mut Rp> {
        let rp = preview.rps.last_mut().filter(|rp| value(&rp.number) == value(row.row.field(0)))?;
        row.key(0, &rp.number);
        Some(rp)
    }

    fn place_in_rp(&mut self, record: &'static Record, row: &mut Taker<'_, '_>) {
        let Some(rp) = Self::rp(&mut self.preview, row) else {
            return self.report(&rule::RP_UNKNOWN, record, row);
        };
        match record.number {
            102 if rp.split.is_none() => {
                rp.split = Some(SplitQuantity { part: row.text(1), total: row.text(2) });
            }
            111 if rp.usage.is_none() => {
                rp.usage = Some(Usage {
                    code_kind: row.coded(1),
                    code: row.text(2),
                    name: row.text(3),
                    times_per_day: row.text(4),
                });
            }
            181 => {
                let previous = rp.supplements.last().and_then(|s| value(&s.serial));
                rp.supplements.push(UsageSupplement {
                    serial: row.text(1),
                    kind: row.coded(2),
                    text: row.text(3),
                    code: row.text(4),
                    site_code: row.text(5),
                });
                self.check_serial(previous, 1, record, row);
            }
            _ => self.report(&rule::RECORD_REPEATED, record, row),
        }
    }

    fn open_drug(&mut self, record: &'static Record, row: &mut Taker<'_, '_>) {
        self.stage = Stage::Drug;
        let Some(rp) = Self::rp(&mut self.preview, row) else {
            return self.report(&rule::RP_UNKNOWN, record, row);
        };
        let serial = row.text(1);
        let ascends = rp.drugs.last().is_none_or(|last| value(&serial) > value(&last.serial));
        rp.drugs.push(Drug {
            line: row.row.line,
            serial,
            kind: row.coded(2),
            code_kind: row.coded(3),
            code: row.text(4),
            name: row.text(5),
            dose: row.text(6),
            potency: row.coded(7),
            unit: row.text(8),
            ..Drug::default()
        });
        if !ascends {
            self.report(&rule::DRUG_ORDER, record, row);
        }
    }

    fn place_in_drug(&mut self, record: &'static Record, row: &mut Taker<'_, '_>) {
        let Some(rp) = Self::rp(&mut self.preview, row) else {
            return self.report(&rule::RP_UNKNOWN, record, row);
        };
        let serial = value(row.row.field(1));
        let Some(drug) = rp.drugs.iter_mut().rev().find(|drug| value(&drug.serial) == serial) else {
            return self.report(&rule::DRUG_UNKNOWN, record, row);
        };
        row.key(1, &drug.serial);
        match record.number {
            211 if drug.conversion.is_none() => drug.conversion = Some(row.text(2)),
            221 if drug.uneven.is_none() => {
                drug.uneven = Some(Uneven { doses: series(row, 2), codes: series(row, 7) });
            }
            231 if drug.burden.is_none() => {
                drug.burden = Some(Burden {
                    first: row.coded(2),
                    second: row.coded(3),
                    third: row.coded(4),
                    special: row.coded(5),
                });
            }
            241 if drug.single_dose.is_none() => {
                drug.single_dose = Some(SingleDose { amount: row.text(2), times_per_day: row.text(3) });
            }
            281 => {
                let previous = drug.supplements.last().and_then(|s| value(&s.serial));
                supplement(drug, row);
                self.check_serial(previous, 2, record, row);
            }
            _ => self.report(&rule::RECORD_REPEATED, record, row),
        }
    }

    fn place_closing(&mut self, record: &'static Record, row: &mut Taker<'_, '_>) {
        let Preview { clinical, tests, .. } = &mut self.preview;
        let previous = if record.number == 301 {
            let previous = clinical.last().and_then(|note| value(&note.serial));
            clinical.push(ClinicalNote { serial: row.text(0), drug: row.text(1), text: row.text(2) });
            previous
        } else {
            let previous = tests.last().and_then(|test| value(&test.serial));
            tests.push(TestResult { serial: row.text(0), text: row.text(1) });
            previous
        };
        self.check_serial(previous, 0, record, row);
    }

    fn check_serial(&mut self, previous: Option<u16>, at: usize, record: &Record, row: &Taker<'_, '_>) {
        if previous.is_some() && value(row.row.field(at)) <= previous {
            self.report(&rule::SERIAL_ORDER, record, row);
        }
    }
}

/// The value of a number of a few digits; none for anything else.
fn value(text: &str) -> Option<u16> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// What record 101's quantity counts.
fn quantity_unit(form: &str) -> Name {
    match form {
        "1" => Name { ja: "日分", en: "days" },
        "2" => Name { ja: "回分", en: "times" },
        _ => Name::default(),
    }
}

/// Five fields from `from`, up to the last that is not empty.
fn series(row: &mut Taker<'_, '_>, from: usize) -> Vec<String> {
    let mut values: Vec<String> = (from..from + 5).map(|index| row.text(index)).collect();
    while values.last().is_some_and(String::is_empty) {
        values.pop();
    }
    values
}

fn supplement(drug: &mut Drug, row: &mut Taker<'_, '_>) {
    let kind = row.coded(3);
    match kind.as_ref().map(|kind| kind.code.as_str()) {
        Some("3") => drug.no_generic = true,
        Some("4") => drug.no_other_form = true,
        Some("5") => drug.no_other_strength = true,
        Some("6") => (drug.no_other_form, drug.no_other_strength) = (true, true),
        Some("8") => drug.brand_at_patients_wish = true,
        _ => {}
    }
    drug.supplements.push(DrugSupplement { serial: row.text(2), kind, text: row.text(4), code: row.text(5) });
}
