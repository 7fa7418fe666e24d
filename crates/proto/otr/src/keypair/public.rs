//! The public half of a key: its wire form, its checks, and checking a signature.

use std::fmt;

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{MultiExponentiateBoundedExp, NonZero, Odd, U192, U256, U1024};
use sha1::{Digest, Sha1};

use super::{Fingerprint, KeyError, P_BITS, Q_BITS, Q_BYTES, SIGNATURE_BYTES, large, small};
use crate::encoding::{Reader, Writer};

type ParamsP = FixedMontyParams<{ U1024::LIMBS }>;
type ParamsQ = FixedMontyParams<{ U192::LIMBS }>;

/// The type of a DSA key on the wire.
const DSA: u16 = 0x0000;

/// The public half of a long-lived key.
#[derive(Clone)]
pub struct PublicKey {
    p: Box<ParamsP>,
    q: ParamsQ,
    g: U1024,
    y: U1024,
    wire: Vec<u8>,
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.wire == other.wire
    }
}

impl Eq for PublicKey {}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("PublicKey")
            .field(&self.fingerprint())
            .finish()
    }
}

/// Prepares arithmetic modulo *p*; fails unless *p* has 1024 bits.
pub(super) fn parameters(modulus: Odd<U1024>) -> Result<ParamsP, KeyError> {
    if modulus.bit_width_vartime() != P_BITS {
        return Err(KeyError::Kind);
    }
    Ok(FixedMontyParams::new_vartime(modulus))
}

/// Reads the type and the four numbers *p*, *q*, *g*, *y*.
pub(super) fn fields<'a>(reader: &mut Reader<'a>) -> Result<[&'a [u8]; 4], KeyError> {
    if reader.u16()? != DSA {
        return Err(KeyError::Kind);
    }
    Ok([reader.mpi()?, reader.mpi()?, reader.mpi()?, reader.mpi()?])
}

impl PublicKey {
    /// Checks the sizes, the ranges of *g* and *y*, and that both are of order *q*.
    pub(super) fn new(p: U1024, q: U192, g: U1024, y: U1024) -> Result<Self, KeyError> {
        if p.bit_width_vartime() != P_BITS || q.bit_width_vartime() != Q_BITS {
            return Err(KeyError::Kind);
        }
        let odd_p = Odd::new(p).into_option().ok_or(KeyError::Inconsistent)?;
        let odd_q = Odd::new(q).into_option().ok_or(KeyError::Inconsistent)?;
        let p_params = parameters(odd_p)?;
        for number in [&g, &y] {
            let power = FixedMontyForm::new(number, &p_params).pow_vartime(&q);
            if *number <= U1024::ONE || *number >= p || power.retrieve() != U1024::ONE {
                return Err(KeyError::Inconsistent);
            }
        }
        let mut writer = Writer::new();
        writer
            .u16(DSA)
            .mpi(p.to_be_bytes().as_ref())
            .mpi(q.to_be_bytes().as_ref())
            .mpi(g.to_be_bytes().as_ref())
            .mpi(y.to_be_bytes().as_ref());
        Ok(Self {
            p: Box::new(p_params),
            q: FixedMontyParams::new_vartime(odd_q),
            g,
            y,
            wire: writer.as_slice().to_vec(),
        })
    }

    /// Puts a key together from big-endian numbers.
    pub(crate) fn from_numbers(p: &[u8], q: &[u8], g: &[u8], y: &[u8]) -> Result<Self, KeyError> {
        Self::new(large(p)?, small(q)?, large(g)?, large(y)?)
    }

    /// Reads the wire form from the front of a message.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, KeyError> {
        let [p, q, g, y] = fields(reader)?;
        Self::from_numbers(p, q, g, y)
    }

    /// Reads the wire form; fails if something follows it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, KeyError> {
        let mut reader = Reader::new(bytes);
        let key = Self::read(&mut reader)?;
        reader.finish()?;
        Ok(key)
    }

    /// The wire form: the type, then *p*, *q*, *g* and *y* as MPIs.
    pub fn as_bytes(&self) -> &[u8] {
        &self.wire
    }

    /// The SHA-1 of the wire form without the two bytes of its type.
    pub fn fingerprint(&self) -> Fingerprint {
        let hash = Sha1::digest(self.wire.get(2..).unwrap_or_default());
        Fingerprint::from_bytes(hash.into())
    }

    /// Whether `signature` (*r* and *s*, 20 bytes each) is this key's over `message`.
    pub fn verify(&self, message: &[u8; 32], signature: &[u8; SIGNATURE_BYTES]) -> bool {
        let (r, s) = signature.split_at(Q_BYTES);
        let (Ok(r), Ok(s)) = (small(r), small(s)) else {
            return false;
        };
        let q = self.q.modulus().get();
        if r == U192::ZERO || r >= q || s == U192::ZERO || s >= q {
            return false;
        }
        let Some(w) = FixedMontyForm::new(&s, &self.q)
            .invert_vartime()
            .into_option()
        else {
            return false;
        };
        let u1 = (FixedMontyForm::new(&self.reduce(message), &self.q) * w).retrieve();
        let u2 = (FixedMontyForm::new(&r, &self.q) * w).retrieve();
        let terms = [
            (FixedMontyForm::new(&self.g, &self.p), u1),
            (FixedMontyForm::new(&self.y, &self.p), u2),
        ];
        let v = FixedMontyForm::multi_exponentiate_bounded_exp(&terms, Q_BITS).retrieve();
        self.modulo_q(&v) == r
    }

    /// Arithmetic modulo *q*.
    pub(super) fn q(&self) -> &ParamsQ {
        &self.q
    }

    /// *q* as a divisor.
    pub(super) fn q_divisor(&self) -> &NonZero<U192> {
        self.q.modulus().as_nz_ref()
    }

    /// 32 bytes as a number modulo *q*.
    pub(super) fn reduce(&self, message: &[u8; 32]) -> U192 {
        U256::from_be_slice(message).rem(self.q_divisor())
    }

    /// *g* to the power of a secret, modulo *p*, modulo *q*: in constant time.
    pub(super) fn residue(&self, secret: &U192) -> U192 {
        let power = FixedMontyForm::new(&self.g, &self.p).pow_bounded_exp(secret, Q_BITS);
        self.modulo_q(&power.retrieve())
    }

    fn modulo_q(&self, number: &U1024) -> U192 {
        number.rem(self.q_divisor())
    }
}
