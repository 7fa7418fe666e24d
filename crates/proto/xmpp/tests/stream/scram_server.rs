//! A server's side of SCRAM, written from RFC 5802 and apart from the client's.

use std::collections::BTreeMap;
use std::sync::Mutex;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256, Sha512};

use crate::peer::{PASSWORD, SASL};

/// What `Hi()` depends on: hash, rounds, password.
type Inputs = (&'static str, u32, String);

pub struct ScramServer {
    pub hash: &'static str,
    /// All mechanisms that are offered.
    pub mechanisms: Vec<&'static str>,
    /// XEP-0440.
    pub bindings: Option<Vec<&'static str>>,
    /// What the server knows of the TLS connection.
    pub binding_data: Vec<u8>,
    pub password: String,
    pub iterations: u32,
    /// Extensions after the number of rounds.
    pub extensions: String,
    pub client_first_bare: String,
    pub gs2: String,
    pub server_first: String,
    pub nonce: String,
}

impl Default for ScramServer {
    fn default() -> Self {
        Self {
            hash: "SCRAM-SHA-256",
            mechanisms: vec!["SCRAM-SHA-1", "SCRAM-SHA-256", "PLAIN"],
            bindings: None,
            binding_data: vec![7; 32],
            password: PASSWORD.to_owned(),
            iterations: 4096,
            extensions: String::new(),
            client_first_bare: String::new(),
            gs2: String::new(),
            server_first: String::new(),
            nonce: String::new(),
        }
    }
}

impl ScramServer {
    pub fn mechanism_list(&self) -> String {
        self.mechanisms
            .iter()
            .map(|name| format!("<mechanism>{name}</mechanism>"))
            .collect()
    }

    pub fn binding_list(&self) -> String {
        let Some(bindings) = &self.bindings else {
            return String::new();
        };
        let types: String = bindings
            .iter()
            .map(|name| format!("<channel-binding type='{name}'/>"))
            .collect();
        format!("<sasl-channel-binding xmlns='urn:xmpp:sasl-cb:0'>{types}</sasl-channel-binding>")
    }

    pub fn features(&self) -> String {
        format!(
            "<stream:features>{}<mechanisms xmlns='{SASL}'>{}</mechanisms></stream:features>",
            self.binding_list(),
            self.mechanism_list()
        )
    }

    /// Takes the first Base64 text in what the client sent, gives the challenge in Base64.
    pub fn first(&mut self, sent: &str) -> String {
        let message = base64_in(sent);
        let mut parts = message.splitn(3, ',');
        let flag = parts.next().unwrap_or_default().to_owned();
        let authzid = parts.next().unwrap_or_default();
        self.gs2 = format!("{flag},{authzid},");
        self.client_first_bare = parts.next().unwrap_or_default().to_owned();
        let nonce = self
            .client_first_bare
            .split(",r=")
            .nth(1)
            .expect("the client's nonce");
        assert!(nonce.len() >= 24, "128 bits at least");
        self.nonce = format!("{nonce}server");
        self.server_first = format!(
            "r={},s={},i={}{}",
            self.nonce,
            BASE64.encode("salt for a test"),
            self.iterations,
            self.extensions
        );
        BASE64.encode(&self.server_first)
    }

    /// Takes the client's proof; gives the server's signature, in Base64, if it is right.
    pub fn last(&mut self, sent: &str) -> Result<String, String> {
        let message = base64_in(sent);
        let (without_proof, proof) = message.split_once(",p=").ok_or("no proof")?;
        let mut input = self.gs2.clone().into_bytes();
        if self.gs2.starts_with("p=") {
            input.extend_from_slice(&self.binding_data);
        }
        let expected = format!("c={},r={}", BASE64.encode(input), self.nonce);
        if without_proof != expected {
            return Err(format!("{without_proof} instead of {expected}"));
        }
        let salted = self.salted();
        let client_key = self.hmac(&salted, b"Client Key");
        let stored = self.digest(&client_key);
        let auth = format!(
            "{},{},{without_proof}",
            self.client_first_bare, self.server_first
        );
        let signature = self.hmac(&stored, auth.as_bytes());
        let proof = BASE64.decode(proof).map_err(|error| error.to_string())?;
        let key: Vec<u8> = proof.iter().zip(&signature).map(|(a, b)| a ^ b).collect();
        if self.digest(&key) != stored {
            return Err("wrong proof".to_owned());
        }
        let server_key = self.hmac(&salted, b"Server Key");
        let verifier = BASE64.encode(self.hmac(&server_key, auth.as_bytes()));
        Ok(BASE64.encode(format!("v={verifier}")))
    }

    pub fn digest(&self, data: &[u8]) -> Vec<u8> {
        match self.hash {
            "SCRAM-SHA-1" => Sha1::digest(data).to_vec(),
            "SCRAM-SHA-512" => Sha512::digest(data).to_vec(),
            _ => Sha256::digest(data).to_vec(),
        }
    }

    fn hmac(&self, key: &[u8], data: &[u8]) -> Vec<u8> {
        fn run<M: Mac + KeyInit>(key: &[u8], data: &[u8]) -> Vec<u8> {
            let mut mac = <M as KeyInit>::new_from_slice(key).expect("any length");
            mac.update(data);
            mac.finalize().into_bytes().to_vec()
        }
        match self.hash {
            "SCRAM-SHA-1" => run::<Hmac<Sha1>>(key, data),
            "SCRAM-SHA-512" => run::<Hmac<Sha512>>(key, data),
            _ => run::<Hmac<Sha256>>(key, data),
        }
    }

    /// `Hi()`, once for each password.
    fn salted(&self) -> Vec<u8> {
        static SALTED: Mutex<BTreeMap<Inputs, Vec<u8>>> = Mutex::new(BTreeMap::new());
        let mut salted = SALTED.lock().expect("no test fails in here");
        salted
            .entry((self.hash, self.iterations, self.password.clone()))
            .or_insert_with(|| self.hi())
            .clone()
    }

    /// `Hi()` by hand.
    fn hi(&self) -> Vec<u8> {
        let password = self.password.as_bytes();
        let mut block = b"salt for a test".to_vec();
        block.extend_from_slice(&1_u32.to_be_bytes());
        let mut last = self.hmac(password, &block);
        let mut salted = last.clone();
        for _ in 1..self.iterations {
            last = self.hmac(password, &last);
            for (sum, byte) in salted.iter_mut().zip(&last) {
                *sum ^= byte;
            }
        }
        salted
    }
}

/// The decoded text between the first `>` that is followed by Base64 and the next `<`.
pub fn base64_in(sent: &str) -> String {
    sent.split(['<', '>'])
        .filter(|piece| piece.len() > 8 && !piece.contains([' ', '\'', '-']))
        .find_map(|piece| String::from_utf8(BASE64.decode(piece).ok()?).ok())
        .unwrap_or_else(|| panic!("no Base64 in {sent}"))
}
