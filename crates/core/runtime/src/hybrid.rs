//! X25519MLKEM768 (draft-ietf-tls-ecdhe-mlkem): a key exchange that holds as long as one of its halves does, X25519
//! (RFC 7748) or ML-KEM-768 (FIPS 203). What is recorded today cannot be read with a quantum computer of tomorrow.
//!
//! The client's share is the encapsulation key followed by the X25519 share, the server's is the ciphertext followed by
//! the X25519 share, and the secret is ML-KEM's followed by X25519's. The X25519 share is also offered alone, so that an
//! older server needs no second round trip.

use ml_kem::kem::KeyExport as _;
use ml_kem::{Ciphertext, Decapsulate as _, DecapsulationKey, EncapsulationKey, MlKem768, Seed};
use rustls::crypto::ring::kx_group::X25519;
use rustls::crypto::{ActiveKeyExchange, CompletedKeyExchange, SharedSecret, SupportedKxGroup};
use rustls::ffdhe_groups::FfdheGroup;
use rustls::{Error, NamedGroup, PeerMisbehaved, ProtocolVersion};
use zeroize::Zeroizing;

use crate::random;

/// Length of an encapsulation key, in bytes (FIPS 203, table 3).
const ENCAPSULATION_KEY: usize = 1184;

/// Length of a ciphertext, in bytes (FIPS 203, table 3).
const CIPHERTEXT: usize = 1088;

const INVALID: Error = Error::PeerMisbehaved(PeerMisbehaved::InvalidKeyShare);

/// The group; offered first.
pub(crate) static X25519_MLKEM768: &dyn SupportedKxGroup = &Hybrid;

#[derive(Debug)]
struct Hybrid;

impl SupportedKxGroup for Hybrid {
    fn start(&self) -> Result<Box<dyn ActiveKeyExchange>, Error> {
        let classical = X25519.start()?;
        let mut seed = Zeroizing::new([0; 64]);
        random::fill(&mut *seed);
        let quantum = Box::new(DecapsulationKey::from_seed(Seed::from(*seed)));
        let mut share = quantum.encapsulation_key().to_bytes().to_vec();
        share.extend(classical.pub_key());
        Ok(Box::new(Active {
            classical,
            quantum,
            share,
        }))
    }

    /// The server's side.
    fn start_and_complete(&self, client_share: &[u8]) -> Result<CompletedKeyExchange, Error> {
        let (key, classical_share) = client_share
            .split_at_checked(ENCAPSULATION_KEY)
            .ok_or(INVALID)?;
        let key = key.try_into().map_err(|_| INVALID)?;
        // Refuses a key whose coefficients are out of range (FIPS 203 §7.2).
        let key = EncapsulationKey::<MlKem768>::new(&key).map_err(|_| INVALID)?;
        let mut message = Zeroizing::new([0; 32]);
        random::fill(&mut *message);
        let (ciphertext, quantum) = key.encapsulate_deterministic(&(*message).into());
        let classical = X25519.start_and_complete(classical_share)?;
        let mut share = ciphertext.to_vec();
        share.extend(&classical.pub_key);
        Ok(CompletedKeyExchange {
            group: self.name(),
            pub_key: share,
            secret: joined(&Zeroizing::new(quantum.into()), &classical.secret),
        })
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn name(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }

    fn usable_for_version(&self, version: ProtocolVersion) -> bool {
        version == ProtocolVersion::TLSv1_3
    }
}

/// The client's side, waiting for the server's share.
struct Active {
    classical: Box<dyn ActiveKeyExchange>,
    quantum: Box<DecapsulationKey<MlKem768>>,
    share: Vec<u8>,
}

impl ActiveKeyExchange for Active {
    fn complete(self: Box<Self>, server_share: &[u8]) -> Result<SharedSecret, Error> {
        let (ciphertext, classical_share) =
            server_share.split_at_checked(CIPHERTEXT).ok_or(INVALID)?;
        let ciphertext = Ciphertext::<MlKem768>::try_from(ciphertext).map_err(|_| INVALID)?;
        let classical = self.classical.complete(classical_share)?;
        // A ciphertext that was changed gives another secret, not an error (FIPS 203 §6.3): the handshake fails then.
        let quantum = Zeroizing::new(self.quantum.decapsulate(&ciphertext).into());
        Ok(joined(&quantum, &classical))
    }

    fn hybrid_component(&self) -> Option<(NamedGroup, &[u8])> {
        Some((self.classical.group(), self.classical.pub_key()))
    }

    fn complete_hybrid_component(
        self: Box<Self>,
        server_share: &[u8],
    ) -> Result<SharedSecret, Error> {
        self.classical.complete(server_share)
    }

    fn pub_key(&self) -> &[u8] {
        &self.share
    }

    fn ffdhe_group(&self) -> Option<FfdheGroup<'static>> {
        None
    }

    fn group(&self) -> NamedGroup {
        NamedGroup::X25519MLKEM768
    }
}

/// ML-KEM's secret first. The result is wiped by rustls.
fn joined(quantum: &[u8; 32], classical: &SharedSecret) -> SharedSecret {
    [quantum, classical.secret_bytes()].concat().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_sides_come_to_the_same_secret_with_shares_of_the_right_length() {
        let client = X25519_MLKEM768.start().unwrap();
        assert_eq!(client.pub_key().len(), 1216);
        let server = X25519_MLKEM768
            .start_and_complete(client.pub_key())
            .unwrap();
        assert_eq!(server.pub_key.len(), 1120);
        let secret = client.complete(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes().len(), 64);
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
    }

    #[test]
    fn the_classical_half_works_alone() {
        let client = X25519_MLKEM768.start().unwrap();
        let (group, share) = client.hybrid_component().unwrap();
        assert_eq!(group, NamedGroup::X25519);
        assert!(client.pub_key().ends_with(share));
        let server = X25519.start_and_complete(share).unwrap();
        let secret = client.complete_hybrid_component(&server.pub_key).unwrap();
        assert_eq!(secret.secret_bytes(), server.secret.secret_bytes());
    }

    #[test]
    fn shares_of_a_wrong_length_or_out_of_range_are_refused() {
        for length in [0, 32, 1088, 1119, 1121, 1216] {
            let client = X25519_MLKEM768.start().unwrap();
            assert!(client.complete(&vec![1; length]).is_err(), "{length}");
        }
        for length in [0, 32, 1184, 1215, 1217] {
            let share = vec![1; length];
            assert!(
                X25519_MLKEM768.start_and_complete(&share).is_err(),
                "{length}"
            );
        }
        // Coefficients of 4095, where 3328 is the largest.
        assert!(X25519_MLKEM768.start_and_complete(&[0xff; 1216]).is_err());
    }

    #[test]
    fn a_changed_ciphertext_gives_another_secret() {
        let client = X25519_MLKEM768.start().unwrap();
        let server = X25519_MLKEM768
            .start_and_complete(client.pub_key())
            .unwrap();
        let mut share = server.pub_key.clone();
        share[7] ^= 1;
        let secret = client.complete(&share).unwrap();
        assert_ne!(secret.secret_bytes(), server.secret.secret_bytes());
    }

    #[test]
    fn a_classical_share_of_zeros_is_refused() {
        let client = X25519_MLKEM768.start().unwrap();
        let mut share = client.pub_key().to_vec();
        share[ENCAPSULATION_KEY..].fill(0);
        assert!(X25519_MLKEM768.start_and_complete(&share).is_err());
    }
}
