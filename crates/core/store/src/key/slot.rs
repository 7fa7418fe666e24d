//! One way to get at the key: 32 bytes under XChaCha20-Poly1305.

use argon2::{Algorithm, Argon2, Version};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use serde::{Deserialize, Serialize};
use sotto_api::Secret;
use sotto_api::view::ProtectionKind;
use zeroize::Zeroizing;

use super::cost::Cost;
use super::{DatabaseKey, KeyError};

/// What the key is wrapped with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Wrapping {
    Passphrase {
        kdf: String,
        #[serde(flatten)]
        cost: Cost,
        salt: String,
    },
    /// With 32 random bytes in the system's keyring, under this name.
    Keyring { entry: String },
    /// With 32 random bytes in a file of mode 0600.
    File,
}

#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Slot {
    #[serde(flatten)]
    pub wrapping: Wrapping,
    nonce: String,
    key: String,
}

const KDF: &str = "argon2id";
pub(super) type WrapKey = Zeroizing<[u8; 32]>;

impl Slot {
    pub(super) fn kind(&self) -> ProtectionKind {
        match self.wrapping {
            Wrapping::Passphrase { .. } => ProtectionKind::Passphrase,
            Wrapping::Keyring { .. } => ProtectionKind::Keyring,
            Wrapping::File => ProtectionKind::KeyFile,
        }
    }

    pub(super) fn seal(
        version: u32,
        wrapping: Wrapping,
        with: &WrapKey,
        key: &DatabaseKey,
    ) -> Result<Self, KeyError> {
        let nonce: [u8; 24] = random()?;
        let sealed = cipher(with)
            .encrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: key.expose(),
                    aad: &wrapping.associated_data(version),
                },
            )
            .map_err(|_| KeyError::Memory)?;
        Ok(Self {
            wrapping,
            nonce: BASE64.encode(nonce),
            key: BASE64.encode(sealed),
        })
    }

    pub(super) fn open(&self, version: u32, with: &WrapKey) -> Result<DatabaseKey, KeyError> {
        let nonce: [u8; 24] = decode(&self.nonce)?;
        let sealed: [u8; 48] = decode(&self.key)?;
        let opened = cipher(with)
            .decrypt(
                &XNonce::from(nonce),
                Payload {
                    msg: &sealed,
                    aad: &self.wrapping.associated_data(version),
                },
            )
            .map(Zeroizing::new)
            .map_err(|_| KeyError::WrongPassphrase)?;
        let bytes: &[u8; 32] = opened
            .as_slice()
            .try_into()
            .map_err(|_| KeyError::WrongPassphrase)?;
        Ok(DatabaseKey::from_bytes(bytes))
    }
}

impl Wrapping {
    pub(super) fn passphrase(cost: Cost) -> Result<Self, KeyError> {
        Ok(Self::Passphrase {
            kdf: KDF.into(),
            cost,
            salt: BASE64.encode(random::<16>()?),
        })
    }

    /// The key that a passphrase makes of this slot's salt and cost. Slow by design.
    pub(super) fn derive(&self, passphrase: &Secret) -> Result<WrapKey, KeyError> {
        let Self::Passphrase { kdf, cost, salt } = self else {
            return Err(KeyError::Damaged {
                detail: "it has no passphrase",
            });
        };
        if kdf != KDF {
            return Err(KeyError::Damaged {
                detail: "its key derivation is not known",
            });
        }
        let salt: [u8; 16] = decode(salt)?;
        let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, cost.params()?);
        let mut key = Zeroizing::new([0; 32]);
        argon2
            .hash_password_into(passphrase.expose().as_bytes(), &salt, key.as_mut())
            .map_err(|_| KeyError::Memory)?;
        Ok(key)
    }

    /// Everything that says how to open the slot, so that none of it can be changed unnoticed.
    fn associated_data(&self, version: u32) -> Vec<u8> {
        match self {
            Self::Passphrase { kdf, cost, salt } => format!(
                "sotto profile key {version} passphrase {kdf} {} {} {} {salt}",
                cost.memory_kib, cost.passes, cost.lanes
            ),
            Self::Keyring { entry } => format!("sotto profile key {version} keyring {entry}"),
            Self::File => format!("sotto profile key {version} file"),
        }
        .into_bytes()
    }
}

pub(crate) fn random<const N: usize>() -> Result<[u8; N], KeyError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|_| KeyError::Random)?;
    Ok(bytes)
}

fn cipher(with: &WrapKey) -> XChaCha20Poly1305 {
    XChaCha20Poly1305::new((&**with).into())
}

fn decode<const N: usize>(text: &str) -> Result<[u8; N], KeyError> {
    BASE64
        .decode(text)
        .ok()
        .and_then(|bytes| bytes.try_into().ok())
        .ok_or(KeyError::Damaged {
            detail: "a field does not read",
        })
}
