//! The server's side of SCRAM-SHA-256 (RFC 5802, RFC 7677), without channel binding.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

const SALT: &[u8] = b"sixteen bytes ok";
const ITERATIONS: u32 = 4096;

/// What a server keeps of a password.
#[derive(Clone)]
pub struct Credential {
    stored_key: [u8; 32],
    server_key: [u8; 32],
}

impl Credential {
    pub fn of(password: &str) -> Self {
        let mut salted = [0; 32];
        pbkdf2::pbkdf2::<Hmac<Sha256>>(password.as_bytes(), SALT, ITERATIONS, &mut salted)
            .expect("any length");
        Self {
            stored_key: Sha256::digest(hmac(&salted, b"Client Key")).into(),
            server_key: hmac(&salted, b"Server Key"),
        }
    }
}

/// An exchange under way.
pub struct Exchange {
    gs2: String,
    first_bare: String,
    server_first: String,
    nonce: String,
}

impl Exchange {
    /// The client's first message: who it is, and our answer.
    pub fn begin(message: &str, nonce: u64) -> (String, Self, String) {
        let bare_at = message.match_indices(',').nth(1).expect("gs2 header").0 + 1;
        let (gs2, first_bare) = message.split_at(bare_at);
        let field = |name: &str| {
            first_bare
                .split(',')
                .find_map(|part| part.strip_prefix(name))
                .expect("a field of client-first")
        };
        let username = field("n=").to_owned();
        let nonce = format!("{}s{nonce}", field("r="));
        let server_first = format!("r={nonce},s={},i={ITERATIONS}", STANDARD.encode(SALT));
        let exchange = Self {
            gs2: gs2.to_owned(),
            first_bare: first_bare.to_owned(),
            server_first: server_first.clone(),
            nonce,
        };
        (username, exchange, server_first)
    }

    /// The client's proof: our signature, or nothing when the password is wrong.
    pub fn finish(self, message: &str, credential: &Credential) -> Option<String> {
        let (without_proof, proof) = message.rsplit_once(",p=").expect("a proof");
        assert!(without_proof.starts_with(&format!("c={},", STANDARD.encode(&self.gs2))));
        assert!(without_proof.contains(&format!("r={}", self.nonce)));
        let auth = format!("{},{},{without_proof}", self.first_bare, self.server_first);
        let signature = hmac(&credential.stored_key, auth.as_bytes());
        let proof = STANDARD.decode(proof).expect("base64");
        let key: Vec<u8> = proof.iter().zip(signature).map(|(a, b)| a ^ b).collect();
        if Sha256::digest(&key).as_slice() != credential.stored_key {
            return None;
        }
        let verifier = hmac(&credential.server_key, auth.as_bytes());
        Some(format!("v={}", STANDARD.encode(verifier)))
    }
}

fn hmac(key: &[u8], data: &[u8]) -> [u8; 32] {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("any length");
    mac.update(data);
    mac.finalize().into_bytes().into()
}
