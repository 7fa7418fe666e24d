//! Fingerprints: the SHA-1 of a public key, and how people read them.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

/// The 160-bit fingerprint of a public key.
///
/// [`fmt::Display`] writes five groups of eight hexadecimal digits, as libotr does.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Fingerprint([u8; 20]);

/// A text that is not a fingerprint.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a fingerprint has 40 digits from 0 to 9 and A to F")]
pub struct FingerprintError;

impl Fingerprint {
    /// Takes the 20 bytes.
    pub const fn from_bytes(bytes: [u8; 20]) -> Self {
        Self(bytes)
    }

    /// The 20 bytes.
    pub const fn as_bytes(&self) -> &[u8; 20] {
        &self.0
    }

    /// Ten groups of four upper-case hexadecimal digits, easier to read aloud.
    pub fn groups(&self) -> [String; 10] {
        let mut pairs = self.0.chunks_exact(2);
        std::array::from_fn(|_| hex(pairs.next().unwrap_or_default()))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02X}")).collect()
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, group) in self.0.chunks_exact(4).enumerate() {
            if index > 0 {
                f.write_str(" ")?;
            }
            f.write_str(&hex(group))?;
        }
        Ok(())
    }
}

impl fmt::Debug for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Fingerprint({self})")
    }
}

impl FromStr for Fingerprint {
    type Err = FingerprintError;

    /// Reads 40 digits in either case; spaces, dashes and colons between them do not matter.
    fn from_str(text: &str) -> Result<Self, FingerprintError> {
        let mut bytes = [0_u8; 20];
        let mut count = 0_usize;
        for letter in text.chars() {
            if letter.is_whitespace() || matches!(letter, '-' | ':' | '\u{2010}'..='\u{2014}') {
                continue;
            }
            let digit = letter.to_digit(16).ok_or(FingerprintError)?;
            let digit = u8::try_from(digit).map_err(|_| FingerprintError)?;
            let byte = bytes.get_mut(count / 2).ok_or(FingerprintError)?;
            *byte = (*byte << 4) | digit;
            count += 1;
        }
        if count == 40 {
            Ok(Self(bytes))
        } else {
            Err(FingerprintError)
        }
    }
}
