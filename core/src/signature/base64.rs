//! Base64 (RFC 4648 §4) of the large values of signatures: documents, certificates, tokens.

use std::sync::LazyLock;

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
use base64::engine::Simd as Fastest;
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
use base64::engine::general_purpose::GeneralPurpose as Fastest;
use base64::engine::{Engine, general_purpose::PAD};

#[cfg(any(target_arch = "x86_64", target_arch = "aarch64"))]
static ENGINE: LazyLock<Fastest> = LazyLock::new(|| Fastest::standard(PAD));
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
static ENGINE: LazyLock<Fastest> = LazyLock::new(|| Fastest::new(&base64::alphabet::STANDARD, PAD));

pub(super) fn encode(bytes: impl AsRef<[u8]>) -> String {
    ENGINE.encode(bytes)
}

/// With white space anywhere, as real files have it.
pub(super) fn decode(text: &str) -> Option<Vec<u8>> {
    if let Ok(bytes) = ENGINE.decode(text) {
        return Some(bytes);
    }
    let text: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    ENGINE.decode(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_length_is_read_back_with_or_without_white_space() {
        let bytes: Vec<u8> = (0..=255).cycle().take(600).collect();
        for length in 0..bytes.len() {
            let bytes = bytes.get(..length).unwrap();
            let text = encode(bytes);
            assert_eq!(text, base64::prelude::BASE64_STANDARD.encode(bytes));
            assert_eq!(decode(&text).as_deref(), Some(bytes));
            let lines: Vec<&str> = text.as_bytes().chunks(76).map(|l| str::from_utf8(l).unwrap()).collect();
            assert_eq!(decode(&format!("\n {}\t\n", lines.join("\r\n"))).as_deref(), Some(bytes));
        }
    }

    #[test]
    fn what_is_not_exactly_base64_is_refused_wherever_it_stands() {
        let text = encode([0xa5; 300]);
        for at in 0..text.len() {
            for odd in ["-", "_", "=", "\u{b}", "é", "\0"] {
                let mut text = text.clone();
                text.replace_range(at..=at, odd);
                assert_eq!(decode(&text), None, "{odd:?} at {at}");
            }
        }
        assert_eq!(decode("QQ"), None, "padding is required");
        assert_eq!(decode("QR=="), None, "bits that mean nothing are zero");
    }
}
