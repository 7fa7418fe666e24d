//! Long-lived keys: DSA with a 1024-bit *p* and a 160-bit *q* (FIPS 186-2), their public half as it
//! travels, and its fingerprint (OTR v3, *Public keys, signatures, and fingerprints*).
//!
//! Signing runs in constant time; checking what is public does not need to.

mod fingerprint;
mod generate;
mod public;

use std::fmt;

use crypto_bigint::modular::FixedMontyForm;
use crypto_bigint::{NonZero, Odd, U192, U512, U1024};
use sha2::{Digest, Sha512};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

pub use self::fingerprint::{Fingerprint, FingerprintError};
pub use self::public::PublicKey;

use crate::encoding::{DecodeError, Reader, Writer, strip_zeros};

/// A source of randomness, given by the caller: fills the whole slice.
pub type Random<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Bits of *q*, and of each half of a signature.
const Q_BITS: u32 = 160;
const Q_BYTES: usize = 20;
/// Bits of *p*.
const P_BITS: u32 = 1024;
const P_BYTES: usize = 128;

/// Bytes of a signature: *r* and *s*, 20 bytes each.
pub const SIGNATURE_BYTES: usize = 2 * Q_BYTES;

/// A key that OTR cannot use.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum KeyError {
    /// Not in the form of a key.
    #[error("this is not a key")]
    Malformed,
    /// Not DSA, or not with 1024 and 160 bits.
    #[error("this is not a DSA key of 1024 bits")]
    Kind,
    /// The numbers do not belong together.
    #[error("the numbers of the key do not belong together")]
    Inconsistent,
}

impl From<DecodeError> for KeyError {
    fn from(_: DecodeError) -> Self {
        Self::Malformed
    }
}

/// The secret number *x*, from 1 to *q* − 1; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
struct Secret(U192);

/// The long-lived key pair of one account.
#[derive(Clone)]
pub struct Keypair {
    public: PublicKey,
    secret: Secret,
}

impl fmt::Debug for Keypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Keypair")
            .field("fingerprint", &self.fingerprint())
            .finish_non_exhaustive()
    }
}

impl Keypair {
    /// Makes a new key pair; takes a good part of a second.
    pub fn generate(random: Random<'_>) -> Self {
        loop {
            let domain = generate::domain(random);
            let Some(q) = NonZero::new(domain.q).into_option() else {
                continue;
            };
            let mut bytes = Zeroizing::new([0_u8; 64]);
            random(&mut *bytes);
            let mut secret = Secret(U512::from_be_slice(&*bytes).rem(&q));
            // Once in 2¹⁶⁰ keys; drawing again might never end with a broken source of randomness.
            if secret.0 == U192::ZERO {
                secret.0 = U192::ONE;
            }
            if let Ok(pair) = Self::assemble(domain.p, domain.q, domain.g, None, secret) {
                return pair;
            }
        }
    }

    /// Puts a key pair together from big-endian numbers; `y` is computed if it is not given.
    ///
    /// Fails if the sizes are not those of OTR or the numbers do not belong together.
    pub(crate) fn from_numbers(
        p: &[u8],
        q: &[u8],
        g: &[u8],
        y: Option<&[u8]>,
        x: &[u8],
    ) -> Result<Self, KeyError> {
        let secret = Secret(small(x)?);
        Self::assemble(
            large(p)?,
            small(q)?,
            large(g)?,
            y.map(large).transpose()?,
            secret,
        )
    }

    fn assemble(
        p: U1024,
        q: U192,
        g: U1024,
        y: Option<U1024>,
        secret: Secret,
    ) -> Result<Self, KeyError> {
        if secret.0 == U192::ZERO || secret.0 >= q {
            return Err(KeyError::Inconsistent);
        }
        let modulus = Odd::new(p).into_option().ok_or(KeyError::Inconsistent)?;
        let params = public::parameters(modulus)?;
        let computed = FixedMontyForm::new(&g, &params)
            .pow_bounded_exp(&secret.0, Q_BITS)
            .retrieve();
        if y.is_some_and(|given| given != computed) {
            return Err(KeyError::Inconsistent);
        }
        let public = PublicKey::new(p, q, g, computed)?;
        Ok(Self { public, secret })
    }

    /// The public half.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The fingerprint of the public half.
    pub fn fingerprint(&self) -> Fingerprint {
        self.public.fingerprint()
    }

    /// Writes the key pair for the store: the public key in wire form, then *x* as an MPI.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::new();
        let x = small_bytes(&self.secret.0);
        writer.bytes(self.public.as_bytes()).mpi(&*x);
        writer.finish()
    }

    /// Reads what [`Keypair::to_bytes`] wrote; fails on anything else.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::new(bytes);
        let [p, q, g, y] = public::fields(&mut reader)?;
        let x = reader.mpi()?;
        reader.finish()?;
        Self::from_numbers(p, q, g, Some(y), x)
    }

    /// Signs 32 bytes, taken as a number modulo *q* without hashing them again.
    ///
    /// The secret number of the signature is drawn from the key, the message and `random`
    /// together: weak randomness alone does not give the key away.
    pub fn sign(&self, message: &[u8; 32], random: Random<'_>) -> [u8; SIGNATURE_BYTES] {
        let q = *self.public.q();
        let m = self.public.reduce(message);
        let x = FixedMontyForm::new(&self.secret.0, &q);
        let mut attempt = 0_u64;
        loop {
            let k = self.nonce(message, attempt, random);
            attempt = attempt.wrapping_add(1);
            let r = self.public.residue(&k.0);
            let inverse = FixedMontyForm::new(&k.0, &q).invert().into_option();
            let Some(mut inverse) = inverse else { continue };
            let r_form = FixedMontyForm::new(&r, &q);
            let s = (inverse * (FixedMontyForm::new(&m, &q) + x * r_form)).retrieve();
            inverse.zeroize();
            // Both are zero once in 2¹⁵⁹ signatures.
            if r == U192::ZERO || s == U192::ZERO {
                continue;
            }
            let mut signature = [0_u8; SIGNATURE_BYTES];
            let (left, right) = signature.split_at_mut(Q_BYTES);
            left.copy_from_slice(&*small_bytes(&r));
            right.copy_from_slice(&*small_bytes(&s));
            return signature;
        }
    }

    /// 512 bits modulo *q*: off from even by less than 2⁻³⁵⁰.
    fn nonce(&self, message: &[u8; 32], attempt: u64, random: Random<'_>) -> Secret {
        let mut fresh = Zeroizing::new([0_u8; 64]);
        random(&mut *fresh);
        let mut hash = Sha512::new();
        hash.update(small_bytes(&self.secret.0).as_slice());
        hash.update(message);
        hash.update(attempt.to_be_bytes());
        hash.update(fresh.as_slice());
        let mut wide = Zeroizing::new([0_u8; 64]);
        wide.copy_from_slice(&hash.finalize());
        Secret(U512::from_be_slice(&*wide).rem(self.public.q_divisor()))
    }
}

/// Reads a big-endian number of at most 1024 bits.
fn large(bytes: &[u8]) -> Result<U1024, KeyError> {
    let bytes = strip_zeros(bytes);
    let mut wide = [0_u8; P_BYTES];
    let start = P_BYTES.checked_sub(bytes.len()).ok_or(KeyError::Kind)?;
    wide.get_mut(start..)
        .ok_or(KeyError::Kind)?
        .copy_from_slice(bytes);
    Ok(U1024::from_be_slice(&wide))
}

/// Reads a big-endian number of at most 160 bits.
fn small(bytes: &[u8]) -> Result<U192, KeyError> {
    let bytes = strip_zeros(bytes);
    if bytes.len() > Q_BYTES {
        return Err(KeyError::Kind);
    }
    let mut wide = Zeroizing::new([0_u8; 24]);
    let start = wide.len().saturating_sub(bytes.len());
    wide.get_mut(start..)
        .ok_or(KeyError::Kind)?
        .copy_from_slice(bytes);
    Ok(U192::from_be_slice(&*wide))
}

/// A number below 2¹⁶⁰ in 20 bytes, big-endian.
fn small_bytes(number: &U192) -> Zeroizing<[u8; Q_BYTES]> {
    let mut bytes = Zeroizing::new([0_u8; Q_BYTES]);
    if let Some(low) = number.to_be_bytes().as_ref().last_chunk::<Q_BYTES>() {
        bytes.copy_from_slice(low);
    }
    bytes
}

#[cfg(test)]
mod tests;
