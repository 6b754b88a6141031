//! What one provider does differently, in one value and nowhere else. Derived from what the service announces in
//! its metadata and `info`; read leniently, written as announced.

use super::{csc::SpecsVersion, metadata::Metadata};

/// The `type` of an authorization detail for signing (RFC 9396 §2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RarType {
    /// CSC 2.0 and 2.1.
    Csc20,
    /// CSC 2.2.
    Csc22,
}

impl RarType {
    /// The identifier on the wire.
    pub fn id(self) -> &'static str {
        match self {
            Self::Csc20 => "credential",
            Self::Csc22 => "https://cloudsignatureconsortium.org/2025/credential",
        }
    }

    /// From the identifier on the wire.
    pub fn from_id(id: &str) -> Option<Self> {
        [Self::Csc20, Self::Csc22].into_iter().find(|rar| rar.id() == id)
    }
}

/// How to write to one service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceProfile {
    /// The `type` of authorization details.
    pub rar_type: RarType,
    /// The `aud` of client assertions (RFC 7523 §3): the issuer, which no other server can claim to be.
    pub assertion_audience: String,
}

impl ServiceProfile {
    /// The type of the announced CSC version, or the only one that the metadata announce.
    pub(crate) fn derive(metadata: &Metadata, specs: SpecsVersion) -> Self {
        let of_version = match specs {
            SpecsVersion::V2_0 | SpecsVersion::V2_1 => RarType::Csc20,
            SpecsVersion::V2_2 => RarType::Csc22,
        };
        let rar_type = match metadata.rar_types.as_deref() {
            Some([first, ..]) if metadata.rar_types.iter().flatten().all(|t| *t != of_version) => *first,
            _ => of_version,
        };
        Self { rar_type, assertion_audience: metadata.issuer.clone() }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::metadata, *};

    fn derived(announced: &[&str], specs: SpecsVersion) -> &'static str {
        let mut document = json!({
            "issuer": "https://a.example",
            "registration_endpoint": "https://a.example/r",
            "token_endpoint": "https://a.example/t",
            "prescriptions_endpoint": "https://a.example/p",
        });
        if !announced.is_empty() {
            document["authorization_details_types_supported"] = json!(announced);
        }
        let metadata = metadata::judge("https://a.example", &document).unwrap();
        ServiceProfile::derive(&metadata, specs).rar_type.id()
    }

    #[test]
    fn the_rar_type_follows_the_version_unless_only_the_other_is_announced() {
        let new = "https://cloudsignatureconsortium.org/2025/credential";
        assert_eq!(derived(&[], SpecsVersion::V2_0), "credential");
        assert_eq!(derived(&[], SpecsVersion::V2_1), "credential");
        assert_eq!(derived(&[], SpecsVersion::V2_2), new);
        assert_eq!(derived(&["credential", new], SpecsVersion::V2_2), new);
        assert_eq!(derived(&["credential"], SpecsVersion::V2_2), "credential");
        assert_eq!(derived(&[new], SpecsVersion::V2_0), new);
    }
}
