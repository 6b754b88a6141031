//! Which elements are the documents of a file, and that nothing else passes for one.

use super::*;

#[test]
fn a_second_dispensing_document_is_refused_wherever_it_stands() {
    let file = dispensing();
    let second = "<DispensingDocument id=\"second\">QQ==</DispensingDocument>";
    for (before, after) in [
        ("<Dispensing id=", "beside the signed element"),
        ("<DispensingSign>", "behind it"),
        ("<ReferencePrescription>", "in it, first"),
        ("</Dispensing>", "in it, last"),
        ("<PrescriptionDocument ", "in the prescription"),
        ("</DispensingSign>", "beside the signature"),
    ] {
        let changed = file.replacen(before, &format!("{second}{before}"), 1);
        assert_ne!(changed, file, "{after}");
        let report = verified(&changed);
        assert_eq!(report.verdict, Verdict::Invalid, "{after}");
    }
    let file = file.replacen("<Dispensing id=", &format!("{second}<Dispensing id="), 1);
    refused(&file, "second_document");
    let within = format!("<DispensingManagement id=\"DispensingManagement\">{second}</DispensingManagement>");
    refused(
        &dispensing().replacen("<DispensingManagement id=\"DispensingManagement\"/>", &within, 1),
        "second_document",
    );
    refused(&signed().replacen("<Prescription>", &format!("{second}<Prescription>"), 1), "second_document");
}

#[test]
fn a_file_is_a_document_of_no_namespace_with_one_body() {
    let file = signed();
    for (part, other) in [
        ("<Document ", "<Document xmlns=\"urn:other\" "),
        ("<Prescription>", "<Dispensing/><Prescription>"),
        ("<Prescription>", "<Prescription/><Prescription>"),
        ("<Prescription>", "<Prescription xmlns=\"urn:other\">"),
    ] {
        refused(&file.replacen(part, other, 1), "not_a_prescription");
    }
    refused(
        &file.replace("Document xmlns", "Documents xmlns").replace("</Document>", "</Documents>"),
        "not_a_prescription",
    );
}

#[test]
fn a_dispensing_file_has_one_signature_over_the_element_of_its_name() {
    let file = dispensing();
    refused(&file.replace("<DispensingSign>", "<DispensingSign/><DispensingSign>"), "not_signed");
    refused(&file.replace("DispensingSign>", "Sign>"), "not_signed");
    refused(&file.replace(" id=\"Dispensing\"", " id=\"Other\""), "document_not_plain");
    refused(&file.replace("<DispensingSign>", "<DispensingSign><Other/>"), "signature_elsewhere");
}
