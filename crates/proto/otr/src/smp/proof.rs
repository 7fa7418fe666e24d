//! The three zero-knowledge proofs. Each hash begins with a byte of its own, so that no proof can
//! stand for another.

use sha2::{Digest, Sha256};

use super::SmpError;
use crate::group::{Element, Scalar};
use crate::keypair::Random;

/// A hash over group elements, as sent.
pub(super) type Hash = [u8; 32];

/// SHA-256 of a byte and one or two MPIs.
fn hash(version: u8, elements: &[&Element]) -> Hash {
    let mut hash = Sha256::new();
    hash.update([version]);
    for element in elements {
        let mpi = element.to_mpi();
        hash.update(u32::try_from(mpi.len()).unwrap_or(u32::MAX).to_be_bytes());
        hash.update(mpi.as_slice());
    }
    hash.finalize().into()
}

fn holds(computed: &Hash, sent: &Hash) -> Result<(), SmpError> {
    if computed == sent {
        Ok(())
    } else {
        Err(SmpError::Proof)
    }
}

/// Knowledge of *x* in *g*^*x*.
#[derive(Clone)]
pub(super) struct LogProof {
    pub(super) c: Hash,
    pub(super) d: Scalar,
}

impl LogProof {
    pub(super) fn new(version: u8, secret: &Scalar, random: Random<'_>) -> Self {
        let r = Scalar::random(random);
        let c = hash(version, &[&Element::GENERATOR.pow(&r)]);
        let d = r.answer(secret, &c);
        Self { c, d }
    }

    pub(super) fn check(&self, version: u8, power: &Element) -> Result<(), SmpError> {
        let commitment = Element::GENERATOR.pow_mul_short(&self.d, power, &self.c);
        holds(&hash(version, &[&commitment]), &self.c)
    }
}

/// Knowledge of *r* and *y* in *P* = *g3*^*r* and *Q* = *g*^*r* · *g2*^*y*.
#[derive(Clone)]
pub(super) struct CoordinatesProof {
    pub(super) c: Hash,
    pub(super) d5: Scalar,
    pub(super) d6: Scalar,
}

/// The bases *g2* and *g3* that both sides made together.
#[derive(Clone, Copy)]
pub(super) struct Bases {
    pub(super) g2: Element,
    pub(super) g3: Element,
}

/// The pair *P*, *Q* of one side.
#[derive(Clone, Copy)]
pub(super) struct Coordinates {
    pub(super) p: Element,
    pub(super) q: Element,
}

impl Coordinates {
    /// Hides `secret`, and proves that it was done as agreed.
    pub(super) fn new(
        version: u8,
        bases: &Bases,
        secret: &Scalar,
        random: Random<'_>,
    ) -> (Self, CoordinatesProof) {
        let r4 = Scalar::random(random);
        let r5 = Scalar::random(random);
        let r6 = Scalar::random(random);
        let p = bases.g3.pow(&r4);
        let q = Element::GENERATOR.pow_mul(&r4, &bases.g2, secret);
        let c = hash(
            version,
            &[
                &bases.g3.pow(&r5),
                &Element::GENERATOR.pow_mul(&r5, &bases.g2, &r6),
            ],
        );
        let proof = CoordinatesProof {
            c,
            d5: r5.answer(&r4, &c),
            d6: r6.answer(secret, &c),
        };
        (Self { p, q }, proof)
    }

    pub(super) fn check(
        &self,
        version: u8,
        bases: &Bases,
        proof: &CoordinatesProof,
    ) -> Result<(), SmpError> {
        let first = bases.g3.pow_mul_short(&proof.d5, &self.p, &proof.c);
        let second = Element::GENERATOR
            .pow_mul(&proof.d5, &bases.g2, &proof.d6)
            .mul_short(&self.q, &proof.c);
        holds(&hash(version, &[&first, &second]), &proof.c)
    }

    /// Whether the two sides differ in both parts, as they must.
    pub(super) fn differ(&self, other: &Self) -> Result<(), SmpError> {
        if self.p == other.p || self.q == other.q {
            Err(SmpError::OutOfRange)
        } else {
            Ok(())
        }
    }
}

/// Knowledge of the same *x* in *g*^*x* and *q*^*x*.
#[derive(Clone)]
pub(super) struct EqualLogsProof {
    pub(super) c: Hash,
    pub(super) d: Scalar,
}

impl EqualLogsProof {
    pub(super) fn new(version: u8, base: &Element, secret: &Scalar, random: Random<'_>) -> Self {
        let r = Scalar::random(random);
        let c = hash(version, &[&Element::GENERATOR.pow(&r), &base.pow(&r)]);
        let d = r.answer(secret, &c);
        Self { c, d }
    }

    pub(super) fn check(
        &self,
        version: u8,
        power: &Element,
        base: &Element,
        base_power: &Element,
    ) -> Result<(), SmpError> {
        let first = Element::GENERATOR.pow_mul_short(&self.d, power, &self.c);
        let second = base.pow_mul_short(&self.d, base_power, &self.c);
        holds(&hash(version, &[&first, &second]), &self.c)
    }
}
