//! Authenticated encryption of what is kept in files: AES-256-GCM (NIST SP 800-38D) by `ring`.
//!
//! Nonces are 96 random bits, so one key may seal 2³² messages before a collision becomes likelier than 2⁻³²
//! (SP 800-38D §8.3): far more than a phone writes in its life.

use ring::aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::Random;

/// Bytes of a key.
pub(super) const KEY_LEN: usize = 32;
/// By how much a sealed message is longer than its plaintext: nonce before, tag behind.
pub(super) const OVERHEAD: usize = NONCE_LEN + 16;

/// A message cannot be opened: another key, another context, or changed bytes. Nothing tells which.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAuthentic;

/// A key that seals and opens.
pub(super) struct SealingKey(LessSafeKey);

impl SealingKey {
    /// `None` unless the key has [`KEY_LEN`] bytes.
    pub(super) fn new(key: &[u8]) -> Option<Self> {
        UnboundKey::new(&AES_256_GCM, key).ok().map(|key| Self(LessSafeKey::new(key)))
    }

    /// `nonce || ciphertext || tag`. The context is authenticated, not stored: whoever opens must name the same.
    pub(super) fn seal(
        &self,
        random: &dyn Random,
        context: &[u8],
        plaintext: &[u8],
    ) -> Result<Vec<u8>, NotAuthentic> {
        let mut nonce = [0; NONCE_LEN];
        random.fill(&mut nonce);
        let mut ciphertext = Zeroizing::new(plaintext.to_vec());
        let tag = self
            .0
            .seal_in_place_separate_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(context),
                ciphertext.as_mut_slice(),
            )
            .map_err(|_| NotAuthentic)?;
        Ok([nonce.as_slice(), ciphertext.as_slice(), tag.as_ref()].concat())
    }

    /// The plaintext of what [`Self::seal`] made under the same key and context.
    pub(super) fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, NotAuthentic> {
        let (nonce, ciphertext) = sealed.split_first_chunk::<NONCE_LEN>().ok_or(NotAuthentic)?;
        let mut plaintext = Zeroizing::new(ciphertext.to_vec());
        let length = self
            .0
            .open_in_place(Nonce::assume_unique_for_key(*nonce), Aad::from(context), plaintext.as_mut_slice())
            .map_err(|_| NotAuthentic)?
            .len();
        plaintext.truncate(length);
        Ok(plaintext)
    }
}

#[cfg(test)]
mod tests {
    use super::super::SystemRandom;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_was_sealed_opens_again_and_any_changed_bit_does_not(
            plaintext in proptest::collection::vec(any::<u8>(), 0..200), bit in any::<proptest::sample::Index>()
        ) {
            let key = SealingKey::new(&[7; KEY_LEN]).unwrap();
            let random = SystemRandom;
            let mut sealed = key.seal(&random, b"here", &plaintext).unwrap();
            prop_assert_eq!(sealed.len(), plaintext.len() + OVERHEAD);
            prop_assert_eq!(&*key.open(b"here", &sealed).unwrap(), &plaintext);
            prop_assert_eq!(key.open(b"there", &sealed), Err(NotAuthentic));
            let bit = bit.index(sealed.len() * 8);
            sealed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(key.open(b"here", &sealed), Err(NotAuthentic));
        }
    }

    #[test]
    fn a_key_has_32_bytes_and_a_message_its_nonce_and_tag() {
        assert!(SealingKey::new(&[0; 31]).is_none());
        let key = SealingKey::new(&[0; KEY_LEN]).unwrap();
        for length in 0..OVERHEAD {
            assert_eq!(key.open(b"", &vec![0; length]), Err(NotAuthentic));
        }
    }
}
