//! Keys for other things than the database, and small sealed pieces.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::key::{DatabaseKey, KeyError};

/// Length of a nonce of XChaCha20-Poly1305 in bytes: long enough to be drawn at random each time.
const NONCE: usize = 24;

impl DatabaseKey {
    /// A key of its own for each purpose (RFC 5869 §2.3, HKDF-Expand with SHA-256, one block). The database key is
    /// random and whole, so the step before that is not needed (§3.3).
    pub(crate) fn derive(&self, purpose: &str, salt: &[u8]) -> Zeroizing<[u8; 32]> {
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(self.expose())
            .expect("HMAC takes keys of every length");
        mac.update(purpose.as_bytes());
        mac.update(&[0]);
        mac.update(salt);
        mac.update(&[1]);
        Zeroizing::new(mac.finalize().into_bytes().into())
    }

    /// Seals a piece that stays in memory or is small (XChaCha20-Poly1305). Opened with the same purpose only.
    ///
    /// # Errors
    ///
    /// [`KeyError::Random`] and [`KeyError::Memory`].
    pub fn seal(&self, purpose: &str, plain: &[u8]) -> Result<Vec<u8>, KeyError> {
        let nonce: [u8; NONCE] = crate::key::random()?;
        let cipher = XChaCha20Poly1305::new((&*self.derive(purpose, &[])).into());
        let payload = Payload {
            msg: plain,
            aad: purpose.as_bytes(),
        };
        let sealed = cipher
            .encrypt(&XNonce::from(nonce), payload)
            .map_err(|_| KeyError::Memory)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// What [`DatabaseKey::seal`] sealed; absent when it was changed, or sealed by another key or for another purpose.
    pub fn unseal(&self, purpose: &str, sealed: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (nonce, sealed) = sealed.split_first_chunk::<NONCE>()?;
        let cipher = XChaCha20Poly1305::new((&*self.derive(purpose, &[])).into());
        let payload = Payload {
            msg: sealed,
            aad: purpose.as_bytes(),
        };
        cipher
            .decrypt(&XNonce::from(*nonce), payload)
            .map(Zeroizing::new)
            .ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_store_02_a_sealed_piece_opens_only_whole_for_its_purpose_and_by_its_key() {
        let key = DatabaseKey::random().expect("random bytes");
        let sealed = key.seal("one", b"canary").expect("it seals");
        assert!(!sealed.windows(6).any(|window| window == b"canary"));
        let opened = key.unseal("one", &sealed).expect("it opens");
        assert_eq!(opened.as_slice(), b"canary");
        assert_eq!(key.unseal("two", &sealed), None);
        let other = DatabaseKey::random().expect("random bytes");
        assert_eq!(other.unseal("one", &sealed), None);
        for at in 0..sealed.len() {
            let mut bent = sealed.clone();
            bent[at] ^= 1;
            assert_eq!(key.unseal("one", &bent), None, "byte {at}");
            assert_eq!(key.unseal("one", &sealed[..at]), None, "cut at {at}");
        }
        assert_ne!(sealed, key.seal("one", b"canary").expect("it seals"));
    }

    #[test]
    fn each_purpose_and_salt_has_a_key_of_its_own() {
        let key = DatabaseKey::from_bytes(&[7; 32]);
        let keys = [
            key.derive("a", &[]),
            key.derive("b", &[]),
            key.derive("a", b"b"),
            key.derive("", b"a"),
        ];
        for (index, one) in keys.iter().enumerate() {
            assert_ne!(one.as_slice(), &[7; 32]);
            assert!(keys.iter().skip(index + 1).all(|other| other != one));
        }
    }
}
