//! The authenticated key exchange with one instance (OTR v3, *Authenticated Key Exchange*).

use zeroize::Zeroizing;

use crate::config::Env;
use crate::crypto::{AkeKeys, Signing, aes_ctr, hmac256, hmac256_160, same, sha256};
use crate::encoding::{Reader, Writer};
use crate::group::{DhKeypair, Element};
use crate::keypair::PublicKey;
use crate::wire::{DH_COMMIT, DH_KEY, DhCommit, REVEAL_SIGNATURE, SIGNATURE, Signed};

/// The key id of our key in a key exchange: each one makes a fresh key.
const OUR_KEYID: u32 = 1;

/// A DH-Commit Message of ours.
#[derive(Clone)]
pub(crate) struct Commit {
    keypair: DhKeypair,
    r: Zeroizing<[u8; 16]>,
    hashed: [u8; 32],
    encrypted: Vec<u8>,
}

impl Commit {
    pub(crate) fn new(env: &mut Env<'_>) -> Self {
        let keypair = DhKeypair::generate(env.random);
        let mut r = Zeroizing::new([0; 16]);
        (env.random)(&mut *r);
        let mut writer = Writer::new();
        writer.mpi(&keypair.public.to_mpi());
        let hashed = sha256(writer.as_slice());
        let mut encrypted = writer.as_slice().to_vec();
        aes_ctr(&r, 0, &mut encrypted);
        Self {
            keypair,
            r,
            hashed,
            encrypted,
        }
    }

    pub(crate) fn reply(&self) -> Reply {
        let mut writer = Writer::new();
        writer.data(&self.encrypted).data(&self.hashed);
        Reply {
            kind: DH_COMMIT,
            body: writer.finish(),
        }
    }
}

/// A message to send: its type and what follows the header.
pub(crate) struct Reply {
    pub(crate) kind: u8,
    pub(crate) body: Zeroizing<Vec<u8>>,
}

/// Authentication state.
#[derive(Default)]
#[allow(clippy::large_enum_variant, reason = "at most eight stand in memory")]
pub(crate) enum Auth {
    #[default]
    None,
    AwaitingDhKey(Commit),
    AwaitingRevealSig {
        keypair: DhKeypair,
        encrypted: Vec<u8>,
        hashed: [u8; 32],
    },
    AwaitingSig {
        keypair: DhKeypair,
        theirs: Element,
        keys: AkeKeys,
        reveal: Zeroizing<Vec<u8>>,
    },
}

/// A completed key exchange.
pub(crate) struct Done {
    pub(crate) key: PublicKey,
    pub(crate) keypair: DhKeypair,
    pub(crate) theirs: Element,
    pub(crate) their_keyid: u32,
    pub(crate) ssid: [u8; 8],
    /// Our half of the session id is the first: we answered.
    pub(crate) first_half: bool,
}

/// What a message led to.
#[derive(Default)]
pub(crate) struct Step {
    pub(crate) reply: Option<Reply>,
    pub(crate) done: Option<Done>,
}

impl Step {
    fn reply(kind: u8, body: Zeroizing<Vec<u8>>) -> Self {
        Self {
            reply: Some(Reply { kind, body }),
            done: None,
        }
    }
}

impl Auth {
    pub(crate) fn is_none(&self) -> bool {
        matches!(self, Self::None)
    }

    /// Takes a message of the key exchange; what does not fit the state is ignored (S-OTR-10).
    pub(crate) fn handle(&mut self, env: &mut Env<'_>, kind: u8, body: Reader<'_>) -> Step {
        let step = match kind {
            DH_COMMIT => self.commit(env, body),
            DH_KEY => self.key(env, body),
            REVEAL_SIGNATURE => self.reveal(env, body),
            SIGNATURE => self.signature(body),
            _ => None,
        };
        step.unwrap_or_default()
    }

    fn commit(&mut self, env: &mut Env<'_>, body: Reader<'_>) -> Option<Step> {
        let commit = DhCommit::read(body)?;
        let keypair = match self {
            Self::AwaitingDhKey(ours) if ours.hashed == commit.hashed_gx => return None,
            Self::AwaitingDhKey(ours) if ours.hashed > commit.hashed_gx => {
                return Some(Step {
                    reply: Some(ours.reply()),
                    done: None,
                });
            }
            Self::AwaitingRevealSig { keypair, .. } => keypair.clone(),
            _ => DhKeypair::generate(env.random),
        };
        let mut writer = Writer::new();
        writer.mpi(&keypair.public.to_mpi());
        let (encrypted, hashed) = (commit.encrypted_gx.to_vec(), commit.hashed_gx);
        *self = Self::AwaitingRevealSig {
            keypair,
            encrypted,
            hashed,
        };
        Some(Step::reply(DH_KEY, writer.finish()))
    }

    fn key(&mut self, env: &mut Env<'_>, mut body: Reader<'_>) -> Option<Step> {
        let theirs = Element::from_mpi(body.mpi().ok()?).ok()?;
        body.finish().ok()?;
        let commit = match self {
            Self::AwaitingDhKey(commit) => commit,
            Self::AwaitingSig {
                theirs: known,
                reveal,
                ..
            } => {
                return (*known == theirs).then(|| Step::reply(REVEAL_SIGNATURE, reveal.clone()));
            }
            _ => return None,
        };
        if theirs == commit.keypair.public {
            return None;
        }
        let keypair = commit.keypair.clone();
        let keys = AkeKeys::derive(&keypair.shared(&theirs));
        let mut writer = Writer::new();
        writer.data(&*commit.r);
        sign(env, &keys.reveal, &keypair.public, &theirs, &mut writer);
        let reveal = writer.finish();
        *self = Self::AwaitingSig {
            keypair,
            theirs,
            keys,
            reveal: reveal.clone(),
        };
        Some(Step::reply(REVEAL_SIGNATURE, reveal))
    }

    fn reveal(&mut self, env: &mut Env<'_>, mut body: Reader<'_>) -> Option<Step> {
        let Self::AwaitingRevealSig {
            keypair,
            encrypted,
            hashed,
        } = self
        else {
            return None;
        };
        let r: [u8; 16] = body.data().ok()?.try_into().ok()?;
        let signed = Signed::read(body)?;
        let mut gx = encrypted.clone();
        aes_ctr(&r, 0, &mut gx);
        if !same(&sha256(&gx), hashed) {
            return None;
        }
        let mut reader = Reader::new(&gx);
        let theirs = Element::from_mpi(reader.mpi().ok()?).ok()?;
        reader.finish().ok()?;
        let keys = AkeKeys::derive(&keypair.shared(&theirs));
        let (key, their_keyid) = verify(&keys.reveal, &theirs, &keypair.public, &signed)?;
        let mut writer = Writer::new();
        sign(env, &keys.signature, &keypair.public, &theirs, &mut writer);
        let keypair = keypair.clone();
        *self = Self::None;
        let mut step = Step::reply(SIGNATURE, writer.finish());
        step.done = Some(Done {
            key,
            keypair,
            theirs,
            their_keyid,
            ssid: keys.ssid,
            first_half: true,
        });
        Some(step)
    }

    fn signature(&mut self, body: Reader<'_>) -> Option<Step> {
        let Self::AwaitingSig {
            keypair,
            theirs,
            keys,
            ..
        } = self
        else {
            return None;
        };
        let signed = Signed::read(body)?;
        let (key, their_keyid) = verify(&keys.signature, theirs, &keypair.public, &signed)?;
        let done = Done {
            key,
            keypair: keypair.clone(),
            theirs: *theirs,
            their_keyid,
            ssid: keys.ssid,
            first_half: false,
        };
        *self = Self::None;
        Some(Step {
            reply: None,
            done: Some(done),
        })
    }
}

/// What a signature covers: the signer's key of the exchange, the other's, the long-term key and key id.
fn covered(m1: &[u8; 32], signer: &Element, other: &Element, key: &[u8], keyid: u32) -> [u8; 32] {
    let mut writer = Writer::new();
    writer
        .mpi(&signer.to_mpi())
        .mpi(&other.to_mpi())
        .bytes(key)
        .u32(keyid);
    hmac256(m1, writer.as_slice())
}

/// Writes the encrypted signature and its MAC.
fn sign(env: &mut Env<'_>, keys: &Signing, ours: &Element, theirs: &Element, writer: &mut Writer) {
    let public = env.keypair.public().as_bytes();
    let m = covered(&keys.m1, ours, theirs, public, OUR_KEYID);
    let mut x = Writer::new();
    x.bytes(public)
        .u32(OUR_KEYID)
        .bytes(&env.keypair.sign(&m, env.random));
    let mut x = x.finish();
    aes_ctr(&keys.c, 0, &mut x);
    let mut encrypted = Writer::new();
    encrypted.data(&x);
    let mac = hmac256_160(&keys.m2, encrypted.as_slice());
    writer.bytes(encrypted.as_slice()).bytes(&mac);
}

/// Checks MAC and signature; the peer's long-term key and the id of its key of the exchange.
fn verify(
    keys: &Signing,
    theirs: &Element,
    ours: &Element,
    signed: &Signed<'_>,
) -> Option<(PublicKey, u32)> {
    let mut encrypted = Writer::new();
    encrypted.data(signed.encrypted);
    if !same(&hmac256_160(&keys.m2, encrypted.as_slice()), &signed.mac) {
        return None;
    }
    let mut x = Zeroizing::new(signed.encrypted.to_vec());
    aes_ctr(&keys.c, 0, &mut x);
    let mut reader = Reader::new(&x);
    let key = PublicKey::read(&mut reader).ok()?;
    let keyid = reader.u32().ok()?;
    let signature: [u8; 40] = reader.fixed().ok()?;
    reader.finish().ok()?;
    let m = covered(&keys.m1, theirs, ours, key.as_bytes(), keyid);
    (keyid > 0 && key.verify(&m, &signature)).then_some((key, keyid))
}
