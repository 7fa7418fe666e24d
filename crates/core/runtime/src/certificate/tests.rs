use rcgen::{CertificateParams, KeyPair, PKCS_ECDSA_P256_SHA256, PKCS_ECDSA_P384_SHA384};
use rustls::pki_types::pem::PemObject;

use super::*;

// Made with OpenSSL, whose fingerprints these are.
const RSA_SHA512: &str = include_str!("rsa_sha512.pem");
const RSA_SHA1: &str = include_str!("rsa_sha1.pem");
const ED25519: &str = include_str!("ed25519.pem");

fn der(pem: &str) -> CertificateDer<'static> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap()
}

fn end_point(certificate: &CertificateDer<'_>) -> Option<String> {
    server_end_point(certificate).map(|hash| hex(&hash))
}

#[test]
fn the_end_point_of_rsa_is_hashed_as_it_was_signed() {
    assert_eq!(
        end_point(&der(RSA_SHA512)).unwrap(),
        "afda6ae9e1044044c282b634079becd05661e61b0ef72158988ad63d5112b3d9abcc6216e0c7a509069876491a3dc095abfea1eabbe37092bcb875f50a8c4060"
    );
}

/// RFC 5929 §4.1: SHA-256 in place of MD5 and SHA-1.
#[test]
fn the_end_point_of_a_weak_signature_is_hashed_with_sha_256() {
    assert_eq!(
        end_point(&der(RSA_SHA1)).unwrap(),
        "127093dae835dbe96ff7b76e37616a85d9f8aff8659be5100cf6e357cb413cd2"
    );
}

#[test]
fn the_end_point_of_ecdsa_is_hashed_as_it_was_signed() {
    let made = |algorithm| {
        let key = KeyPair::generate_for(algorithm).unwrap();
        let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        params.self_signed(&key).unwrap().der().clone()
    };
    let p256 = made(&PKCS_ECDSA_P256_SHA256);
    assert_eq!(
        server_end_point(&p256).unwrap(),
        Sha256::digest(&p256).to_vec()
    );
    let p384 = made(&PKCS_ECDSA_P384_SHA384);
    assert_eq!(
        server_end_point(&p384).unwrap(),
        Sha384::digest(&p384).to_vec()
    );
}

/// RFC 5929 §4.1: not defined where the signature has no hash function of its own.
#[test]
fn ed25519_has_no_end_point() {
    assert_eq!(server_end_point(&der(ED25519)), None);
}

#[test]
fn what_cannot_be_read_is_shown_by_its_hash() {
    let shown = view(&[CertificateDer::from(vec![0x30, 3, 1])]);
    assert_eq!(shown.summary.subject, "?");
    assert_eq!(shown.summary.sha256.len(), 64);
    assert_eq!(shown.summary.key_sha256, "");
    assert_eq!(view(&[]).summary.subject, "?");
    assert_eq!(key_hash(&CertificateDer::from(Vec::new())), None);
}

#[test]
fn names_cannot_disguise_themselves() {
    assert_eq!(readable("a\u{202e}b\u{0}\nc"), "abc");
    assert_eq!(readable(&"x".repeat(1000)).len(), 256);
}

#[test]
fn pem_comes_back_as_it_was() {
    let der = der(ED25519);
    assert_eq!(super::pem(&der), ED25519);
}
