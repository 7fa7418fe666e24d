//! Passwords as Jitsi stores them: AES in ECB under a key of PBKDF2 from the master password or, where there is
//! none, from one blank. With that, everybody who has the file has the passwords.

use aes::cipher::{BlockCipherDecrypt, KeyInit};
use aes::{Aes128, Aes256, Block};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::Hmac;
use sha1::Sha1;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

const ROUNDS: u32 = 1024;
const SALT: [u8; 8] = [0x0c, 0x0a, 0x0f, 0x0e, 0x0b, 0x0e, 0x0e, 0x0f];
/// What the value of the setting `MASTER` decrypts to.
const PROOF: &[u8] = b"true";
/// The longest stored password that is tried, in characters of Base64.
const LONGEST: usize = 64 * 1024;

/// Decrypts with one master password.
pub(super) struct Vault {
    key: Zeroizing<[u8; 32]>,
}

impl Vault {
    /// With the master password; absent: with the blank that stands for none.
    pub fn new(master: Option<&str>) -> Self {
        let mut key = Zeroizing::new([0; 32]);
        let master = master.unwrap_or(" ");
        // It fails for keys that HMAC cannot take, and HMAC takes every length.
        let derived =
            pbkdf2::pbkdf2::<Hmac<Sha1>>(master.as_bytes(), &SALT, ROUNDS, key.as_mut_slice());
        debug_assert!(derived.is_ok());
        Self { key }
    }

    /// Whether this is the master password, by the value that Jitsi keeps to tell.
    pub fn fits(&self, proof: &str) -> bool {
        self.decrypt(proof)
            .is_some_and(|plain| plain.as_bytes().ct_eq(PROOF).into())
    }

    /// A stored value; absent where it is not one under this key.
    ///
    /// The key has 256 bits, or 128 where that Java allowed no more: the first half of the same derivation.
    pub fn decrypt(&self, value: &str) -> Option<Zeroizing<String>> {
        let value = value.trim();
        if value.len() > LONGEST {
            return None;
        }
        let sealed = STANDARD.decode(value).ok()?;
        let long = Aes256::new(self.key.as_slice().try_into().ok()?);
        let plain = decrypt(&sealed, |block| long.decrypt_block(block));
        if plain.is_some() {
            return plain;
        }
        let short = Aes128::new(self.key.get(..16)?.try_into().ok()?);
        decrypt(&sealed, |block| short.decrypt_block(block))
    }
}

fn decrypt(sealed: &[u8], block: impl Fn(&mut Block)) -> Option<Zeroizing<String>> {
    let mut plain = Zeroizing::new(Vec::with_capacity(sealed.len()));
    let (blocks, rest) = sealed.as_chunks::<16>();
    if blocks.is_empty() || !rest.is_empty() {
        return None;
    }
    for sealed in blocks {
        let mut opened = Zeroizing::new(*sealed);
        block((&mut *opened).into());
        plain.extend_from_slice(opened.as_slice());
    }
    // PKCS #5: as many bytes as are missing, each with that number.
    let padding = usize::from(*plain.last()?);
    let length = plain.len().checked_sub(padding)?;
    let tail = plain.get(length..)?;
    if !(1..=16).contains(&padding) || tail.iter().any(|byte| usize::from(*byte) != padding) {
        return None;
    }
    plain.truncate(length);
    let text = std::str::from_utf8(&plain).ok()?;
    (!text.chars().any(char::is_control)).then(|| Zeroizing::new(text.to_owned()))
}

/// A password as the oldest versions stored it: in Base64 only.
pub(super) fn unwrap(value: &str) -> Option<Zeroizing<String>> {
    let value = value.trim();
    if value.len() > LONGEST {
        return None;
    }
    let plain = Zeroizing::new(STANDARD.decode(value).ok()?);
    let text = std::str::from_utf8(&plain).ok()?;
    Some(Zeroizing::new(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    // Made with Python's hashlib.pbkdf2_hmac and OpenSSL's `enc -aes-256-ecb`.
    const BLANK_SECRET: &str = "/QJZCTXMzaRyd43v8u9utw==";
    const MASTER_TRUE: &str = "F3ubUj6DkDr55hNN27ekdg==";
    const MASTER_SECRET: &str = "WmLf6VmOhZfUs16qa6oLQPDKodkQXnpTkN64zsrC5GM=";
    const MASTER_TRUE_128: &str = "ik8rLcqAUiKpIXc/oUyjdA==";

    #[test]
    fn passwords_without_a_master_password_are_read() {
        let vault = Vault::new(None);
        let plain = vault.decrypt(BLANK_SECRET).expect("it decrypts");
        assert_eq!(plain.as_str(), "correct horse");
    }

    #[test]
    fn a_master_password_is_told_from_a_wrong_one() {
        let right = Vault::new(Some("master of puppets"));
        assert!(right.fits(MASTER_TRUE));
        let plain = right.decrypt(MASTER_SECRET).expect("it decrypts");
        assert_eq!(plain.as_str(), "pässwörd مرحبا");
        for wrong in [None, Some("master of puppet"), Some("")] {
            assert!(!Vault::new(wrong).fits(MASTER_TRUE));
        }
    }

    #[test]
    fn values_under_a_key_of_128_bits_are_read() {
        let vault = Vault::new(Some("master of puppets"));
        assert!(vault.fits(MASTER_TRUE_128));
    }

    #[test]
    fn what_is_no_stored_value_gives_nothing() {
        let vault = Vault::new(None);
        for value in [
            "",
            "?",
            "AAAA",
            &"A".repeat(100_000),
            "AAAAAAAAAAAAAAAAAAAAAA==",
        ] {
            assert!(vault.decrypt(value).is_none());
        }
    }

    #[test]
    fn the_oldest_form_is_base64() {
        assert_eq!(unwrap("c2VjcmV0").expect("it reads").as_str(), "secret");
        assert!(unwrap("c2VjcmV0/").is_none());
    }
}
