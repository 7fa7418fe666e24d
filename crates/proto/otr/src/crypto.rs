//! Keys from a shared secret, AES-CTR and MACs (OTR v3, *Cryptographic building blocks*).

use aes::Aes128;
use ctr::Ctr128BE;
use ctr::cipher::{KeyIvInit, StreamCipher};
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::encoding::Writer;

/// AES-128 in counter mode; the upper half of the counter is `counter`, the lower starts at 0.
pub(crate) fn aes_ctr(key: &[u8; 16], counter: u64, bytes: &mut [u8]) {
    let mut iv = [0; 16];
    if let Some(upper) = iv.first_chunk_mut::<8>() {
        *upper = counter.to_be_bytes();
    }
    Ctr128BE::<Aes128>::new(key.into(), &iv.into()).apply_keystream(bytes);
}

/// SHA-256.
pub(crate) fn sha256(bytes: &[u8]) -> [u8; 32] {
    Sha256::digest(bytes).into()
}

/// SHA-1.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    Sha1::digest(bytes).into()
}

/// HMAC-SHA-256.
pub(crate) fn hmac256(key: &[u8], bytes: &[u8]) -> [u8; 32] {
    match Hmac::<Sha256>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(bytes);
            mac.finalize().into_bytes().into()
        }
        // HMAC takes keys of any length.
        Err(_) => [0; 32],
    }
}

/// HMAC-SHA-256, the first 160 bits.
pub(crate) fn hmac256_160(key: &[u8], bytes: &[u8]) -> [u8; 20] {
    let mut short = [0; 20];
    short
        .iter_mut()
        .zip(hmac256(key, bytes))
        .for_each(|(to, from)| *to = from);
    short
}

/// HMAC-SHA-1.
pub(crate) fn hmac1(key: &[u8], bytes: &[u8]) -> [u8; 20] {
    match Hmac::<Sha1>::new_from_slice(key) {
        Ok(mut mac) => {
            mac.update(bytes);
            mac.finalize().into_bytes().into()
        }
        // HMAC takes keys of any length.
        Err(_) => [0; 20],
    }
}

/// Compares in constant time.
pub(crate) fn same(a: &[u8], b: &[u8]) -> bool {
    bool::from(a.ct_eq(b))
}

/// `b ‖ secbytes`, the shared secret as an MPI with a byte before it.
fn seeded(b: u8, shared: &[u8]) -> Zeroizing<Vec<u8>> {
    let mut writer = Writer::new();
    writer.u8(b).mpi(shared);
    writer.finish()
}

/// `h1(b)`.
pub(crate) fn h1(b: u8, shared: &[u8]) -> Zeroizing<[u8; 20]> {
    Zeroizing::new(sha1(&seeded(b, shared)))
}

/// `h2(b)`.
pub(crate) fn h2(b: u8, shared: &[u8]) -> Zeroizing<[u8; 32]> {
    Zeroizing::new(sha256(&seeded(b, shared)))
}

/// The first `N` bytes of `bytes`, filled with zeros where there are fewer.
pub(crate) fn first<const N: usize>(bytes: &[u8]) -> [u8; N] {
    let mut head = [0; N];
    head.iter_mut()
        .zip(bytes)
        .for_each(|(to, from)| *to = *from);
    head
}

/// The keys of a key exchange (OTR v3, *AKE*).
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct AkeKeys {
    pub(crate) ssid: [u8; 8],
    /// c, m1, m2: of the Reveal Signature Message.
    pub(crate) reveal: Signing,
    /// c', m1', m2': of the Signature Message.
    pub(crate) signature: Signing,
}

/// The keys around one signature.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub(crate) struct Signing {
    pub(crate) c: [u8; 16],
    pub(crate) m1: [u8; 32],
    pub(crate) m2: [u8; 32],
}

impl AkeKeys {
    pub(crate) fn derive(shared: &[u8]) -> Self {
        let c = h2(1, shared);
        let (c1, c2) = c.split_at(16);
        Self {
            ssid: first(&*h2(0, shared)),
            reveal: Signing {
                c: first(c1),
                m1: *h2(2, shared),
                m2: *h2(3, shared),
            },
            signature: Signing {
                c: first(c2),
                m1: *h2(4, shared),
                m2: *h2(5, shared),
            },
        }
    }
}
