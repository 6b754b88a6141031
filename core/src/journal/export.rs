//! A journal that has left the phone: its lines and one that closes it.

use serde::{Deserialize, Serialize};

use super::{
    Digest, Head, JournalError, Summary,
    chain::{Tampering, TamperingKind, Walk},
};

/// The last line of an export.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Closing {
    closing: Close,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Close {
    count: u64,
    hash: Digest,
}

pub(super) fn closing_line(head: &Head) -> Vec<u8> {
    format!("{{\"closing\":{{\"count\":{},\"hash\":\"{}\"}}}}\n", head.count, head.hash).into_bytes()
}

/// Checks that an export hangs together: every line, their order, and the closing line. That it is the phone's own
/// and not computed anew, only the phone can tell ([`super::Journal::verify`]), or whoever noted an earlier head.
///
/// # Errors
/// The first place that is wrong.
pub fn verify_export(export: &[u8]) -> Result<Summary, Tampering> {
    let text = export.strip_suffix(b"\n").unwrap_or(export);
    let lines = text.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
    let (lines, closing) = text.split_at(lines);
    let mut walk = Walk::new(lines);
    match walk.finish() {
        Ok(_) => {}
        Err(JournalError::Tampered(tampering)) => return Err(tampering),
        Err(_) => return Err(walk.tampering(TamperingKind::Malformed)),
    }
    let Ok(Closing { closing }) = serde_json::from_slice(closing) else {
        return Err(walk.tampering(TamperingKind::Truncated));
    };
    let head = walk.head();
    if closing.count > head.count {
        return Err(walk.tampering(TamperingKind::Truncated));
    }
    if (closing.count, closing.hash) != (head.count, head.hash) {
        return Err(walk.tampering(TamperingKind::HeadDiffers));
    }
    Ok(walk.summary())
}
