//! JSON Web Signatures with ES256 and P-256 keys (RFC 7515, 7517, 7518 §3.4, 7638), as the wire uses them.

/// A P-256 public key (RFC 7517 `kty: EC`, `crv: P-256`).
#[derive(Clone, PartialEq, Eq)]
pub struct PublicKey([u8; 65]);

impl PublicKey {
    /// The uncompressed point, SEC 1 §2.3.3: `04 || x || y`, 65 bytes.
    pub fn uncompressed(&self) -> &[u8; 65] {
        &self.0
    }
}
