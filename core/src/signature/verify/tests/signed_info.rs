//! SignedInfo, changed before it is signed: what a doctor's own key has signed is followed or refused, never guessed at.

use super::*;

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const SHA_256: &str = "<ds:DigestMethod Algorithm=\"http://www.w3.org/2001/04/xmlenc#sha256\"/>";
const VALUE: &str = "<ds:DigestValue>[[exc PrescriptionDocument]]</ds:DigestValue>";
const TRANSFORM: &str = "<ds:Transform Algorithm=\"http://www.w3.org/2001/10/xml-exc-c14n#\"/>";

#[track_caller]
fn valid_once_signed(template: &str) {
    let report = verified(completed(template, &[DOCTOR_KEY]));
    assert_eq!((report.verdict, codes(&report)), (Verdict::Valid, vec![]));
}

#[test]
fn it_holds_references_alone_and_no_more_than_a_few() {
    let template = template_b();
    let start = template.find("<ds:Reference URI=\"#Prescription-ki\">").unwrap();
    let (reference, _) = template[start..].split_once("</ds:Reference>").unwrap();
    let reference = format!("{reference}</ds:Reference>");
    let with = |more: usize| {
        let end = "</ds:SignedInfo>";
        completed(&template.replace(end, &format!("{}{end}", reference.repeat(more))), &[DOCTOR_KEY])
    };
    // Eight are read, and the second one of KeyInfo has nothing to bind to; nine are not.
    refused(&with(5), "reference_elsewhere");
    refused(&with(6), "signature_structure");
    let other = reference.replace("ds:Reference", "ds:Manifest");
    refused_though_signed(&reference, &other, "signature_structure");
    let other = reference
        .replace("<ds:Reference", "<Reference xmlns=\"urn:other\"")
        .replace("</ds:Reference", "</Reference");
    refused_though_signed(&reference, &other, "signature_structure");
}

#[test]
fn each_part_of_a_reference_stands_once_and_in_its_namespace() {
    let foreign = |part: &str| part.replace("<ds:", "<x:").replace("</ds:", "</x:");
    let foreign = |part: &str| foreign(part).replacen(' ', " xmlns:x=\"urn:other\" ", 1);
    let transforms = format!("<ds:Transforms>{TRANSFORM}</ds:Transforms>");
    for part in [SHA_256, VALUE, &transforms] {
        refused_though_signed(part, &part.repeat(2), "signature_structure");
        refused_though_signed(part, &format!("{part}<ds:Other/>"), "signature_structure");
    }
    refused_though_signed(SHA_256, &foreign(SHA_256), "signature_structure");
    refused_though_signed(SHA_256, "", "signature_structure");
    refused_though_signed(VALUE, "", "signature_structure");
}

#[test]
fn a_transform_is_one_by_its_name_and_the_enveloped_one_is_empty() {
    let enveloped = format!("<ds:Transform Algorithm=\"{ENVELOPED}\"/>");
    for other in [
        TRANSFORM.replace("ds:Transform ", "ds:Other "),
        TRANSFORM.replace("<ds:Transform ", "<Transform xmlns=\"urn:other\" "),
        format!("{}{TRANSFORM}", enveloped.replace("ds:Transform ", "ds:Other ")),
        format!("{}{TRANSFORM}", enveloped.replace("/>", "><ds:Other/></ds:Transform>")),
    ] {
        refused_though_signed(TRANSFORM, &other, "transform_refused");
    }
}

#[test]
fn only_the_exclusive_form_takes_a_list_of_prefixes_and_only_one() {
    let template = template_b();
    let method = format!("<ds:CanonicalizationMethod Algorithm=\"{EXCLUSIVE}\"/>");
    let list = |prefixes: &str| {
        format!("<ec:InclusiveNamespaces xmlns:ec=\"{EXCLUSIVE}\" PrefixList=\"{prefixes}\"/>")
    };
    let holding = |element: &str, inside: &str| {
        let name = element[1..].split_once(' ').unwrap().0;
        element.replace("/>", &format!(">{inside}</{name}>"))
    };
    for element in [TRANSFORM, &method] {
        valid_once_signed(&template.replacen(element, &holding(element, &list("n8 n9")), 1));
        let inclusive = element.replace(EXCLUSIVE, "http://www.w3.org/TR/2001/REC-xml-c14n-20010315");
        for other in [
            holding(element, &list("n9").repeat(2)),
            holding(element, &list("n9").replace("InclusiveNamespaces", "Other")),
            holding(element, "<ds:InclusiveNamespaces PrefixList=\"n9\"/>"),
            holding(&inclusive, &list("n9")),
        ] {
            refused_though_signed(element, &other, "signature_structure");
        }
    }
    // What is listed is written though nothing uses it, which the digest here is not of.
    refused_though_signed(TRANSFORM, &holding(TRANSFORM, &list("xsi")), "document_changed");
}

#[test]
fn comments_count_in_signed_info_where_its_method_says_so_and_never_under_a_reference() {
    let template = template_b();
    let comments = format!("{EXCLUSIVE}WithComments");
    let transform = TRANSFORM.replace(EXCLUSIVE, &comments);
    let commented = template.replace("<ds:X509Data>", "<ds:X509Data><!-- c -->");
    valid_once_signed(&commented);
    valid_once_signed(&commented.replace(TRANSFORM, &transform));

    let commented = template.replacen("<ds:SignatureMethod", "<!-- c --><ds:SignatureMethod", 1);
    valid_once_signed(&commented);
    let with = commented.replacen(EXCLUSIVE, &comments, 1);
    refused(&completed(&with, &[DOCTOR_KEY]), "signature_value_wrong");
}

#[test]
fn the_signers_certificate_is_looked_for_among_the_first_sixteen() {
    let start = "<ds:X509Data>";
    let before = |count: usize| {
        let other = format!("<ds:X509Certificate>{}</ds:X509Certificate>", base64(PHARMACIST));
        template_b().replace(start, &format!("{start}{}", other.repeat(count)))
    };
    valid_once_signed(&before(15));
    refused(&completed(&before(16), &[DOCTOR_KEY]), "certificate_mismatch");
}
