//! Where canonical bytes go, and how text is escaped on its way there (Canonical XML 1.0 §2.3).

/// Where canonical bytes go.
pub(in crate::signature) trait Sink {
    fn write(&mut self, bytes: &[u8]);
}

impl Sink for Vec<u8> {
    fn write(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// A digest that takes small pieces in many at a time: canonical markup comes a few bytes at a time.
pub(in crate::signature) struct Hasher {
    context: ring::digest::Context,
    pending: [u8; Self::BUFFER],
    filled: usize,
}

impl Hasher {
    /// Bytes that are collected before they are hashed.
    const BUFFER: usize = 512;

    pub(in crate::signature) fn new(algorithm: &'static ring::digest::Algorithm) -> Self {
        Self { context: ring::digest::Context::new(algorithm), pending: [0; Self::BUFFER], filled: 0 }
    }

    pub(in crate::signature) fn finish(mut self) -> ring::digest::Digest {
        self.flush();
        self.context.finish()
    }

    fn flush(&mut self) {
        self.context.update(self.pending.get(..self.filled).unwrap_or_default());
        self.filled = 0;
    }

    /// Whether there was room.
    fn collect(&mut self, bytes: &[u8]) -> bool {
        let room = self.pending.get_mut(self.filled..).and_then(|free| free.get_mut(..bytes.len()));
        let Some(room) = room else { return false };
        room.copy_from_slice(bytes);
        self.filled += bytes.len();
        true
    }
}

impl Sink for Hasher {
    fn write(&mut self, bytes: &[u8]) {
        if !self.collect(bytes) {
            self.flush();
            if !self.collect(bytes) {
                self.context.update(bytes);
            }
        }
    }
}

pub(super) fn write_text(sink: &mut impl Sink, text: &str) {
    escape(sink, text, is_text_special, text_escape);
}

/// `=` and the value in quotes.
pub(super) fn write_value(sink: &mut impl Sink, value: &str) {
    sink.write(b"=\"");
    escape(sink, value, is_attribute_special, attribute_escape);
    sink.write(b"\"");
}

fn is_text_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'<' | b'>' | b'\r')
}

fn is_attribute_special(byte: u8) -> bool {
    matches!(byte, b'&' | b'<' | b'"' | b'\t' | b'\n' | b'\r')
}

fn text_escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'>' => Some(b"&gt;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    }
}

fn attribute_escape(byte: u8) -> Option<&'static [u8]> {
    match byte {
        b'&' => Some(b"&amp;"),
        b'<' => Some(b"&lt;"),
        b'"' => Some(b"&quot;"),
        b'\t' => Some(b"&#x9;"),
        b'\n' => Some(b"&#xA;"),
        b'\r' => Some(b"&#xD;"),
        _ => None,
    }
}

fn has(text: &str, is_special: impl Fn(u8) -> bool) -> bool {
    // Without an early exit the check is vectorised.
    text.bytes().fold(false, |found, byte| found | is_special(byte))
}

fn escape(
    sink: &mut impl Sink,
    text: &str,
    is_special: impl Fn(u8) -> bool,
    escape: impl Fn(u8) -> Option<&'static [u8]>,
) {
    if !has(text, is_special) {
        return sink.write(text.as_bytes());
    }
    let mut rest = text.as_bytes();
    while let Some((at, replacement)) = rest.iter().enumerate().find_map(|(at, b)| Some((at, escape(*b)?))) {
        let (plain, after) = rest.split_at(at);
        sink.write(plain);
        sink.write(replacement);
        rest = after.get(1..).unwrap_or_default();
    }
    sink.write(rest);
}

#[cfg(test)]
mod tests {
    use ring::digest::{SHA256, digest};

    use super::*;

    #[test]
    fn exactly_what_has_an_escape_is_searched_for() {
        for byte in 0..=u8::MAX {
            assert_eq!(is_text_special(byte), text_escape(byte).is_some(), "{byte}");
            assert_eq!(is_attribute_special(byte), attribute_escape(byte).is_some(), "{byte}");
        }
        for (text, is_found) in [("", false), ("plain \"text\"\n", false), ("a>", true), ("<>", true)] {
            assert_eq!(has(text, is_text_special), is_found, "{text}");
        }
    }

    #[test]
    fn a_hasher_collects_what_fits_and_hashes_all_of_it_in_order() {
        let mut hasher = Hasher::new(&SHA256);
        assert!(hasher.collect(&[1]) && hasher.collect(&[2; Hasher::BUFFER - 1]));
        assert!(!hasher.collect(&[3]));
        let bytes: Vec<u8> = (0..=u8::MAX).cycle().take(5 * Hasher::BUFFER).collect();
        for size in [1, 7, Hasher::BUFFER - 1, Hasher::BUFFER, Hasher::BUFFER + 1] {
            let mut hasher = Hasher::new(&SHA256);
            for piece in bytes.chunks(size) {
                hasher.write(piece);
                hasher.write(&[]);
            }
            assert_eq!(hasher.finish().as_ref(), digest(&SHA256, &bytes).as_ref(), "{size}");
        }
    }
}
