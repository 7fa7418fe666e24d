//! The client's side of SCRAM (RFC 5802 §5): exact in what it sends, strict in what it accepts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use subtle::ConstantTimeEq;
use thiserror::Error;

use super::hash::Hash;
use super::keys::ScramKeys;

/// Fewest rounds that are accepted: fewer make guessing cheap (S-TLS-08; RFC 5802 §5.1 asks for this).
pub(crate) const MIN_ITERATIONS: u32 = 4_096;
/// Most rounds that are accepted: more would only keep us busy (S-TLS-08).
pub(crate) const MAX_ITERATIONS: u32 = 1_000_000;
/// Longest message of a server, in bytes.
const MAX_MESSAGE: usize = 8 * 1024;
/// Longest salt, in bytes.
const MAX_SALT: usize = 1024;

/// What a server did wrong. Nothing more is sent to it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub(crate) enum ScramError {
    #[error("its message is malformed ({part})")]
    Malformed { part: &'static str },
    #[error("it asks for an extension that nobody knows")]
    MandatoryExtension,
    #[error("its nonce does not extend ours")]
    Nonce,
    #[error("it asks for {iterations} rounds, allowed are {MIN_ITERATIONS} to {MAX_ITERATIONS}")]
    Iterations { iterations: u64 },
    #[error("it reports {error}")]
    Reported { error: String },
    #[error("its signature is wrong")]
    Signature,
    /// XEP-0474: what reached us is not what the server offered.
    #[error("its list of mechanisms was changed on the way")]
    Downgrade,
}

/// The `gs2-header` and what stands behind it (RFC 5802 §7).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Gs2 {
    /// `n`: we do not bind.
    None,
    /// `y`: we could bind, and the server seems not to.
    ClientOnly,
    /// `p=`: bound.
    Bound {
        /// The binding's registered name.
        name: &'static str,
        /// Its data.
        data: Vec<u8>,
    },
}

impl Gs2 {
    fn header(&self) -> String {
        match self {
            Self::None => "n,,".to_owned(),
            Self::ClientOnly => "y,,".to_owned(),
            Self::Bound { name, .. } => format!("p={name},,"),
        }
    }

    fn channel_binding(&self) -> String {
        let mut input = self.header().into_bytes();
        if let Self::Bound { data, .. } = self {
            input.extend_from_slice(data);
        }
        BASE64.encode(input)
    }
}

/// The client before the server's first message.
pub(crate) struct ClientFirst {
    hash: Hash,
    gs2: Gs2,
    nonce: String,
    bare: String,
}

impl ClientFirst {
    /// `username` is prepared; `nonce` is fresh, printable and without comma.
    pub fn new(hash: Hash, gs2: Gs2, username: &str, nonce: String) -> Self {
        let escaped = username.replace('=', "=3D").replace(',', "=2C");
        let bare = format!("n={escaped},r={nonce}");
        Self {
            hash,
            gs2,
            nonce,
            bare,
        }
    }

    /// `client-first-message`.
    pub fn message(&self) -> String {
        self.gs2.header() + &self.bare
    }

    /// Reads `server-first-message`. `offered` is the hash of what the server seemed to offer
    /// (XEP-0474); it is compared when the server tells its own.
    pub fn handle(self, message: &[u8], offered: &[u8]) -> Result<ServerFirst, ScramError> {
        let message = text(message)?;
        let mut parts = message.split(',');
        let nonce = match parts.next().map(attribute) {
            Some(Some(('r', nonce))) => nonce,
            Some(Some(('m', _))) => return Err(ScramError::MandatoryExtension),
            Some(Some(('e', error))) => return Err(reported(error)),
            _ => return Err(ScramError::Malformed { part: "nonce" }),
        };
        let extends = nonce.len() > self.nonce.len()
            && bool::from(
                nonce
                    .as_bytes()
                    .get(..self.nonce.len())
                    .unwrap_or_default()
                    .ct_eq(self.nonce.as_bytes()),
            );
        if !extends || !nonce.bytes().all(|byte| (0x21..=0x7e).contains(&byte)) {
            return Err(ScramError::Nonce);
        }
        let salt = match parts.next().map(attribute) {
            Some(Some(('s', salt))) => salt,
            _ => return Err(ScramError::Malformed { part: "salt" }),
        };
        let salt = BASE64
            .decode(salt)
            .ok()
            .filter(|salt| !salt.is_empty() && salt.len() <= MAX_SALT)
            .ok_or(ScramError::Malformed { part: "salt" })?;
        let iterations = match parts.next().map(attribute) {
            Some(Some(('i', iterations))) => iterations,
            _ => return Err(ScramError::Malformed { part: "rounds" }),
        };
        let iterations = positive(iterations).ok_or(ScramError::Malformed { part: "rounds" })?;
        let iterations = u32::try_from(iterations)
            .ok()
            .filter(|rounds| (MIN_ITERATIONS..=MAX_ITERATIONS).contains(rounds))
            .ok_or(ScramError::Iterations { iterations })?;
        let proves_offer = self.extensions(parts, offered)?;
        let without_proof = format!("c={},r={nonce}", self.gs2.channel_binding(),);
        let auth_message = [self.bare.as_str(), message, &without_proof].join(",");
        Ok(ServerFirst {
            hash: self.hash,
            salt,
            iterations,
            proves_offer,
            without_proof,
            auth_message,
        })
    }

    /// Reads what follows the number of rounds; tells whether the server proves its offer.
    fn extensions<'a>(
        &self,
        parts: impl Iterator<Item = &'a str>,
        offered: &[u8],
    ) -> Result<bool, ScramError> {
        let mut seen = Vec::new();
        let mut proves_offer = false;
        for part in parts {
            let Some((name, value)) = attribute(part) else {
                return Err(ScramError::Malformed { part: "extension" });
            };
            if matches!(name, 'r' | 's' | 'i') || seen.contains(&name) {
                return Err(ScramError::Malformed { part: "extension" });
            }
            seen.push(name);
            match name {
                'm' => return Err(ScramError::MandatoryExtension),
                'h' => {
                    let told = BASE64.decode(value).unwrap_or_default();
                    if !bool::from(told.ct_eq(&self.hash.digest(offered))) {
                        return Err(ScramError::Downgrade);
                    }
                    proves_offer = true;
                }
                _ => {}
            }
        }
        Ok(proves_offer)
    }
}

/// The client after the server's first message, waiting for the keys.
pub(crate) struct ServerFirst {
    pub hash: Hash,
    pub salt: Vec<u8>,
    pub iterations: u32,
    /// XEP-0474: the server proves what it offered.
    pub proves_offer: bool,
    without_proof: String,
    auth_message: String,
}

impl ServerFirst {
    /// `client-final-message`, and what the server must answer.
    pub fn client_final(self, keys: &ScramKeys) -> (String, ClientFinal) {
        let stored = self.hash.digest(&keys.client);
        let signature = self.hash.hmac(&stored, self.auth_message.as_bytes());
        let proof: Vec<u8> = keys
            .client
            .iter()
            .zip(signature.iter())
            .map(|(key, signature)| key ^ signature)
            .collect();
        let message = format!("{},p={}", self.without_proof, BASE64.encode(proof));
        let signature = self.hash.hmac(&keys.server, self.auth_message.as_bytes());
        (message, ClientFinal { signature })
    }
}

/// The client waiting for the server's proof.
pub(crate) struct ClientFinal {
    signature: zeroize::Zeroizing<Vec<u8>>,
}

impl ClientFinal {
    /// Checks `server-final-message` in constant time (S-TLS-09).
    pub fn handle(&self, message: &[u8]) -> Result<(), ScramError> {
        let message = text(message)?;
        let mut parts = message.split(',');
        let verifier = match parts.next().map(attribute) {
            Some(Some(('v', verifier))) => verifier,
            Some(Some(('e', error))) => return Err(reported(error)),
            _ => return Err(ScramError::Malformed { part: "signature" }),
        };
        if parts.any(|part| attribute(part).is_none_or(|(name, _)| matches!(name, 'v' | 'm'))) {
            return Err(ScramError::Malformed { part: "extension" });
        }
        let told = BASE64
            .decode(verifier)
            .map_err(|_| ScramError::Malformed { part: "signature" })?;
        if bool::from(told.ct_eq(&self.signature)) {
            Ok(())
        } else {
            Err(ScramError::Signature)
        }
    }
}

fn text(message: &[u8]) -> Result<&str, ScramError> {
    let malformed = ScramError::Malformed { part: "text" };
    if message.len() > MAX_MESSAGE || message.contains(&0) {
        return Err(malformed);
    }
    std::str::from_utf8(message).map_err(|_| malformed)
}

/// `attr-val` of RFC 5802 §7.
fn attribute(part: &str) -> Option<(char, &str)> {
    let mut chars = part.chars();
    let name = chars.next().filter(char::is_ascii_alphabetic)?;
    let value = chars.as_str().strip_prefix('=')?;
    (!value.is_empty()).then_some((name, value))
}

/// `posit-number`: digits without sign or leading zero. Larger than `u64` counts as the largest.
fn positive(digits: &str) -> Option<u64> {
    if digits.starts_with('0') || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    Some(digits.parse().unwrap_or(u64::MAX))
}

/// A server's error code; foreign, so bounded and reduced to plain letters.
fn reported(error: &str) -> ScramError {
    let error = error
        .chars()
        .filter(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | ' '))
        .take(64)
        .collect();
    ScramError::Reported { error }
}

#[cfg(test)]
mod tests;
