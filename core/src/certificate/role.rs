//! hcRole: the health-care roles that an HPKI certificate asserts (ISO 17090-2, HPKI certificate policy).
//!
//! ```text
//! SubjectDirectoryAttributes ::= SEQUENCE OF Attribute { type OBJECT IDENTIFIER, values SET OF HCActorData }
//! HCActorData ::= SET OF HCActor
//! HCActor     ::= SEQUENCE { codedData [0] CodedData, regionalHCActorData [1] OPTIONAL }
//! CodedData   ::= SET { codingSchemeReference [0] OBJECT IDENTIFIER, codeDataValue [1] OPTIONAL,
//!                       codeDataFreeText [2] DirectoryString }
//! ```
//! All tags are explicit.

use der::Tag;

use super::{
    name::directory_text,
    tlv::{Tlv, context},
};

/// id-hcpki-at-healthcareactor, 1.0.17090.0.1
const HEALTHCARE_ACTOR: &[u8] = &[0x28, 0x81, 0x85, 0x42, 0, 1];
/// The coding scheme of HPKI's roles, 1.2.392.100495.1.6.1.1. Text of another scheme means nothing here.
const CODING_SCHEME: &[u8] = &[0x2a, 0x83, 0x08, 0x86, 0x91, 0x0f, 1, 6, 1, 1];

/// Role texts in their order, from the value of subjectDirectoryAttributes. Other attributes are passed over.
pub(super) fn roles(value: &[u8]) -> Option<Vec<String>> {
    let mut roles = Vec::new();
    for attribute in Tlv::only(value, Tag::Sequence)?.each(Tag::Sequence) {
        let mut fields = attribute?.open()?;
        let attribute_type = fields.any()?.oid()?;
        let values = fields.expect(Tag::Set)?;
        fields.finish()?;
        if attribute_type == HEALTHCARE_ACTOR {
            for actors in values.each(Tag::Set) {
                for actor in actors?.each(Tag::Sequence) {
                    roles.push(role(actor?)?);
                }
            }
        }
    }
    Some(roles)
}

fn role(actor: Tlv) -> Option<String> {
    let mut fields = actor.open()?;
    let coded_data = fields.expect(context(0))?;
    fields.optional(context(1));
    fields.finish()?;

    let mut coded = Tlv::only(coded_data.value, Tag::Set)?.open()?;
    let scheme = Tlv::only(coded.expect(context(0))?.value, Tag::ObjectIdentifier)?;
    coded.optional(context(1));
    let text = coded.expect(context(2))?.open()?.any()?;
    coded.finish()?;

    let text = directory_text(text)?.into_owned();
    (scheme.oid()? == CODING_SCHEME && !text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::super::testing::{hc_role, unhex};
    use super::*;

    /// The extension value of a published test certificate.
    const REAL: &str = "303430320606288185420001312831263024A0223120A00C060A2A830886910F01060101A2100C0E4D6564\
                        6963616C20446F63746F72";

    #[test]
    fn a_real_role_is_read() {
        let value = unhex(REAL);
        assert_eq!(value.len(), 54);
        assert_eq!(roles(&value).unwrap(), ["Medical Doctor"]);
        assert_eq!(hc_role(&["Medical Doctor"]), value);
    }

    #[test]
    fn several_roles_are_read_in_their_order() {
        let value = hc_role(&["Director of Hospital", "Medical Doctor"]);
        assert_eq!(roles(&value).unwrap(), ["Director of Hospital", "Medical Doctor"]);
    }

    #[test]
    fn a_role_of_another_coding_scheme_is_refused() {
        let value = unhex(&REAL.replace("2A830886910F01060101", "2A830886910F01060102"));
        assert_eq!(roles(&value), None);
    }

    #[test]
    fn other_attributes_are_passed_over() {
        // dateOfBirth (RFC 3739 §3.2.2)
        let value = unhex("301D301B06082B06010505070901310F180D3139383030313031303030305A");
        assert_eq!(roles(&value).unwrap(), Vec::<String>::new());
    }

    #[test]
    fn one_octet_changed_never_reads_as_doctor_unless_it_names_another_string_type() {
        let value = unhex(REAL);
        let string_type = value.iter().rposition(|octet| *octet == 0x0c).unwrap();
        for at in 0..value.len() {
            let mut changed = value.clone();
            for octet in 0..=u8::MAX {
                changed[at] = octet;
                let is_text = at == string_type && [0x12, 0x13, 0x16].contains(&octet);
                let reads_as_doctor = roles(&changed).is_some_and(|roles| roles == ["Medical Doctor"]);
                assert_eq!(reads_as_doctor, is_text || octet == value[at], "{at} {octet:02x}");
            }
        }
    }
}
