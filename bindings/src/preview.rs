//! What the doctor is shown, complete: whatever has no place of its own stands in `Preview.other`. Values stand exactly as in
//! the document; an empty string means that the document leaves the field empty. The records hold a patient's data: show
//! them, never log them.

use hpki_agent::prescription as core;

use crate::{convert::records, violation::FieldName};

records! {
    /// A code and what it means.
    Coded of core::Coded {
        /// The code as written.
        code: String,
        /// Its meaning in Japanese; empty when the table does not have the code.
        ja: String,
        /// Its meaning in English; empty when the table does not have the code.
        en: String,
    }

    /// A date.
    DateText of core::DateText {
        /// As written (YYYYMMDD).
        text: String,
        /// ISO 8601 (YYYY-MM-DD), where it is a real date.
        iso: Option<String>,
    }

    /// The whole prescription, as the doctor is shown it.
    Preview of core::Preview {
        /// Records 1–3.
        institution: Institution,
        /// Record 4.
        department: Option<Department>,
        /// Record 5.
        prescriber: Prescriber,
        /// Records 11–14.
        patient: Patient,
        /// Records 21–31.
        insurance: Insurance,
        /// Record 51.
        issued: Option<DateText>,
        /// Record 52, or three days after the issue.
        use_by: Option<UseBy>,
        /// Record 61.
        narcotics: Option<Narcotics>,
        /// Record 62: what the pharmacy does about leftover medicine.
        leftover: Option<Coded>,
        /// Record 63.
        split: Option<Split>,
        /// Record 64: how often the prescription may be used.
        refill: Option<String>,
        /// Records 81.
        remarks: Vec<Remark>,
        /// Record 82.
        number: Option<PrescriptionNumber>,
        /// Records 101–281.
        rps: Vec<Rp>,
        /// Records 301.
        clinical: Vec<ClinicalNote>,
        /// Records 302.
        tests: Vec<TestResult>,
        /// Every line of which some field has no place above, verbatim.
        other: Vec<OtherLine>,
    }

    /// Records 1–3: the institution.
    Institution of core::Institution {
        /// Medical, dental, home-visit nursing.
        kind: Option<Coded>,
        /// Institution code (7 digits).
        code: String,
        /// Prefecture.
        prefecture: Option<Coded>,
        /// Name.
        name: String,
        /// Postal code.
        postal_code: String,
        /// Address.
        address: String,
        /// Telephone.
        phone: String,
        /// Fax.
        fax: String,
        /// Other contact.
        other_contact: String,
    }

    /// Record 4: the department.
    Department of core::Department {
        /// Whether a department code is given.
        kind: Option<Coded>,
        /// Department code.
        code: String,
        /// Name.
        name: String,
    }

    /// Record 5: who prescribes.
    Prescriber of core::Prescriber {
        /// Code within the institution.
        code: String,
        /// Name in half-width kana.
        kana: String,
        /// Name in kanji.
        name: String,
    }

    /// Records 11–14: the patient.
    Patient of core::Patient {
        /// Code within the institution.
        code: String,
        /// Name in kanji.
        name: String,
        /// Name in half-width kana.
        kana: String,
        /// Sex.
        sex: Option<Coded>,
        /// Date of birth.
        birth_date: Option<DateText>,
        /// Copayment class.
        copayment: Option<Coded>,
    }

    /// Records 21–31: who pays.
    Insurance of core::Insurance {
        /// Kind of insurance.
        kind: Option<Coded>,
        /// Insurer number.
        insurer_number: String,
        /// Symbol of the insured.
        symbol: String,
        /// Number of the insured.
        number: String,
        /// Branch number.
        branch: String,
        /// Insured person or dependant.
        insured: Option<Coded>,
        /// Patient's rate, per cent.
        patient_rate: String,
        /// Insurer's rate, per cent.
        insurer_rate: String,
        /// Work-related reason.
        work_reason: Option<Coded>,
        /// Public expenses, in the order first, second, third, special.
        public_expenses: Vec<PublicExpense>,
        /// Claim code (レセプト種別).
        claim_code: String,
    }

    /// Records 27–30: one public expense.
    PublicExpense of core::PublicExpense {
        /// Which one.
        rank: FieldName,
        /// Payer number.
        payer: String,
        /// Recipient number.
        recipient: String,
    }

    /// Until when the prescription can be used.
    UseBy of core::UseBy {
        /// The last day.
        date: DateText,
        /// Whether it follows from the date of issue (issue + 3 days), record 52 being blank or absent.
        computed: bool,
    }

    /// Record 61: narcotics.
    Narcotics of core::Narcotics {
        /// The prescriber's narcotics licence.
        licence: String,
        /// The patient's address.
        address: String,
        /// The patient's telephone.
        phone: String,
    }

    /// Record 63: split dispensing.
    Split of core::Split {
        /// Into how many parts.
        parts: String,
        /// Which of them this prescription is.
        part: String,
    }

    /// Record 81: a remark.
    Remark of core::Remark {
        /// Serial.
        serial: String,
        /// Kind.
        kind: Option<Coded>,
        /// The remark.
        text: String,
    }

    /// Record 82: a number of the prescription.
    PrescriptionNumber of core::PrescriptionNumber {
        /// Which number.
        kind: Option<Coded>,
        /// The number.
        number: String,
    }

    /// Records 101–181 and the drugs: one RP.
    Rp of core::Rp {
        /// Line of its record 101.
        line: u32,
        /// RP number.
        number: String,
        /// Form.
        form: Option<Coded>,
        /// Name of the form.
        form_name: String,
        /// Quantity: days, times, or as the form has it.
        quantity: String,
        /// What the quantity counts; empty where the form has no such unit.
        quantity_unit: FieldName,
        /// Record 102.
        split: Option<SplitQuantity>,
        /// Record 111.
        usage: Option<Usage>,
        /// Records 181.
        supplements: Vec<UsageSupplement>,
        /// Records 201–281.
        drugs: Vec<Drug>,
    }

    /// Record 102: quantities of a split prescription.
    SplitQuantity of core::SplitQuantity {
        /// Quantity of this part.
        part: String,
        /// Quantity of all the parts.
        total: String,
    }

    /// Record 111: usage.
    Usage of core::Usage {
        /// Kind of usage code.
        code_kind: Option<Coded>,
        /// Usage code (16 characters).
        code: String,
        /// Usage in words.
        name: String,
        /// Times per day.
        times_per_day: String,
    }

    /// Record 181: a supplement of the usage.
    UsageSupplement of core::UsageSupplement {
        /// Serial.
        serial: String,
        /// Kind.
        kind: Option<Coded>,
        /// The supplement.
        text: String,
        /// Supplement code.
        code: String,
        /// Site code.
        site_code: String,
    }

    /// Records 201–281: one drug.
    Drug of core::Drug {
        /// Line of its record 201.
        line: u32,
        /// Serial within the RP.
        serial: String,
        /// Medicine, material, not covered.
        kind: Option<Coded>,
        /// Kind of drug code.
        code_kind: Option<Coded>,
        /// Drug code.
        code: String,
        /// Name.
        name: String,
        /// Dose.
        dose: String,
        /// Whether the dose counts units of the price list or of potency.
        potency: Option<Coded>,
        /// Unit of the dose.
        unit: String,
        /// Record 211: factor between units.
        conversion: Option<String>,
        /// Record 221.
        uneven: Option<Uneven>,
        /// Record 231.
        burden: Option<Burden>,
        /// Record 241.
        single_dose: Option<SingleDose>,
        /// Records 281.
        supplements: Vec<DrugSupplement>,
        /// A record 281 forbids the change to a generic (code 3).
        no_generic: bool,
        /// A record 281 forbids another form (codes 4 and 6).
        no_other_form: bool,
        /// A record 281 forbids another strength (codes 5 and 6).
        no_other_strength: bool,
        /// A record 281 says that the patient wants the original brand (code 8).
        brand_at_patients_wish: bool,
    }

    /// Record 221: doses that differ within a day. As many as the last that is given.
    Uneven of core::Uneven {
        /// First to fifth dose.
        doses: Vec<String>,
        /// First to fifth code.
        codes: Vec<String>,
    }

    /// Record 231: which public expense bears the cost of the drug.
    Burden of core::Burden {
        /// First public expense.
        first: Option<Coded>,
        /// Second public expense.
        second: Option<Coded>,
        /// Third public expense.
        third: Option<Coded>,
        /// Special public expense.
        special: Option<Coded>,
    }

    /// Record 241: a single dose.
    SingleDose of core::SingleDose {
        /// Amount, a decimal or a fraction.
        amount: String,
        /// Times per day.
        times_per_day: String,
    }

    /// Record 281: a supplement of the drug.
    DrugSupplement of core::DrugSupplement {
        /// Serial.
        serial: String,
        /// Kind.
        kind: Option<Coded>,
        /// The supplement.
        text: String,
        /// Supplement code.
        code: String,
    }

    /// Record 301: clinical information for the pharmacy.
    ClinicalNote of core::ClinicalNote {
        /// Serial.
        serial: String,
        /// The drug it is about.
        drug: String,
        /// The comment.
        text: String,
    }

    /// Record 302: a test result for the pharmacy.
    TestResult of core::TestResult {
        /// Serial.
        serial: String,
        /// The result.
        text: String,
    }

    /// A line with something that has no place elsewhere in the preview.
    OtherLine of core::OtherLine {
        /// Line of the CSV, from 1.
        line: u32,
        /// Record number, where the line has one.
        record: Option<u16>,
        /// The whole line.
        text: String,
    }
}
