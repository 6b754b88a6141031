use super::super::testing::{attribute, name, tlv};
use super::*;

fn parsed(der: &[u8]) -> Name {
    Name::from_der(der).unwrap()
}

#[test]
fn a_name_is_written_as_rfc_4514_has_it() {
    let der = name(&[
        ("2.5.4.6", 0x13, b"JP"),
        ("2.5.4.10", 0x0c, " 医療, \"法人\" ".as_bytes()),
        ("2.5.4.3", 0x0c, b"#Taro+Yamada"),
        ("2.5.4.5", 0x13, b"12"),
        ("1.2.840.113549.1.9.1", 0x16, b"a@b"),
    ]);
    let expected = "1.2.840.113549.1.9.1=#1603614062,serialNumber=12,CN=\\#Taro\\+Yamada,\
                    O=\\ 医療\\, \\\"法人\\\"\\ ,C=JP";
    assert_eq!((parsed(&der).text().as_str(), parsed(&der).der()), (expected, &der[..]));
}

#[test]
fn an_attribute_has_the_short_name_that_is_registered_or_its_number() {
    for (oid, short) in [
        ("2.5.4.3", "CN"),
        ("2.5.4.4", "sn"),
        ("2.5.4.5", "serialNumber"),
        ("2.5.4.6", "C"),
        ("2.5.4.7", "L"),
        ("2.5.4.8", "ST"),
        ("2.5.4.9", "STREET"),
        ("2.5.4.10", "O"),
        ("2.5.4.11", "OU"),
        ("2.5.4.12", "title"),
        ("2.5.4.42", "givenName"),
        ("2.5.4.97", "organizationIdentifier"),
        ("0.9.2342.19200300.100.1.1", "UID"),
        ("0.9.2342.19200300.100.1.25", "DC"),
    ] {
        assert_eq!(parsed(&name(&[(oid, 0x13, b"x")])).text(), format!("{short}=x"));
    }
    assert_eq!(parsed(&name(&[("2.5.4.13", 0x13, b"x")])).text(), "2.5.4.13=#130178");
}

#[test]
fn what_rfc_4514_gives_a_meaning_is_escaped_where_it_has_one() {
    for (text, written) in [
        ("a\0b", "a\\00b"),
        ("\"+,;<>\\", "\\\"\\+\\,\\;\\<\\>\\\\"),
        ("#a#b#", "\\#a#b#"),
        ("  a b  ", "\\  a b \\ "),
        (" ", "\\ "),
        ("a=b/医", "a=b/医"),
        ("", ""),
    ] {
        assert_eq!(escape(text), written);
    }
}

#[test]
fn a_string_is_read_in_the_character_set_of_its_type() {
    let read = |tag, value: &[u8]| {
        let der = tlv(tag, value);
        directory_text(Cursor::new(&der)?.any()?).map(Cow::into_owned)
    };
    for (tag, value, text) in [
        (0x0c, "医師".as_bytes(), "医師"),
        (0x12, b"0 9", "0 9"),
        (0x13, b"JP", "JP"),
        (0x16, b"a@b", "a@b"),
        (0x1e, &[0x53, 0x3b, 0x5e, 0x2b], "医師"),
        (0x1e, &[0xd8, 0x42, 0xdf, 0xb7], "\u{20bb7}"),
        (0x1e, &[], ""),
    ] {
        assert_eq!(read(tag, value).as_deref(), Some(text));
    }
    for (tag, value) in [
        (0x0c, &[0xe5, 0x8c][..]),
        (0x12, "医".as_bytes()),
        (0x13, "医".as_bytes()),
        (0x16, "医".as_bytes()),
        (0x14, b"JP"),
        (0x1e, &[0x53, 0x3b, 0x5e]),
        (0x1e, &[0xd8, 0x42]),
        (4, b"JP"),
    ] {
        assert_eq!(read(tag, value), None, "{tag:02x} {value:02x?}");
    }
}

#[test]
fn names_match_whatever_the_case_spaces_and_string_type() {
    let a = name(&[("2.5.4.6", 0x13, b"JP"), ("2.5.4.10", 0x13, b"Good  CA ")]);
    let b = name(&[("2.5.4.6", 0x13, b"jp"), ("2.5.4.10", 0x0c, b"GOOD ca")]);
    let c = name(&[("2.5.4.6", 0x13, b"JP"), ("2.5.4.10", 0x13, b"GoodCA")]);
    let d = name(&[("2.5.4.10", 0x13, b"Good CA"), ("2.5.4.6", 0x13, b"JP")]);
    assert!(parsed(&a).matches(&parsed(&b)));
    assert!(!parsed(&a).matches(&parsed(&c)));
    assert!(!parsed(&a).matches(&parsed(&d)), "the order of RDNs counts");
}

#[test]
fn names_match_exactly_when_their_prepared_forms_are_equal() {
    let texts =
        ["", " ", "a", "A", "a b", "A  b", " a\tb ", "ab", "a b c", "é", "É", "ß", "Σ", "σ", "ς", "ａ", "Ａ"];
    let mut names = Vec::new();
    for text in texts {
        for oid in ["2.5.4.3", "2.5.4.10"] {
            names.push(parsed(&name(&[("2.5.4.6", 0x13, b"JP"), (oid, 0x0c, text.as_bytes())])));
            names.push(parsed(&name(&[(oid, 0x0c, text.as_bytes())])));
            names.push(parsed(&name(&[(oid, 0x14, text.as_bytes())])));
            let rdn = [attribute(oid, 0x0c, text.as_bytes()), attribute("2.5.4.5", 0x13, b"1")].concat();
            names.push(parsed(&tlv(0x30, &tlv(0x31, &rdn))));
        }
    }
    let prepared = names.clone();
    for (a, x) in names.iter().zip(&prepared) {
        for (b, y) in names.iter().zip(&prepared) {
            let equal = x.canonical() == y.canonical();
            assert_eq!(a.matches(b), equal, "{} {}", a.text(), b.text());
            assert_eq!(x.matches(y), equal, "prepared: {} {}", a.text(), b.text());
        }
    }
}

#[test]
fn the_order_inside_one_rdn_does_not_count() {
    let (x, y) = (attribute("2.5.4.3", 0x13, b"X"), attribute("2.5.4.5", 0x13, b"1"));
    let ab = tlv(0x30, &tlv(0x31, &[x.clone(), y.clone()].concat()));
    let ba = tlv(0x30, &tlv(0x31, &[y, x].concat()));
    assert!(parsed(&ab).matches(&parsed(&ba)));
    assert_eq!(parsed(&ab).text(), "CN=X+serialNumber=1");
}

#[test]
fn a_malformed_name_is_refused() {
    for der in [&[0x30, 2, 0x31][..], &[0x31, 0], &[0x30, 2, 0x30, 0], &[0x30, 4, 0x31, 2, 0x30, 0]] {
        assert!(Name::from_der(der).is_none());
    }
}
