//! Bytes → [`Prescription`]: the only thing that can be signed, and what the doctor is shown of it.

/// An e-prescription that may be signed. It owns the immutable bytes; preview and digest both derive from them.
pub struct Prescription {
    envelope: Vec<u8>,
}

impl Prescription {
    /// The envelope, without signature: exactly the bytes that were received, or, for a bare CSV, the envelope that
    /// the agent made around it.
    pub fn envelope(&self) -> &[u8] {
        &self.envelope
    }
}
