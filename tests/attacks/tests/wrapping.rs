//! A genuine signature, made to vouch for something else (XML signature wrapping), and the readers of one file made to
//! see different things.

use attacks::files::{
    DISPENSED, DSIG, GENUINE, ID, assert_genuine, assert_never_forged, assert_refused, base64, codes,
    completed, dispensing_template, document, envelope, forged, form_a, form_b, judged, notes, template,
};
use hpki_agent::{prescription::Prescription, signature::Verdict};

/// A file around its PrescriptionDocument.
fn around(file: &str) -> (&str, &str) {
    let (before, rest) = file.split_once("<PrescriptionDocument").unwrap();
    (before, rest.split_once("</PrescriptionDocument>").unwrap().1)
}

fn genuine() -> String {
    document(GENUINE, ID)
}

/// Every place in which a signed element could be hidden from a reader of prescriptions.
fn hidden(file: &str, element: &str) -> Vec<String> {
    let ds = if file.contains("xmlns:xs=") { "xs" } else { "ds" };
    let object = format!("<{ds}:Object>{element}</{ds}:Object></{ds}:Signature>");
    let unsigned = format!(
        "<u:UnsignedProperties xmlns:u=\"http://uri.etsi.org/01903/v1.3.2#\"><u:UnsignedSignatureProperties>{element}\
         </u:UnsignedSignatureProperties></u:UnsignedProperties>"
    );
    let additional = format!(
        "<AdditionalPrescriptionInformation id=\"AdditionalPrescriptionInformation\">{element}\
         </AdditionalPrescriptionInformation><PrescriptionSign>"
    );
    let manifest =
        format!("<{ds}:Object><{ds}:Manifest>{element}</{ds}:Manifest></{ds}:Object></{ds}:Signature>");
    [
        ("<PrescriptionSign>", additional.as_str()),
        ("</PrescriptionManagement>", &format!("{element}</PrescriptionManagement>")),
        ("<Prescription>", &format!("{element}<Prescription>")),
        ("</Document>", &format!("{element}</Document>")),
        ("</Document>", &format!("<Wrapper>{element}</Wrapper></Document>")),
        ("</PrescriptionSign>", &format!("{element}</PrescriptionSign>")),
        (&format!("</{ds}:Signature>"), &object),
        (&format!("</{ds}:Signature>"), &manifest),
        ("</xades:SignedProperties>", &format!("</xades:SignedProperties>{unsigned}")),
        ("</xa:SignedProperties>", &format!("</xa:SignedProperties>{unsigned}")),
    ]
    .into_iter()
    .filter(|(place, _)| file.contains(place))
    .map(|(place, with)| file.replacen(place, with, 1))
    .collect()
}

#[test]
fn untouched_files_of_both_forms_are_genuine() {
    assert_genuine(form_a());
    assert_genuine(form_b());
}

#[test]
fn a_signed_element_moved_anywhere_does_not_vouch_for_what_stands_in_its_place() {
    let mut tried = 0;
    for file in [form_a(), form_b()] {
        let (before, after) = around(&file);
        for attributes in
            ["", ID, " id=\"other\"", " Id=\"PrescriptionDocument\"", " xml:id=\"PrescriptionDocument\""]
        {
            let replaced = format!("{before}{}{after}", document(&forged(), attributes));
            for attack in hidden(&replaced, &genuine()) {
                assert_refused(
                    &attack,
                    &[
                        "document_not_plain",
                        "second_document",
                        "duplicate_id",
                        "signature_elsewhere",
                        "key_info_changed",
                    ],
                );
                tried += 1;
            }
        }
    }
    assert_eq!(tried, 2 * 5 * 9);
}

#[test]
fn a_copy_under_another_name_with_the_signed_id_is_refused() {
    let renamed = |name: &str| {
        genuine()
            .replace("PrescriptionDocument ", &format!("{name} "))
            .replace("</PrescriptionDocument", &format!("</{name}"))
    };
    for file in [form_a(), form_b()] {
        let (before, after) = around(&file);
        let replaced = format!("{before}{}{after}", document(&forged(), ID));
        for name in ["Copy", "prescriptionDocument", "PRESCRIPTIONDOCUMENT", "PrescriptionDocument2"] {
            for attack in hidden(&replaced, &renamed(name)) {
                assert_refused(&attack, &["duplicate_id", "signature_elsewhere"]);
            }
        }
    }
}

#[test]
fn an_id_that_stands_twice_is_refused_whatever_its_case_or_namespace() {
    for file in [form_a(), form_b()] {
        for attribute in ["id", "Id", "ID", "iD", "xml:id"] {
            for element in ["Prescription", "PrescriptionSign"] {
                let attack = file.replacen(
                    &format!("<{element}>"),
                    &format!("<{element} {attribute}=\"PrescriptionDocument\">"),
                    1,
                );
                assert_ne!(attack, file);
                assert_refused(&attack, &["duplicate_id"]);
            }
        }
        // What is no id for any reader of the standard changes nothing of what is read.
        let foreign = file.replacen(
            "<PrescriptionSign>",
            "<PrescriptionSign w:Id=\"PrescriptionDocument\" xmlns:w=\"http://docs.oasis-open.org/wss\">",
            1,
        );
        assert_never_forged(&foreign);
    }
}

#[test]
fn a_second_prescription_document_is_refused_before_after_and_inside_the_first() {
    for file in [form_a(), form_b()] {
        for attributes in ["", ID, " id=\"second\""] {
            let second = document(&forged(), attributes);
            for (at, with) in [
                ("<PrescriptionDocument", format!("{second}<PrescriptionDocument")),
                ("</PrescriptionDocument>", format!("</PrescriptionDocument>{second}")),
                ("</PrescriptionDocument>", format!("{second}</PrescriptionDocument>")),
                ("<Prescription>", format!("<Prescription>{second}</Prescription><Prescription>")),
                ("</Prescription>", format!("</Prescription><Prescription>{second}</Prescription>")),
                ("</Prescription>", format!("<Prescription>{second}</Prescription></Prescription>")),
            ] {
                assert_refused(
                    file.replacen(at, &with, 1),
                    &["not_a_prescription", "document_not_plain", "second_document", "duplicate_id"],
                );
            }
        }
        let foreign = format!(
            "<f:PrescriptionDocument xmlns:f=\"urn:f\">{}</f:PrescriptionDocument>",
            base64(forged())
        );
        for attack in hidden(&file, &foreign) {
            assert_refused(&attack, &["second_document", "signature_elsewhere"]);
        }
    }
}

#[test]
fn a_genuine_file_carried_whole_inside_another_is_refused() {
    let inner = form_b();
    let (_, inner) = inner.split_once("?>").unwrap();
    let forged = envelope("").replace(&genuine(), &document(&forged(), ID));
    let sign = |content: &str| format!("<PrescriptionSign>{content}</PrescriptionSign></Prescription>");
    for attack in [
        forged.replace("</Document>", &format!("{inner}</Document>")),
        forged.replace("</Prescription>", &sign(inner)),
        forged.replace(
            "</Prescription>",
            &sign(&format!(
                "<ds:Signature xmlns:ds=\"{DSIG}\"><ds:Object>{inner}</ds:Object></ds:Signature>"
            )),
        ),
    ] {
        assert_refused(
            &attack,
            &["not_signed", "not_a_prescription", "second_document", "duplicate_id", "signature_elsewhere"],
        );
    }
}

/// A template whose first Reference points to `id` instead.
fn pointing_to(id: &str) -> String {
    template()
        .replace("URI=\"#PrescriptionDocument\"", &format!("URI=\"#{id}\""))
        .replace("[[digest PrescriptionDocument]]", &format!("[[digest {id}]]"))
}

#[test]
fn a_copy_in_an_object_is_not_the_prescription_even_when_the_doctor_signed_the_copy() {
    let object = format!("<ds:Object Id=\"copy\">{}</ds:Object></ds:Signature>", base64(GENUINE));
    let file = completed(&pointing_to("copy").replace("</ds:Signature>", &object));
    assert_refused(&file, &["reference_elsewhere"]);
    assert_refused(file.replace(&genuine(), &document(&forged(), ID)), &["reference_elsewhere"]);
}

#[test]
fn a_manifest_that_names_the_document_does_not_stand_for_a_reference_to_it() {
    let reference = format!(
        "<ds:Object><ds:Manifest Id=\"m\"><ds:Reference URI=\"#PrescriptionDocument\"><ds:DigestMethod \
         Algorithm=\"{}\"/><ds:DigestValue>AAAA</ds:DigestValue></ds:Reference></ds:Manifest></ds:Object></ds:Signature>",
        attacks::files::SHA_256
    );
    for kind in ["", " Type=\"http://www.w3.org/2000/09/xmldsig#Manifest\""] {
        let only = pointing_to("m")
            .replace("</ds:Signature>", &reference)
            .replace("<ds:Reference URI=\"#m\"", &format!("<ds:Reference{kind} URI=\"#m\""));
        assert_refused(completed(&only), &["reference_elsewhere"]);
    }
    // Beside the true Reference it is one Reference too many.
    let (first, rest) =
        template().split_once("<ds:Reference ").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let manifest = pointing_to("m").split_once("<ds:Reference ").unwrap().1.to_owned();
    let manifest = manifest.split_once("</ds:Reference>").unwrap().0;
    let both = format!("{first}<ds:Reference {manifest}</ds:Reference><ds:Reference {rest}");
    assert_refused(completed(&both.replace("</ds:Signature>", &reference)), &["reference_elsewhere"]);
}

#[test]
fn a_reference_by_any_other_name_of_the_document_is_refused_though_the_doctor_signed_it() {
    for uri in [
        "",
        "#",
        "#Document",
        "#PrescriptionSign",
        "#xpointer(/)",
        "#xpointer(id('PrescriptionDocument'))",
        "#element(/1/1/2)",
        "#prescriptiondocument",
        "#Prescription%44ocument",
        "# PrescriptionDocument",
        "file:///etc/hostname",
        "http://127.0.0.1/x#PrescriptionDocument",
        "cid:PrescriptionDocument",
    ] {
        let file = template().replace("URI=\"#PrescriptionDocument\"", &format!("URI=\"{uri}\""));
        assert_refused(completed(&file), &["reference_elsewhere", "signature_structure"]);
    }
    let file = template().replace(" URI=\"#PrescriptionDocument\"", "");
    assert_refused(completed(&file), &["signature_structure"]);
}

#[test]
fn a_signature_that_leaves_the_document_or_the_properties_out_is_refused() {
    for id in ["PrescriptionDocument", "sp"] {
        let template = template();
        let at = template.find(&format!("URI=\"#{id}\"")).unwrap();
        let start = template[..at].rfind("<ds:Reference").unwrap();
        let end = at + template[at..].find("</ds:Reference>").unwrap() + "</ds:Reference>".len();
        assert_refused(completed(&[&template[..start], &template[end..]].concat()), &["reference_missing"]);
        let twice = [&template[..end], &template[start..]].concat();
        assert_refused(completed(&twice), &["reference_elsewhere"]);
    }
}

#[test]
fn a_second_signature_anywhere_is_refused() {
    let file = form_b();
    let (_, sign) = file.split_once("<PrescriptionSign>").unwrap();
    let (signature, _) = sign.split_once("</PrescriptionSign>").unwrap();
    let other = signature
        .replace("Id=\"PrescriptionSign\"", "Id=\"s2\"")
        .replace("\"si\"", "\"si2\"")
        .replace("\"ki\"", "\"ki2\"")
        .replace("\"sp\"", "\"sp2\"");
    let counter = format!(
        "<c:CounterSignature xmlns:c=\"http://uri.etsi.org/01903/v1.3.2#\">{other}</c:CounterSignature>"
    );
    let attacks = [hidden(&file, &other), hidden(&file, &counter)].concat();
    assert!(attacks.len() >= 18);
    for attack in attacks {
        assert_refused(&attack, &["not_signed", "signature_elsewhere", "second_document"]);
    }
}

#[test]
fn a_dispensing_file_vouches_for_the_one_document_of_each_kind_that_is_signed_in_it() {
    let file = completed(&dispensing_template());
    assert_genuine(&file);
    let (genuine, other) = (base64(DISPENSED), base64("CJ1,forged\n"));
    assert_refused(file.replace(&genuine, &other), &["document_changed"]);
    assert_refused(file.replace(&base64(GENUINE), &base64(forged())), &["document_changed"]);
    let second = format!("<DispensingDocument>{other}</DispensingDocument>");
    for (at, with) in [
        ("<DispensingManagement", format!("{second}<DispensingManagement")),
        ("<DispensingSign>", format!("{second}<DispensingSign>")),
        ("<DispensingSign>", format!("<Wrapper>{second}</Wrapper><DispensingSign>")),
        ("</DispensingSign>", format!("{second}</DispensingSign>")),
        ("<DispensingManagement", format!("{}<DispensingManagement", document(&forged(), ""))),
        (
            "<DispensingManagement",
            format!("<Prescription>{}</Prescription><DispensingManagement", document(&forged(), "")),
        ),
    ] {
        assert_refused(
            file.replacen(at, &with, 1),
            &["second_document", "signature_elsewhere", "not_a_prescription"],
        );
    }
    // Two documents of one kind, though the pharmacist signed both
    let twice = dispensing_template().replace("</Dispensing>", &format!("{second}</Dispensing>"));
    assert_refused(completed(&twice), &["second_document"]);
    // The pharmacist's signature in the doctor's place, and no doctor's at all
    let without = dispensing_template();
    let (start, end) =
        (without.find("<PrescriptionSign>").unwrap(), without.find("</ReferencePrescription>").unwrap());
    assert_refused(completed(&[&without[..start], &without[end..]].concat()), &["not_signed"]);
}

#[test]
fn names_in_other_namespaces_are_not_what_they_look_like() {
    let file = form_b();
    for (from, to) in [
        ("<Document ", "<Document xmlns=\"urn:other\" "),
        ("<Prescription>", "<Prescription xmlns=\"urn:other\">"),
        ("<PrescriptionDocument ", "<PrescriptionDocument xmlns=\"urn:other\" "),
        ("<PrescriptionSign>", "<PrescriptionSign xmlns=\"urn:other\">"),
        ("xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"", "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig\""),
        (
            "xmlns:ds=\"http://www.w3.org/2000/09/xmldsig#\"",
            "xmlns:ds=\"HTTP://WWW.W3.ORG/2000/09/xmldsig#\"",
        ),
        (
            "xmlns:xades=\"http://uri.etsi.org/01903/v1.3.2#\"",
            "xmlns:xades=\"http://uri.etsi.org/01903/v1.1.1#\"",
        ),
        ("<ds:Reference ", "<ds:Reference xmlns:ds=\"urn:other\" "),
        ("<xades:SignedProperties ", "<xades:SignedProperties xmlns:xades=\"urn:other\" "),
    ] {
        let attack = file.replacen(from, to, 1);
        assert_ne!(attack, file);
        let report = judged(&attack);
        assert_eq!(
            (report.verdict, report.document),
            (Verdict::Invalid, None),
            "{from} as {to}: {:?}",
            codes(&judged(&attack))
        );
    }
}

#[test]
fn a_namespace_or_language_slipped_in_above_the_signed_element_breaks_form_a_and_leaves_form_b_as_it_was() {
    for declaration in
        ["xmlns:evil=\"urn:evil\"", "xml:lang=\"ja\"", "xml:space=\"preserve\"", "xml:base=\"http://evil/\""]
    {
        let slipped =
            |file: String| file.replacen("<Prescription>", &format!("<Prescription {declaration}>"), 1);
        assert_refused(slipped(form_a()), &["document_changed"]);
        assert_genuine(slipped(form_b()));
    }
}

#[test]
fn a_comment_or_instruction_inside_signed_text_is_refused() {
    for file in [form_a(), form_b()] {
        for inside in ["<!-- -->", "<?p ?>", "<!--\n-->", "<a/>"] {
            for element in
                ["PrescriptionDocument", "DigestValue", "SignatureValue", "X509Certificate", "SigningTime"]
            {
                let at = file.find(&format!("{element}>")).map(|at| at + element.len() + 1);
                let at = at.filter(|at| !file[..*at].ends_with(&format!("</{element}>")));
                let at = at
                    .or_else(|| file.find(element).map(|at| at + file[at..].find('>').unwrap() + 1))
                    .unwrap()
                    + 4;
                let attack = format!("{}{inside}{}", &file[..at], &file[at..]);
                let report = judged(&attack);
                assert_eq!(
                    report.verdict,
                    Verdict::Invalid,
                    "{inside} in {element}: {:?} {:?}",
                    codes(&report),
                    notes(&report)
                );
            }
        }
    }
}

#[test]
fn entities_are_refused_and_character_references_change_nothing() {
    let entity = |declaration: &str, inside: &str| {
        let (head, body) = form_b().split_once("?>").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
        let body = body.replacen(&base64(GENUINE), inside, 1);
        format!("{head}?><!DOCTYPE Document [{declaration}]>{body}")
    };
    for attack in [
        entity("", &base64(GENUINE)),
        entity(&format!("<!ENTITY b \"{}\">", base64(forged())), "&b;"),
        entity("<!ENTITY b SYSTEM \"file:///etc/hostname\">", "&b;"),
        entity("<!ENTITY % p SYSTEM \"http://127.0.0.1/x\"> %p;", &base64(GENUINE)),
        entity(
            "<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;\">",
            "&c;",
        ),
        entity("<!ATTLIST Prescription id CDATA \"PrescriptionDocument\">", &base64(GENUINE)),
        form_b().replacen(&base64(GENUINE), "&b;", 1),
        form_b().replacen(&base64(GENUINE), &format!("&nbsp;{}", base64(GENUINE)), 1),
    ] {
        assert_refused(&attack, &["not_xml"]);
    }
    let text = base64(GENUINE);
    for same in [
        format!("&#85;{}", &text[1..]),
        format!("&#x55;{}", &text[1..]),
        format!("<![CDATA[{text}]]>"),
        format!("{}<![CDATA[{}]]>", &text[..8], &text[8..]),
    ] {
        assert_never_forged(form_b().replacen(&text, &same, 1));
        assert_never_forged(form_a().replacen(&text, &same, 1));
        // To be signed, only one spelling will do.
        assert!(Prescription::parse(envelope("").replacen(&text, &same, 1).as_bytes()).is_err());
    }
    for other in
        [format!("<![CDATA[{}]]>{text}", base64(forged())), format!("{text}<![CDATA[{}]]>", base64(forged()))]
    {
        assert_refused(form_b().replacen(&text, &other, 1), &["document_changed"]);
    }
}

#[test]
fn a_file_means_the_same_to_every_reader_or_is_refused_whatever_encoding_it_claims() {
    let file = form_b();
    let utf_16 = |text: &str, big: bool| -> Vec<u8> {
        let order = |unit: u16| if big { unit.to_be_bytes() } else { unit.to_le_bytes() };
        std::iter::once(0xFEFF).chain(text.encode_utf16()).flat_map(order).collect()
    };
    for bytes in [
        utf_16(&file, false),
        utf_16(&file, true),
        file.chars().flat_map(|c| u32::from(c).to_be_bytes()).collect(),
        // Overlong `<`, a lone surrogate, and a byte of Latin-1
        [b"\xC0\xBC".as_slice(), file.as_bytes()].concat(),
        file.replace("EPS1.0", "\u{1}")
            .into_bytes()
            .iter()
            .flat_map(|b| if *b == 1 { vec![0xED, 0xA0, 0x80] } else { vec![*b] })
            .collect(),
        file.replace("EPS1.0", "\u{1}")
            .into_bytes()
            .iter()
            .map(|b| if *b == 1 { 0xE9 } else { *b })
            .collect(),
    ] {
        assert_refused(&bytes, &["not_xml", "over_limits"]);
        assert!(Prescription::parse(&bytes).is_err());
    }
    for encoding in [
        "UTF-16",
        "UTF-7",
        "UTF-32",
        "Shift_JIS",
        "ISO-2022-JP",
        "ISO-8859-1",
        "US-ASCII",
        "utf8",
        "",
        "UTF-8 ",
    ] {
        let claimed =
            |file: String| file.replacen("encoding=\"UTF-8\"", &format!("encoding=\"{encoding}\""), 1);
        assert_refused(claimed(form_b()), &["not_xml"]);
        assert!(Prescription::parse(claimed(envelope("")).as_bytes()).is_err(), "{encoding}");
    }
    assert_refused(file.replacen("version=\"1.0\"", "version=\"1.1\"", 1), &["not_xml"]);
    assert!(
        Prescription::parse(envelope("").replacen("version=\"1.0\"", "version=\"1.1\"", 1).as_bytes())
            .is_err()
    );
    // Line ends that XML makes one, and references that it keeps apart
    assert_genuine(file.replacen("?>", "?>\r\n", 1));
    assert_never_forged(file.replacen("</PrescriptionDocument>", "\r</PrescriptionDocument>", 1));
    assert_refused(
        file.replacen("</PrescriptionDocument>", "&#13;</PrescriptionDocument>", 1),
        &["document_changed"],
    );
}

#[test]
fn what_stands_in_the_file_unsigned_is_called_so_and_is_never_the_doctors_words() {
    let added = "<AdditionalPrescriptionInformation id=\"AdditionalPrescriptionInformation\"><ConversionPharmaceuticalCode>\
                 <ConversionREcode>622688101</ConversionREcode></ConversionPharmaceuticalCode>\
                 </AdditionalPrescriptionInformation><Note>用量を９錠に変更</Note><PrescriptionSign>";
    for file in [form_a(), form_b()] {
        let report = judged(file.replacen("<PrescriptionSign>", added, 1));
        assert_eq!((report.verdict, report.document.as_deref()), (Verdict::Valid, Some(GENUINE)));
        assert_eq!(
            notes(&report),
            ["management_unsigned", "additional_information_unsigned", "other_element_unsigned"]
        );
        let text = serde_json::to_string(&report).unwrap();
        assert!(!text.contains("９錠") && !text.contains("622688101"));
    }
}

#[test]
fn an_envelope_made_to_be_read_in_two_ways_is_refused_before_the_doctor_is_asked() {
    let second = document(&forged(), " id=\"second\"");
    let envelopes = [
        envelope(&second),
        envelope(&format!("<AdditionalPrescriptionInformation>{second}</AdditionalPrescriptionInformation>")),
        envelope(
            "<AdditionalPrescriptionInformation><a Id=\"PrescriptionSign\"/></AdditionalPrescriptionInformation>",
        ),
        envelope(
            "<AdditionalPrescriptionInformation><a xml:id=\"PrescriptionDocument\"/></AdditionalPrescriptionInformation>",
        ),
        envelope(&format!(
            "<AdditionalPrescriptionInformation><s:Signature xmlns:s=\"{DSIG}\"/></AdditionalPrescriptionInformation>"
        )),
        envelope("").replace("<Prescription>", "<Prescription Id=\"PrescriptionDocument\">"),
        envelope("").replace("</Prescription>", "</Prescription><Prescription/>"),
        envelope("").replace("</Document>", &format!("{second}</Document>")),
    ];
    for file in envelopes {
        assert!(Prescription::parse(file.as_bytes()).is_err(), "{file}");
    }
}
