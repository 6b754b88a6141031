//! Canonical XML against the examples of its specifications.

use proptest::prelude::*;

use super::{super::xml::XmlError, Method, canonicalize};

fn canonical(xml: &str, id: Option<&str>, method: Method, comments: bool, prefixes: &[&str]) -> String {
    String::from_utf8(canonicalize(xml.as_bytes(), id, method, comments, prefixes).unwrap()).unwrap()
}

const ALL: [Method; 3] = [Method::Inclusive10, Method::Inclusive11, Method::Exclusive];

#[test]
fn instructions_and_comments_outside_the_root_stand_on_their_own_lines() {
    // Canonical XML 1.0 §3.1, without its DTD
    let xml = "<?xml version=\"1.0\"?>\n\n<?xml-stylesheet   href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n\n\
        <doc>Hello, world!<!-- Comment 1 --></doc>\n\n<?pi-without-data     ?>\n\n<!-- Comment 2 -->\n\n<!-- Comment 3 -->";
    for method in ALL {
        assert_eq!(
            canonical(xml, None, method, false, &[]),
            "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!</doc>\n<?pi-without-data?>"
        );
        assert_eq!(
            canonical(xml, None, method, true, &[]),
            "<?xml-stylesheet href=\"doc.xsl\"\n   type=\"text/xsl\"   ?>\n<doc>Hello, world!<!-- Comment 1 --></doc>\n\
             <?pi-without-data?>\n<!-- Comment 2 -->\n<!-- Comment 3 -->"
        );
    }
}

#[test]
fn attributes_and_namespaces_are_ordered_and_written_once() {
    // Canonical XML 1.0 §3.3, without its DTD
    let xml = r#"<doc><e2   ></e2><e5 a:attr="out" b:attr="sorted" attr2="all" attr="I'm"
        xmlns:b="http://www.ietf.org" xmlns:a="http://www.w3.org" xmlns="http://example.org"/><e6
        xmlns="" xmlns:a="http://www.w3.org"><e7 xmlns="http://www.ietf.org"><e8 xmlns="" xmlns:a="http://www.w3.org"
        ><e9 xmlns="" xmlns:a="http://www.ietf.org" /></e8></e7></e6></doc>"#;
    assert_eq!(
        canonical(xml, None, Method::Inclusive10, false, &[]),
        "<doc><e2></e2><e5 xmlns=\"http://example.org\" xmlns:a=\"http://www.w3.org\" \
         xmlns:b=\"http://www.ietf.org\" attr=\"I'm\" attr2=\"all\" b:attr=\"sorted\" a:attr=\"out\"></e5>\
         <e6 xmlns:a=\"http://www.w3.org\"><e7 xmlns=\"http://www.ietf.org\"><e8 xmlns=\"\">\
         <e9 xmlns:a=\"http://www.ietf.org\"></e9></e8></e7></e6></doc>"
    );
}

#[test]
fn characters_are_escaped_and_line_ends_normalised() {
    // Canonical XML 1.0 §3.4, with line ends of two bytes
    let xml = "<doc>\r\n<text>First line&#x0d;&#10;Second\rline</text><c a='&lt; \"&#9;&#xA;&#xD;\r\n> &amp;'/>\
               <![CDATA[<&>]]></doc>";
    let in_double_quotes =
        xml.replace("a='&lt; \"&#9;&#xA;&#xD;\r\n> &amp;'", "a=\"&lt; &#34;&#9;&#xA;&#xD;\r\n> &amp;\"");
    assert_ne!(in_double_quotes, xml);
    for (xml, method) in ALL.into_iter().flat_map(|method| [(xml, method), (&in_double_quotes, method)]) {
        assert_eq!(
            canonical(xml, None, method, false, &[]),
            "<doc>\n<text>First line&#xD;\nSecond\nline</text>\
             <c a=\"&lt; &quot;&#x9;&#xA;&#xD; > &amp;\"></c>&lt;&amp;&gt;</doc>"
        );
    }
}

#[test]
fn an_element_takes_over_namespaces_and_xml_attributes_as_its_method_says() {
    // Exclusive XML Canonicalization §2.2
    let xml = r#"<n0:local xmlns:n0="foo:bar" xmlns:n3="ftp://example.org" xml:lang="ja" xml:id="r" xml:base="http://a/b/"
        xml:other="o"><p xml:base="c/d"><n1:elem2 id="e" xmlns:n1="http://example.net" xml:lang="en"><n3:stuff
        xmlns:n3="ftp://example.org"/></n1:elem2></p></n0:local>"#;
    let e = Some("e");
    assert_eq!(
        canonical(xml, e, Method::Inclusive10, false, &[]),
        "<n1:elem2 xmlns:n0=\"foo:bar\" xmlns:n1=\"http://example.net\" xmlns:n3=\"ftp://example.org\" id=\"e\" \
         xml:base=\"c/d\" xml:id=\"r\" xml:lang=\"en\" xml:other=\"o\"><n3:stuff></n3:stuff></n1:elem2>"
    );
    assert_eq!(
        canonical(xml, e, Method::Inclusive11, false, &[]),
        "<n1:elem2 xmlns:n0=\"foo:bar\" xmlns:n1=\"http://example.net\" xmlns:n3=\"ftp://example.org\" id=\"e\" \
         xml:base=\"http://a/b/c/d\" xml:lang=\"en\"><n3:stuff></n3:stuff></n1:elem2>"
    );
    assert_eq!(
        canonical(xml, e, Method::Exclusive, false, &[]),
        "<n1:elem2 xmlns:n1=\"http://example.net\" id=\"e\" xml:lang=\"en\">\
         <n3:stuff xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2>"
    );
    assert_eq!(
        canonical(xml, e, Method::Exclusive, false, &["n0", "#default", "n9"]),
        "<n1:elem2 xmlns:n0=\"foo:bar\" xmlns:n1=\"http://example.net\" id=\"e\" xml:lang=\"en\">\
         <n3:stuff xmlns:n3=\"ftp://example.org\"></n3:stuff></n1:elem2>"
    );
}

#[test]
fn a_tag_has_one_canonical_form_however_it_is_written() {
    for xml in [
        "<a b=\"1\" c=\"2\"><d></d></a>",
        "<a b='1' c='2'><d/></a >",
        "<a\tb=\"1\"\nc=\"2\"\n><d ></d\t></a\n>",
        "<a c = \"2\" b\n=\n'1' ><d /></a>",
        "<a b=\"&#49;\" c=\"&#x32;\"><d\n></d></a>",
    ] {
        for method in ALL {
            let canonical = canonical(xml, None, method, false, &[]);
            assert_eq!(canonical, "<a b=\"1\" c=\"2\"><d></d></a>", "{xml}");
        }
    }
}

#[test]
fn an_element_that_has_a_base_itself_keeps_it_or_joins_it_as_its_method_says() {
    let xml = r#"<r xml:base="http://a/b/"><e id="e" base="f" xml:base="c/d"/></r>"#;
    for (method, base) in ALL.into_iter().zip(["c/d", "http://a/b/c/d", "c/d"]) {
        let expected = format!(r#"<e base="f" id="e" xml:base="{base}"></e>"#);
        assert_eq!(canonical(xml, Some("e"), method, false, &[]), expected);
    }
}

#[test]
fn two_prefixes_of_one_namespace_keep_their_own_names() {
    let xml = r#"<a:r xmlns:a="u" xmlns:b="u" b:x="1"><b:c a:y="2"/></a:r>"#;
    assert_eq!(
        canonical(xml, None, Method::Exclusive, false, &[]),
        r#"<a:r xmlns:a="u" xmlns:b="u" b:x="1"><b:c a:y="2"></b:c></a:r>"#
    );
}

#[test]
fn exclusive_form_undeclares_a_default_namespace_only_where_it_was_written() {
    let xml = r#"<r xmlns="u"><p:c xmlns:p="v"><d xmlns=""><e/></d></p:c><x xmlns=""/></r>"#;
    assert_eq!(
        canonical(xml, None, Method::Exclusive, false, &[]),
        r#"<r xmlns="u"><p:c xmlns:p="v"><d xmlns=""><e></e></d></p:c><x xmlns=""></x></r>"#
    );
    let xml = r#"<p:r xmlns="u" xmlns:p="v" id="i"><d xmlns=""><e/></d></p:r>"#;
    assert_eq!(
        canonical(xml, Some("i"), Method::Exclusive, false, &[]),
        r#"<p:r xmlns:p="v" id="i"><d><e></e></d></p:r>"#
    );
}

#[test]
fn an_id_is_one_of_any_case_without_a_namespace_or_that_of_xml() {
    let xml = "<a xmlns:p='u' p:id='x' xml:lang='x' xml:Id='x'><b xml:id='x'/><c ID='y'/><d Id='z'/><e id='z'/></a>";
    assert_eq!(canonical(xml, Some("x"), Method::Exclusive, false, &[]), "<b xml:id=\"x\"></b>");
    assert_eq!(canonical(xml, Some("y"), Method::Exclusive, false, &[]), "<c ID=\"y\"></c>");
    for (id, error) in [("z", XmlError::IdNotUnique), ("w", XmlError::IdNotFound)] {
        assert_eq!(canonicalize(xml.as_bytes(), Some(id), Method::Exclusive, false, &[]), Err(error));
    }
}

#[test]
fn what_is_not_read_is_refused_by_its_line_or_its_declaration() {
    for (xml, error) in [
        ("<?xml version='1.0' standalone='maybe'?><a/>", XmlError::Declaration),
        ("<a><?xml?></a>", XmlError::NotWellFormed { line: 1 }),
        ("<a>\n<b c='secret", XmlError::NotWellFormed { line: 2 }),
    ] {
        assert_eq!(canonicalize(xml.as_bytes(), None, Method::Exclusive, false, &[]), Err(error), "{xml}");
    }
}

fn element() -> impl Strategy<Value = String> {
    let attribute = prop_oneof![
        Just(" b='1'".to_owned()),
        Just(" a=\"&#10;&lt;\"".to_owned()),
        Just(" xmlns='u'".to_owned()),
        Just(" xmlns:p='v'".to_owned()),
        Just(" xml:lang='ja'".to_owned()),
    ];
    let tag = proptest::collection::hash_set(attribute, 0..4);
    let leaf =
        prop_oneof![Just("t&amp;]".to_owned()), Just("<!--c-->".to_owned()), Just("<?p d?>".to_owned())];
    leaf.prop_recursive(5, 40, 5, move |inner| {
        (tag.clone(), proptest::collection::vec(inner, 0..5)).prop_map(|(attributes, children)| {
            format!("<e{}>{}</e>", attributes.into_iter().collect::<String>(), children.concat())
        })
    })
}

proptest! {
    #[test]
    fn canonical_form_is_a_fixed_point(inner in element()) {
        let xml = format!("<r>{inner}</r>");
        for method in ALL {
            let once = canonical(&xml, None, method, true, &[]);
            prop_assert_eq!(canonical(&once, None, method, true, &[]), once);
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in proptest::collection::vec(any::<u8>(), 0..200), text in "[<>/a:= '\"x!?&;\\[-]{0,60}") {
        for method in ALL {
            let _ = canonicalize(&bytes, None, method, true, &[]);
            let answer = canonicalize(text.as_bytes(), Some("x"), method, true, &["a"]);
            prop_assert!(answer.is_err() || text.contains('x'));
        }
    }
}
