//! What the doctor is shown, as data that an app lays out. Values stand exactly as in the document, but for characters that
//! could deceive the eye, whose numbers stand with them; an empty string means that the document leaves the field empty. Whatever has no place of its own stands in [`Preview::other`].

use serde::Serialize;

use super::violation::Name;

/// A code and what it means.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coded {
    /// The code as written.
    pub code: String,
    /// Its meaning in Japanese; empty when the table does not have the code.
    pub ja: &'static str,
    /// Its meaning in English; empty when the table does not have the code.
    pub en: &'static str,
}

/// A date.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DateText {
    /// As written (YYYYMMDD).
    pub text: String,
    /// ISO 8601 (YYYY-MM-DD), where it is a real date.
    pub iso: Option<String>,
}

/// The whole prescription, as the doctor is shown it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Preview {
    /// Records 1–3.
    pub institution: Institution,
    /// Record 4.
    pub department: Option<Department>,
    /// Record 5.
    pub prescriber: Prescriber,
    /// Records 11–14.
    pub patient: Patient,
    /// Records 21–31.
    pub insurance: Insurance,
    /// Record 51.
    pub issued: Option<DateText>,
    /// Record 52, or three days after the issue.
    pub use_by: Option<UseBy>,
    /// Record 61.
    pub narcotics: Option<Narcotics>,
    /// Record 62: what the pharmacy does about leftover medicine.
    pub leftover: Option<Coded>,
    /// Record 63.
    pub split: Option<Split>,
    /// Record 64: how often the prescription may be used.
    pub refill: Option<String>,
    /// Records 81.
    pub remarks: Vec<Remark>,
    /// Record 82.
    pub number: Option<PrescriptionNumber>,
    /// Records 101–281.
    pub rps: Vec<Rp>,
    /// Records 301.
    pub clinical: Vec<ClinicalNote>,
    /// Records 302.
    pub tests: Vec<TestResult>,
    /// Every line of which some field has no place above, verbatim.
    pub other: Vec<OtherLine>,
}

/// Records 1–3: the institution.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Institution {
    /// Medical, dental, home-visit nursing.
    pub kind: Option<Coded>,
    /// Institution code (7 digits).
    pub code: String,
    /// Prefecture.
    pub prefecture: Option<Coded>,
    /// Name.
    pub name: String,
    /// Postal code.
    pub postal_code: String,
    /// Address.
    pub address: String,
    /// Telephone.
    pub phone: String,
    /// Fax.
    pub fax: String,
    /// Other contact.
    pub other_contact: String,
}

/// Record 4: the department.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Department {
    /// Whether a department code is given.
    pub kind: Option<Coded>,
    /// Department code.
    pub code: String,
    /// Name.
    pub name: String,
}

/// Record 5: who prescribes.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Prescriber {
    /// Code within the institution.
    pub code: String,
    /// Name in half-width kana.
    pub kana: String,
    /// Name in kanji.
    pub name: String,
}

/// Records 11–14: the patient.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Patient {
    /// Code within the institution.
    pub code: String,
    /// Name in kanji.
    pub name: String,
    /// Name in half-width kana.
    pub kana: String,
    /// Sex.
    pub sex: Option<Coded>,
    /// Date of birth.
    pub birth_date: Option<DateText>,
    /// Copayment class.
    pub copayment: Option<Coded>,
}

/// Records 21–31: who pays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Insurance {
    /// Kind of insurance.
    pub kind: Option<Coded>,
    /// Insurer number.
    pub insurer_number: String,
    /// Symbol of the insured.
    pub symbol: String,
    /// Number of the insured.
    pub number: String,
    /// Branch number.
    pub branch: String,
    /// Insured person or dependant.
    pub insured: Option<Coded>,
    /// Patient's rate, per cent.
    pub patient_rate: String,
    /// Insurer's rate, per cent.
    pub insurer_rate: String,
    /// Work-related reason.
    pub work_reason: Option<Coded>,
    /// Public expenses, in the order first, second, third, special.
    pub public_expenses: Vec<PublicExpense>,
    /// Claim code (レセプト種別).
    pub claim_code: String,
}

/// Records 27–30: one public expense.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PublicExpense {
    /// Which one.
    pub rank: Name,
    /// Payer number.
    pub payer: String,
    /// Recipient number.
    pub recipient: String,
}

/// Until when the prescription can be used.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UseBy {
    /// The last day.
    pub date: DateText,
    /// Whether it follows from the date of issue (issue + 3 days), record 52 being blank or absent.
    pub computed: bool,
}

/// Record 61: narcotics.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Narcotics {
    /// The prescriber's narcotics licence.
    pub licence: String,
    /// The patient's address.
    pub address: String,
    /// The patient's telephone.
    pub phone: String,
}

/// Record 63: split dispensing.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Split {
    /// Into how many parts.
    pub parts: String,
    /// Which of them this prescription is.
    pub part: String,
}

/// Record 81: a remark.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Remark {
    /// Serial.
    pub serial: String,
    /// Kind.
    pub kind: Option<Coded>,
    /// The remark.
    pub text: String,
}

/// Record 82: a number of the prescription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PrescriptionNumber {
    /// Which number.
    pub kind: Option<Coded>,
    /// The number.
    pub number: String,
}

/// Records 101–181 and the drugs: one RP.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Rp {
    /// Line of its record 101.
    pub line: u32,
    /// RP number.
    pub number: String,
    /// Form.
    pub form: Option<Coded>,
    /// Name of the form.
    pub form_name: String,
    /// Quantity: days, times, or as the form has it.
    pub quantity: String,
    /// What the quantity counts; empty where the form has no such unit.
    pub quantity_unit: Name,
    /// Record 102.
    pub split: Option<SplitQuantity>,
    /// Record 111.
    pub usage: Option<Usage>,
    /// Records 181.
    pub supplements: Vec<UsageSupplement>,
    /// Records 201–281.
    pub drugs: Vec<Drug>,
}

/// Record 102: quantities of a split prescription.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SplitQuantity {
    /// Quantity of this part.
    pub part: String,
    /// Quantity of all the parts.
    pub total: String,
}

/// Record 111: usage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Usage {
    /// Kind of usage code.
    pub code_kind: Option<Coded>,
    /// Usage code (16 characters).
    pub code: String,
    /// Usage in words.
    pub name: String,
    /// Times per day.
    pub times_per_day: String,
}

/// Record 181: a supplement of the usage.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UsageSupplement {
    /// Serial.
    pub serial: String,
    /// Kind.
    pub kind: Option<Coded>,
    /// The supplement.
    pub text: String,
    /// Supplement code.
    pub code: String,
    /// Site code.
    pub site_code: String,
}

/// Records 201–281: one drug.
#[allow(clippy::struct_excessive_bools, reason = "four marks that are independent of each other")]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Drug {
    /// Line of its record 201.
    pub line: u32,
    /// Serial within the RP.
    pub serial: String,
    /// Medicine, material, not covered.
    pub kind: Option<Coded>,
    /// Kind of drug code.
    pub code_kind: Option<Coded>,
    /// Drug code.
    pub code: String,
    /// Name.
    pub name: String,
    /// Dose.
    pub dose: String,
    /// Whether the dose counts units of the price list or of potency.
    pub potency: Option<Coded>,
    /// Unit of the dose.
    pub unit: String,
    /// Record 211: factor between units.
    pub conversion: Option<String>,
    /// Record 221.
    pub uneven: Option<Uneven>,
    /// Record 231.
    pub burden: Option<Burden>,
    /// Record 241.
    pub single_dose: Option<SingleDose>,
    /// Records 281.
    pub supplements: Vec<DrugSupplement>,
    /// A record 281 forbids the change to a generic (code 3).
    pub no_generic: bool,
    /// A record 281 forbids another form (codes 4 and 6).
    pub no_other_form: bool,
    /// A record 281 forbids another strength (codes 5 and 6).
    pub no_other_strength: bool,
    /// A record 281 says that the patient wants the original brand (code 8).
    pub brand_at_patients_wish: bool,
}

/// Record 221: doses that differ within a day. As many as the last that is given.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Uneven {
    /// First to fifth dose.
    pub doses: Vec<String>,
    /// First to fifth code.
    pub codes: Vec<String>,
}

/// Record 231: which public expense bears the cost of the drug.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Burden {
    /// First public expense.
    pub first: Option<Coded>,
    /// Second public expense.
    pub second: Option<Coded>,
    /// Third public expense.
    pub third: Option<Coded>,
    /// Special public expense.
    pub special: Option<Coded>,
}

/// Record 241: a single dose.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct SingleDose {
    /// Amount, a decimal or a fraction.
    pub amount: String,
    /// Times per day.
    pub times_per_day: String,
}

/// Record 281: a supplement of the drug.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct DrugSupplement {
    /// Serial.
    pub serial: String,
    /// Kind.
    pub kind: Option<Coded>,
    /// The supplement.
    pub text: String,
    /// Supplement code.
    pub code: String,
}

/// Record 301: clinical information for the pharmacy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct ClinicalNote {
    /// Serial.
    pub serial: String,
    /// The drug it is about.
    pub drug: String,
    /// The comment.
    pub text: String,
}

/// Record 302: a test result for the pharmacy.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TestResult {
    /// Serial.
    pub serial: String,
    /// The result.
    pub text: String,
}

/// A line with something that has no place elsewhere in the preview.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct OtherLine {
    /// Line of the CSV, from 1.
    pub line: u32,
    /// Record number, where the line has one.
    pub record: Option<u16>,
    /// The whole line.
    pub text: String,
}
