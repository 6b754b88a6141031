//! Where CRLs are found and what they speak for: cRLDistributionPoints of a certificate (RFC 5280 §4.2.1.13) and
//! issuingDistributionPoint of a CRL (§5.2.5).

use der::Tag;

use super::{
    general_name::{GeneralName, NameKey},
    name::Name,
    tlv::{Tlv, context, primitive},
};

/// A set of revocation reasons (ReasonFlags); bit 0 is the highest.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Reasons(u16);

impl Reasons {
    pub(super) const NONE: Self = Self(0);
    /// keyCompromise (1) to aACompromise (8).
    pub(super) const ALL: Self = Self(0x7f80);

    fn from_tlv(flags: Tlv) -> Option<Self> {
        match *flags.value {
            [0..=7, high] => Some(Self(u16::from_be_bytes([high, 0]) & Self::ALL.0)),
            [0..=7, high, low] => Some(Self(u16::from_be_bytes([high, low]) & Self::ALL.0)),
            _ => None,
        }
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    fn common(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(super) fn are_within(self, other: Self) -> bool {
        self.0 & !other.0 == 0
    }
}

/// One place where a certificate says that its CRL is published.
pub(super) struct DistributionPoint {
    names: Vec<NameKey>,
    reasons: Reasons,
    /// cRLIssuer: who publishes there, when that is not the certificate's issuer.
    issuers: Vec<Name>,
}

impl DistributionPoint {
    /// CRLDistributionPoints of a certificate by `issuer`.
    pub(super) fn all(value: &[u8], issuer: &Name) -> Option<Vec<Self>> {
        let points = Tlv::only(value, Tag::Sequence)?.each(Tag::Sequence);
        points.map(|point| Self::from_tlv(point?, issuer)).collect()
    }

    fn from_tlv(point: Tlv, issuer: &Name) -> Option<Self> {
        let mut fields = point.open()?;
        let place = fields.optional(context(0));
        let reasons = fields.optional(primitive(1));
        let issuers = match fields.optional(context(2)) {
            Some(names) => GeneralName::all(names.value)?
                .iter()
                .map(GeneralName::directory)
                .collect::<Option<Vec<_>>>()?,
            None => Vec::new(),
        };
        fields.finish()?;
        let publisher = issuers.first().unwrap_or(issuer);
        Some(Self {
            names: place.map_or(Some(Vec::new()), |p| NameKey::of_distribution_point(p, publisher))?,
            reasons: reasons.map_or(Some(Reasons::ALL), Reasons::from_tlv)?,
            issuers,
        })
    }
}

/// onlyContainsUserCerts, -CACerts, -AttributeCerts, of which at most one may be set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    All,
    Users,
    Authorities,
    /// Attribute certificates, or a contradiction.
    None,
}

/// Which certificates, and which reasons, a CRL speaks for.
pub(super) struct Scope {
    /// Where there are any, the certificate must point to one of them.
    names: Vec<NameKey>,
    kind: Kind,
    reasons: Reasons,
    /// It may hold certificates of other issuers.
    pub(super) is_indirect: bool,
}

impl Scope {
    /// Every certificate of the CRL's issuer.
    pub(super) fn whole() -> Self {
        Self { names: Vec::new(), kind: Kind::All, reasons: Reasons::ALL, is_indirect: false }
    }

    /// IssuingDistributionPoint; every field is tagged, the booleans and flags implicitly.
    pub(super) fn parse(value: &[u8], crl_issuer: &Name) -> Option<Self> {
        let mut scope = Self::whole();
        let mut fields = Tlv::only(value, Tag::Sequence)?.open()?;
        if let Some(place) = fields.optional(context(0)) {
            scope.names = NameKey::of_distribution_point(place, crl_issuer)?;
        }
        let users_only = flag(fields.optional(primitive(1)))?;
        let authorities_only = flag(fields.optional(primitive(2)))?;
        if let Some(reasons) = fields.optional(primitive(3)) {
            scope.reasons = Reasons::from_tlv(reasons)?;
        }
        scope.is_indirect = flag(fields.optional(primitive(4)))?;
        let attributes_only = flag(fields.optional(primitive(5)))?;
        fields.finish()?;
        scope.kind = match (users_only, authorities_only, attributes_only) {
            (false, false, false) => Kind::All,
            (true, false, false) => Kind::Users,
            (false, true, false) => Kind::Authorities,
            _ => Kind::None,
        };
        Some(scope)
    }

    /// The reasons for which a CRL of this scope by `crl_issuer` speaks for a certificate by `issuer` that names
    /// `points` (§6.3.3 (b)). What the certificate does not point to still counts when its own issuer publishes it
    /// without a place, or at the place of its own name.
    pub(super) fn covers(
        &self,
        crl_issuer: &Name,
        issuer: &Name,
        points: &[DistributionPoint],
        is_ca: bool,
    ) -> Reasons {
        let own_kind = if is_ca { Kind::Authorities } else { Kind::Users };
        if self.kind != Kind::All && self.kind != own_kind {
            return Reasons::NONE;
        }
        let by_issuer = crl_issuer.matches(issuer);
        let found = points.iter().filter(|point| self.is_at(point, crl_issuer, by_issuer));
        let pointed = found.fold(Reasons::NONE, |all, point| all.and(point.reasons.common(self.reasons)));
        let is_implied =
            by_issuer && (self.names.is_empty() || self.names.contains(&NameKey::directory(issuer)));
        if is_implied { pointed.and(self.reasons) } else { pointed }
    }

    fn is_at(&self, point: &DistributionPoint, crl_issuer: &Name, by_issuer: bool) -> bool {
        let publisher_fits = if point.issuers.is_empty() {
            by_issuer
        } else {
            self.is_indirect && point.issuers.iter().any(|issuer| issuer.matches(crl_issuer))
        };
        let place_fits = self.names.is_empty()
            || point.names.iter().any(|name| self.names.contains(name))
            || (point.names.is_empty()
                && point.issuers.iter().any(|issuer| self.names.contains(&NameKey::directory(issuer))));
        publisher_fits && place_fits
    }
}

/// BOOLEAN DEFAULT FALSE.
fn flag(field: Option<Tlv>) -> Option<bool> {
    match field.map(|flag| flag.value) {
        None | Some([0]) => Some(false),
        Some([0xff]) => Some(true),
        Some(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ca_name, seq, tlv};
    use super::*;

    fn reasons(flags: &[u8]) -> Option<Reasons> {
        Reasons::from_tlv(Tlv { tag: primitive(3), value: flags, raw: &[] })
    }

    #[test]
    fn reasons_are_the_bits_one_to_eight() {
        for (flags, bits) in [
            (&[0, 0x60][..], Some(0x6000)),
            (&[7, 0x80], Some(0)),
            (&[0, 0xff], Some(0x7f00)),
            (&[7, 0x60, 0x80], Some(0x6080)),
            (&[0, 0xff, 0xff], Some(Reasons::ALL.0)),
            (&[8, 0x60], None),
            (&[8, 0x60, 0x80], None),
            (&[], None),
            (&[0], None),
            (&[0, 0, 0, 0], None),
        ] {
            assert_eq!(reasons(flags), bits.map(Reasons), "{flags:02x?}");
        }
    }

    #[test]
    fn reasons_are_a_set() {
        let [both, one, two, three] = [0x60, 0x40, 0x20, 0x30].map(|bits| reasons(&[0, bits]).unwrap());
        assert_eq!(both.and(three), reasons(&[0, 0x70]).unwrap());
        assert_eq!((one.and(two), both.common(three), one.common(two)), (both, two, Reasons::NONE));
        assert!(one.are_within(both) && both.are_within(both) && Reasons::NONE.are_within(one));
        assert!(!both.are_within(one) && !one.are_within(two) && !one.are_within(Reasons::NONE));
    }

    fn named(common_name: &str) -> Name {
        Name::from_der(&ca_name(common_name)).unwrap()
    }

    /// distributionPoint `[0]` with these full names.
    fn place(names: &[Vec<u8>]) -> Vec<u8> {
        tlv(0xa0, &tlv(0xa0, &names.concat()))
    }

    fn uri(text: &str) -> Vec<u8> {
        tlv(0x86, text.as_bytes())
    }

    fn directory(common_name: &str) -> Vec<u8> {
        tlv(0xa4, &ca_name(common_name))
    }

    /// Whether a list by `publisher` of the scope `fields` speaks for a certificate by "CA" with these points.
    fn covers(publisher: &str, fields: &[Vec<u8>], points: &[Vec<u8>], is_ca: bool) -> bool {
        let (issuer, publisher) = (named("CA"), named(publisher));
        let scope = Scope::parse(&seq(fields), &publisher).unwrap();
        let points = DistributionPoint::all(&seq(points), &issuer).unwrap();
        let reasons = scope.covers(&publisher, &issuer, &points, is_ca);
        assert!(reasons == Reasons::ALL || reasons == Reasons::NONE);
        reasons == Reasons::ALL
    }

    #[test]
    fn a_list_speaks_for_its_kinds_of_certificates_alone() {
        let set = |number: u8| tlv(0x80 | number, &[0xff]);
        let kinds = |fields: &[Vec<u8>]| [false, true].map(|is_ca| covers("CA", fields, &[], is_ca));
        assert_eq!(kinds(&[]), [true, true]);
        assert_eq!(kinds(&[tlv(0x81, &[0])]), [true, true], "DEFAULT FALSE");
        assert_eq!(kinds(&[set(1)]), [true, false]);
        assert_eq!(kinds(&[set(2)]), [false, true]);
        assert_eq!(kinds(&[set(5)]), [false, false], "attribute certificates");
        assert_eq!(kinds(&[set(1), set(2)]), [false, false], "a contradiction");
        for malformed in [&[1][..], &[], &[0xff, 0xff]] {
            assert!(Scope::parse(&seq(&[tlv(0x81, malformed)]), &named("CA")).is_none());
        }
    }

    #[test]
    fn a_list_speaks_where_certificate_and_list_name_one_place_and_publisher() {
        let indirect = tlv(0x84, &[0xff]);
        let by = |publisher| tlv(0xa2, &directory(publisher));
        let at = |name: Vec<u8>| place(&[name]);
        let nowhere: &[Vec<u8>] = &[];
        // Without a point: by the issuer, nowhere in particular or at its own name.
        assert!(covers("CA", &[], nowhere, false) && covers("CA", &[at(directory("CA"))], nowhere, false));
        assert!(!covers("CA", &[at(uri("a"))], nowhere, false));
        assert!(
            !covers("P", &[], nowhere, false)
                && !covers("P", std::slice::from_ref(&indirect), nowhere, false)
        );
        assert!(!covers("P", &[at(directory("CA"))], nowhere, false));

        // At one of the point's places.
        let point = [seq(&[place(&[uri("a"), uri("b")])])];
        assert!(
            covers("CA", &[at(uri("b"))], &point, false)
                && covers("CA", &[place(&[uri("c"), uri("a")])], &point, false)
        );
        assert!(
            !covers("CA", &[at(uri("c"))], &point, false) && !covers("P", &[at(uri("a"))], &point, false)
        );
        assert!(!covers("P", &[at(uri("a")), indirect.clone()], &point, false));

        // By the publisher whom the point names, at its place.
        let point = [seq(&[at(uri("a")), by("P")])];
        assert!(covers("P", &[at(uri("a")), indirect.clone()], &point, false));
        assert!(!covers("P", &[at(uri("a"))], &point, false), "not indirect");
        assert!(!covers("P", &[at(directory("P")), indirect.clone()], &point, false));
        assert!(!covers("Q", &[at(uri("a")), indirect.clone()], &point, false));
        assert!(!covers("CA", &[at(uri("a")), indirect.clone()], &point, false));

        // By the publisher whom the point names, whose name is the place.
        let point = [seq(&[by("P")])];
        assert!(covers("P", std::slice::from_ref(&indirect), &point, false));
        assert!(covers("P", &[at(directory("P")), indirect.clone()], &point, false));
        assert!(!covers("P", &[at(uri("a")), indirect.clone()], &point, false));
        assert!(!covers("P", &[at(directory("Q")), indirect], &point, false));
    }
}
