//! The 1536-bit MODP group of RFC 3526, section 2: generator 2, of prime order *q* = (*p* − 1) / 2
//! (OTR v3, *Socialist Millionaires' Protocol* and *AKE*).
//!
//! Everything that touches a secret exponent runs in constant time.

use std::fmt;

use crypto_bigint::modular::{ConstMontyForm, ConstMontyParams};
use crypto_bigint::{MultiExponentiateBoundedExp, U256, U320, U1536, const_monty_params};
use subtle::{Choice, ConstantTimeEq};
use thiserror::Error;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::encoding::strip_zeros;
use crate::keypair::Random;

/// The modulus *p* of RFC 3526, section 2, in hexadecimal.
const MODULUS: &str = concat!(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74",
    "020BBEA63B139B22514A08798E3404DDEF9519B3CD3A431B302B0A6DF25F1437",
    "4FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED",
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE45B3DC2007CB8A163BF05",
    "98DA48361C55D39A69163FA8FD24CF5F83655D23DCA3AD961C62F356208552BB",
    "9ED529077096966D670C354E4ABC9804F1746C08CA237327FFFFFFFFFFFFFFFF",
);

/// (*p* − 1) / 2, in hexadecimal.
const ORDER: &str = concat!(
    "7FFFFFFFFFFFFFFFE487ED5110B4611A62633145C06E0E68948127044533E63A",
    "0105DF531D89CD9128A5043CC71A026EF7CA8CD9E69D218D98158536F92F8A1B",
    "A7F09AB6B6A8E122F242DABB312F3F637A262174D31BF6B585FFAE5B7A035BF6",
    "F71C35FDAD44CFD2D74F9208BE258FF324943328F6722D9EE1003E5C50B1DF82",
    "CC6D241B0E2AE9CD348B1FD47E9267AFC1B2AE91EE51D6CB0E3179AB1042A95D",
    "CF6A9483B84B4B36B3861AA7255E4C0278BA36046511B993FFFFFFFFFFFFFFFF",
);

const_monty_params!(ModP, U1536, MODULUS, "Arithmetic modulo *p*.");
const_monty_params!(ModQ, U1536, ORDER, "Arithmetic modulo *q*.");

type FieldElement = ConstMontyForm<ModP, { U1536::LIMBS }>;
type Exponent = ConstMontyForm<ModQ, { U1536::LIMBS }>;

/// Bytes of a number modulo *p* at full width.
pub(crate) const ELEMENT_BYTES: usize = 192;

/// Bits of *q*.
const ORDER_BITS: u32 = 1535;

/// Bytes of a Diffie-Hellman secret: 320 bits, the least that OTR v3 asks for.
const SECRET_BYTES: usize = 40;

/// A number a peer sent is not one the protocol allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("a number is outside the range the protocol allows")]
pub(crate) struct OutOfRange;

/// The modulus *p*.
fn modulus() -> U1536 {
    ModP::PARAMS.modulus().get()
}

/// The order *q*.
fn order() -> U1536 {
    ModQ::PARAMS.modulus().get()
}

/// Reads a big-endian number of at most 1536 bits.
fn number(bytes: &[u8]) -> Option<U1536> {
    let bytes = strip_zeros(bytes);
    let mut wide = Zeroizing::new([0_u8; ELEMENT_BYTES]);
    let start = ELEMENT_BYTES.checked_sub(bytes.len())?;
    wide.get_mut(start..)?.copy_from_slice(bytes);
    Some(U1536::from_be_slice(&*wide))
}

/// The full-width big-endian form of a number.
fn wide(number: &U1536) -> Zeroizing<[u8; ELEMENT_BYTES]> {
    let mut out = Zeroizing::new([0_u8; ELEMENT_BYTES]);
    out.copy_from_slice(number.to_be_bytes().as_ref());
    out
}

/// A member of the group: from 2 to *p* − 2.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Element(U1536);

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Element(..)")
    }
}

impl Zeroize for Element {
    fn zeroize(&mut self) {
        self.0.zeroize();
    }
}

impl Element {
    /// The generator of the group.
    pub(crate) const GENERATOR: Self = Self(U1536::from_u8(2));

    /// Takes the content of an MPI: fails unless it is from 2 to *p* − 2.
    pub(crate) fn from_mpi(mpi: &[u8]) -> Result<Self, OutOfRange> {
        let number = number(mpi).ok_or(OutOfRange)?;
        let limit = modulus().wrapping_sub(&U1536::from_u8(2));
        if number < U1536::from_u8(2) || number > limit {
            return Err(OutOfRange);
        }
        Ok(Self(number))
    }

    /// The content of the MPI of this element: big-endian, without leading zeros.
    pub(crate) fn to_mpi(self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(strip_zeros(&*wide(&self.0)).to_vec())
    }

    /// This element to the power of a scalar.
    pub(crate) fn pow(&self, exponent: &Scalar) -> Self {
        let power = self.field().pow_bounded_exp(&exponent.number(), ORDER_BITS);
        Self(power.retrieve())
    }

    /// The product of two elements.
    #[cfg(test)]
    pub(crate) fn mul(&self, other: &Self) -> Self {
        Self((self.field() * other.field()).retrieve())
    }

    /// This element divided by another.
    pub(crate) fn div(&self, other: &Self) -> Self {
        // No element is zero, and p is prime: the inverse exists.
        let inverse = other.field().invert();
        let inverse = inverse.into_option().unwrap_or(FieldElement::ONE);
        Self((self.field() * inverse).retrieve())
    }

    /// `self^exponent · other^power`, the form in which every proof is checked.
    pub(crate) fn pow_mul(&self, exponent: &Scalar, other: &Self, power: &Scalar) -> Self {
        let terms = [
            (self.field(), exponent.number()),
            (other.field(), power.number()),
        ];
        let product = FieldElement::multi_exponentiate_bounded_exp(&terms, ORDER_BITS);
        Self(product.retrieve())
    }

    /// `self^exponent · other^challenge`; quicker than [`Element::pow_mul`], for a hash is short.
    pub(crate) fn pow_mul_short(&self, exponent: &Scalar, other: &Self, hash: &[u8; 32]) -> Self {
        self.pow(exponent).mul_short(other, hash)
    }

    /// `self · other^hash`.
    pub(crate) fn mul_short(&self, other: &Self, hash: &[u8; 32]) -> Self {
        let short = other
            .field()
            .pow_bounded_exp(&U256::from_be_slice(hash), 256);
        Self((self.field() * short).retrieve())
    }

    fn field(&self) -> FieldElement {
        FieldElement::new(&self.0)
    }
}

impl ConstantTimeEq for Element {
    fn ct_eq(&self, other: &Self) -> Choice {
        wide(&self.0).as_slice().ct_eq(wide(&other.0).as_slice())
    }
}

/// A number modulo *q*; wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Scalar(U1536);

impl Scalar {
    /// A random scalar, not zero.
    ///
    /// 1536 random bits are taken modulo *q*, which is off from even by less than 2⁻⁶³.
    pub(crate) fn random(random: Random<'_>) -> Self {
        let mut bytes = Zeroizing::new([0_u8; ELEMENT_BYTES]);
        random(&mut *bytes);
        let number = U1536::from_be_slice(&*bytes);
        let scalar = Self(Exponent::new(&number).retrieve());
        // Zero comes up once in 2¹⁵³⁵ draws; one in its place keeps this free of a loop that a
        // broken source of randomness would never leave.
        if bool::from(scalar.0.is_nonzero()) {
            scalar
        } else {
            Self(U1536::ONE)
        }
    }

    /// Takes the content of an MPI: fails unless it is from 1 to *q* − 1.
    pub(crate) fn from_mpi(mpi: &[u8]) -> Result<Self, OutOfRange> {
        let number = number(mpi).ok_or(OutOfRange)?;
        if number == U1536::ZERO || number >= order() {
            return Err(OutOfRange);
        }
        Ok(Self(number))
    }

    /// A hash or a secret of 256 bits as a scalar.
    pub(crate) fn from_hash(hash: &[u8; 32]) -> Self {
        Self(U256::from_be_slice(hash).resize())
    }

    /// The content of the MPI of this scalar: big-endian, without leading zeros.
    pub(crate) fn to_mpi(&self) -> Zeroizing<Vec<u8>> {
        Zeroizing::new(strip_zeros(&*wide(&self.0)).to_vec())
    }

    /// `self − secret · hash` modulo *q*: the answer of a proof.
    pub(crate) fn answer(&self, secret: &Self, hash: &[u8; 32]) -> Self {
        let product = Exponent::new(&secret.0) * Exponent::new(&Self::from_hash(hash).0);
        Self((Exponent::new(&self.0) - product).retrieve())
    }

    fn number(&self) -> U1536 {
        self.0
    }
}

/// The secret half of a Diffie-Hellman key pair: 320 bits, wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct DhSecret([u8; SECRET_BYTES]);

/// A Diffie-Hellman key pair.
#[derive(Clone)]
pub(crate) struct DhKeypair {
    secret: DhSecret,
    /// The half the peer gets.
    pub(crate) public: Element,
}

impl fmt::Debug for DhKeypair {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DhKeypair(..)")
    }
}

impl DhKeypair {
    /// Makes a key pair from 320 random bits.
    pub(crate) fn generate(random: Random<'_>) -> Self {
        let mut bytes = Zeroizing::new([0_u8; SECRET_BYTES]);
        random(&mut *bytes);
        Self::from_secret(&bytes)
    }

    fn from_secret(bytes: &[u8; SECRET_BYTES]) -> Self {
        let secret = DhSecret(*bytes);
        let public = power(&Element::GENERATOR, &secret);
        Self { secret, public }
    }

    /// The secret shared with the owner of `other`: the content of an MPI (big-endian, without
    /// leading zeros).
    pub(crate) fn shared(&self, other: &Element) -> Zeroizing<Vec<u8>> {
        let mut shared = power(other, &self.secret);
        let bytes = shared.to_mpi();
        shared.zeroize();
        bytes
    }

    /// Writes the key pair for the store: 40 bytes.
    pub(crate) fn to_bytes(&self) -> Zeroizing<[u8; SECRET_BYTES]> {
        Zeroizing::new(self.secret.0)
    }

    /// Reads what [`DhKeypair::to_bytes`] wrote; fails on another length.
    pub(crate) fn from_bytes(bytes: &[u8]) -> Result<Self, OutOfRange> {
        let bytes = Zeroizing::new(<[u8; SECRET_BYTES]>::try_from(bytes).map_err(|_| OutOfRange)?);
        Ok(Self::from_secret(&bytes))
    }
}

fn power(base: &Element, secret: &DhSecret) -> Element {
    let mut exponent = U320::from_be_slice(&secret.0);
    let power = base.field().pow_bounded_exp(&exponent, U320::BITS);
    exponent.zeroize();
    Element(power.retrieve())
}

#[cfg(test)]
pub(crate) mod tests;
