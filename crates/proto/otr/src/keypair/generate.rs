//! Numbers for a new key: a 160-bit prime *q*, a 1024-bit prime *p* = 2*kq* + 1, and a *g* of
//! order *q*.
//!
//! Candidates for *p* are sieved by small primes before the costly test. None of these numbers is
//! secret, so nothing here needs constant time.

use crypto_bigint::modular::{FixedMontyForm, FixedMontyParams};
use crypto_bigint::{Limb, NonZero, Odd, U192, U1024, Uint};

use super::{P_BITS, P_BYTES, Q_BITS, Random};

/// Small primes are those below this.
const SIEVE: u32 = 1 << 14;

/// Candidates for *p* that are sieved at once.
const WINDOW: usize = 4096;

/// Rounds of Miller-Rabin with random bases: an error once in 2⁸⁰ for any number at all, and far
/// more rarely for one drawn at random.
const ROUNDS: usize = 40;

/// The public numbers all keys of a group share.
pub(super) struct Domain {
    pub(super) p: U1024,
    pub(super) q: U192,
    pub(super) g: U1024,
}

/// Makes a group of its own for one key.
pub(super) fn domain(random: Random<'_>) -> Domain {
    let primes = small_primes();
    loop {
        let q = prime_q(&primes, random);
        let Some(p) = prime_p(&q, &primes, random) else {
            continue;
        };
        if let Some(g) = generator(&p, &q) {
            return Domain { p, q, g };
        }
    }
}

/// The odd primes below [`SIEVE`].
fn small_primes() -> Vec<u32> {
    let mut primes: Vec<u32> = Vec::with_capacity(2000);
    for number in (3..SIEVE).step_by(2) {
        let prime = primes
            .iter()
            .take_while(|prime| **prime * **prime <= number)
            .all(|prime| number % prime != 0);
        if prime {
            primes.push(number);
        }
    }
    primes
}

fn remainder<const LIMBS: usize>(number: &Uint<LIMBS>, prime: u32) -> u64 {
    match NonZero::new(Limb::from_u32(prime)).into_option() {
        Some(divisor) => word(number.rem_limb(divisor)),
        None => 0,
    }
}

fn word(limb: Limb) -> u64 {
    #[allow(clippy::useless_conversion)] // A word has 32 bits on some machines.
    u64::from(limb.0)
}

fn prime_q(primes: &[u32], random: Random<'_>) -> U192 {
    loop {
        let mut bytes = [0_u8; 24];
        random(&mut bytes);
        let number = U192::from_be_slice(&bytes).shr_vartime(192 - Q_BITS);
        let number = number | U192::ONE | U192::ONE.shl_vartime(Q_BITS - 1);
        // A broken source of randomness must not hold the program: step on from where it points.
        for step in 0..4096_u32 {
            let candidate = number.wrapping_add(&U192::from_u32(2 * step));
            if candidate.bit_width_vartime() != Q_BITS {
                break;
            }
            let small = primes
                .iter()
                .take(200)
                .any(|prime| remainder(&candidate, *prime) == 0);
            if !small && is_prime(&candidate, random) {
                return candidate;
            }
        }
    }
}

/// Looks through one window of candidates; none may hold a prime.
fn prime_p(q: &U192, primes: &[u32], random: Random<'_>) -> Option<U1024> {
    let mut bytes = [0_u8; P_BYTES];
    random(&mut bytes);
    let start = U1024::from_be_slice(&bytes) | U1024::ONE.shl_vartime(P_BITS - 1);
    let step = q.resize::<{ U1024::LIMBS }>().shl_vartime(1);
    let divisor = NonZero::new(step).into_option()?;
    let first = start
        .wrapping_sub(&start.rem_vartime(&divisor))
        .wrapping_add(&U1024::ONE);

    let mut composite = vec![false; WINDOW];
    for prime in primes {
        let modulus = u64::from(*prime);
        let (offset, stride) = (remainder(&first, *prime), remainder(&step, *prime));
        if stride == 0 {
            continue;
        }
        // The first candidate that the prime divides: offset + i · stride = 0 modulo the prime.
        let mut at = 0_u64;
        let mut value = offset;
        while value != 0 && at < modulus {
            value = (value + stride) % modulus;
            at += 1;
        }
        let from = usize::try_from(at).ok()?;
        let by = usize::try_from(modulus).ok()?;
        for mark in composite.iter_mut().skip(from).step_by(by) {
            *mark = true;
        }
    }

    let mut candidate = first;
    for mark in composite {
        if !mark && candidate.bit_width_vartime() == P_BITS && is_prime(&candidate, random) {
            return Some(candidate);
        }
        candidate = candidate.wrapping_add(&step);
        if candidate.bit_width_vartime() != P_BITS {
            return None;
        }
    }
    None
}

/// The first of 2, 3, 4… whose power (*p* − 1) / *q* is not 1.
fn generator(p: &U1024, q: &U192) -> Option<U1024> {
    let params = FixedMontyParams::new_vartime(Odd::new(*p).into_option()?);
    let divisor = NonZero::new(q.resize::<{ U1024::LIMBS }>()).into_option()?;
    let (exponent, _) = p.wrapping_sub(&U1024::ONE).div_rem_vartime(&divisor);
    (2..100_u32)
        .map(|base| {
            FixedMontyForm::new(&U1024::from_u32(base), &params)
                .pow_vartime(&exponent)
                .retrieve()
        })
        .find(|power| *power != U1024::ONE)
}

/// Miller-Rabin: base 2 first, for it finds nearly every composite, then random bases.
fn is_prime<const LIMBS: usize>(number: &Uint<LIMBS>, random: Random<'_>) -> bool {
    let Some(odd) = Odd::new(*number).into_option() else {
        return false;
    };
    let params = FixedMontyParams::new_vartime(odd);
    let less = number.wrapping_sub(&Uint::ONE);
    let twos = less.trailing_zeros_vartime();
    let exponent = less.shr_vartime(twos);
    let one = FixedMontyForm::one(&params);
    let minus_one = FixedMontyForm::new(&less, &params);
    let passes = |base: &Uint<LIMBS>| {
        let mut power = FixedMontyForm::new(base, &params).pow_vartime(&exponent);
        if power == one || power == minus_one {
            return true;
        }
        for _ in 1..twos {
            power = power.square();
            if power == minus_one {
                return true;
            }
        }
        false
    };
    if !passes(&Uint::from_u32(2)) {
        return false;
    }
    (0..ROUNDS).all(|_| {
        // 64 random bits are base enough: any base of the range serves.
        let mut bytes = [0_u8; 8];
        random(&mut bytes);
        passes(&Uint::from_u64(u64::from_be_bytes(bytes) | 2))
    })
}
