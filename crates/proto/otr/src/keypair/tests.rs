use proptest::prelude::*;

use super::*;
use crate::import;

fn seeded(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut state = seed | 1;
    move |bytes: &mut [u8]| {
        for byte in bytes {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            *byte = state.to_le_bytes()[3];
        }
    }
}

/// A key made by libotr 4.1.1, not in use anywhere.
fn libotr() -> Keypair {
    let file = include_str!("../../testdata/otr.private_key");
    let mut keys = import::private_keys(file).expect("libotr wrote this");
    keys.swap_remove(1).keypair
}

/// libotr's signature with that key.
const SIGNATURE: &str =
    "a576357f0d4e34f074ed84c27c0c08d97473f1872600565b233b855efc56dfdab713fc761f7af725";

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).expect("hexadecimal"))
        .collect()
}

fn message() -> [u8; 32] {
    let mut message = [0xe7; 32];
    message[0] = 1;
    message
}

#[test]
fn a_key_of_libotr_has_the_fingerprint_libotr_shows() {
    let expected = "8030515B 87EBFEDC F770E2EF 41DE8892 0FDC4F08";
    assert_eq!(libotr().fingerprint().to_string(), expected);
}

#[test]
fn a_signature_of_libotr_is_valid() {
    let signature: [u8; 40] = unhex(SIGNATURE).try_into().expect("40 bytes");
    assert!(libotr().public().verify(&message(), &signature));
    assert!(!libotr().public().verify(&[0; 32], &signature));
}

#[test]
fn a_signature_made_here_is_valid_for_its_message_and_key_only() {
    let mut random = seeded(1);
    let pair = Keypair::generate(&mut random);
    let signature = pair.sign(&message(), &mut random);
    assert!(pair.public().verify(&message(), &signature));
    assert!(!libotr().public().verify(&message(), &signature));
    assert_ne!(signature, pair.sign(&message(), &mut random));
    for at in 0..SIGNATURE_BYTES {
        let mut changed = signature;
        changed[at] ^= 1;
        assert!(!pair.public().verify(&message(), &changed));
    }
}

#[test]
fn a_broken_source_of_randomness_does_not_repeat_the_secret_number() {
    let pair = libotr();
    let mut broken = |bytes: &mut [u8]| bytes.fill(0);
    let one = pair.sign(&[1; 32], &mut broken);
    let two = pair.sign(&[2; 32], &mut broken);
    assert_ne!(one[..20], two[..20]);
    assert!(pair.public().verify(&[1; 32], &one));
}

#[test]
fn degenerate_signatures_are_refused() {
    let pair = libotr();
    let good = pair.sign(&message(), &mut seeded(2));
    let q = pair.public().q().modulus().get();
    let values = [
        U192::ZERO,
        q,
        q.wrapping_add(&U192::ONE),
        U192::MAX.shr_vartime(32),
    ];
    for value in values {
        for half in [0, 20] {
            let mut bad = good;
            bad[half..half + 20].copy_from_slice(&*small_bytes(&value));
            assert!(!pair.public().verify(&message(), &bad));
        }
    }
    assert!(!pair.public().verify(&message(), &[0; 40]));
}

#[test]
fn a_key_is_read_back_as_it_was_written() {
    let pair = libotr();
    let again = Keypair::from_bytes(&pair.to_bytes()).expect("it was just written");
    assert_eq!(again.public(), pair.public());
    assert_eq!(again.to_bytes(), pair.to_bytes());
    let public = PublicKey::from_bytes(pair.public().as_bytes()).expect("it was just written");
    assert_eq!(&public, pair.public());
    let mut longer = pair.to_bytes().to_vec();
    longer.push(0);
    assert_eq!(
        Keypair::from_bytes(&longer).err(),
        Some(KeyError::Malformed)
    );
}

#[test]
fn a_key_whose_numbers_do_not_belong_together_is_refused() {
    let bytes = libotr().public().as_bytes().to_vec();
    let mut reader = Reader::new(&bytes);
    let [p, q, g, y] = public::fields(&mut reader).expect("a key");
    let one = [1_u8];
    let mut p_less_1 = p.to_vec();
    *p_less_1.last_mut().expect("not empty") -= 1;
    let refused = |p, q, g, y| PublicKey::from_numbers(p, q, g, y).err();
    assert_eq!(refused(p, q, &one, y), Some(KeyError::Inconsistent));
    assert_eq!(refused(p, q, g, &one), Some(KeyError::Inconsistent));
    assert_eq!(refused(p, q, g, &[]), Some(KeyError::Inconsistent));
    assert_eq!(refused(p, q, g, &p_less_1), Some(KeyError::Inconsistent));
    assert_eq!(refused(p, q, p, y), Some(KeyError::Inconsistent));
    assert_eq!(refused(&p_less_1, q, g, y), Some(KeyError::Inconsistent));
    assert_eq!(refused(&p[..127], q, g, y), Some(KeyError::Kind));
    assert_eq!(refused(p, &q[..19], g, y), Some(KeyError::Kind));
    assert_eq!(refused(&[0xff; 256], q, g, y), Some(KeyError::Kind));
    assert!(Keypair::from_numbers(p, q, g, Some(y), &one).is_err());
    assert!(Keypair::from_numbers(p, q, g, None, &[]).is_err());
    assert!(Keypair::from_numbers(p, q, g, None, q).is_err());
}

#[test]
fn debug_output_holds_no_secret() {
    let pair = libotr();
    let shown = format!("{pair:?}");
    assert!(shown.contains("8030515B"));
    assert!(shown.len() < 100, "{shown}");
}

#[test]
fn a_fingerprint_is_read_as_people_write_it() {
    let bytes: [u8; 20] = std::array::from_fn(|at| u8::try_from(at * 11).unwrap_or(0));
    let fingerprint = Fingerprint::from_bytes(bytes);
    assert_eq!(fingerprint.to_string().len(), 44);
    assert_eq!(fingerprint.groups()[1], "1621");
    for text in [
        fingerprint.to_string(),
        fingerprint.to_string().to_lowercase(),
        fingerprint.groups().join("-"),
        format!("  {}\n", fingerprint.groups().join(" ")),
    ] {
        assert_eq!(text.parse(), Ok(fingerprint));
    }
    let digits = fingerprint.to_string().replace(' ', "");
    for bad in [&digits[..39], &format!("{digits}0"), "", "g"] {
        assert_eq!(bad.parse::<Fingerprint>(), Err(FingerprintError));
    }
}

proptest! {
    #[test]
    fn garbage_never_panics(
        bytes in proptest::collection::vec(any::<u8>(), 0..200),
        at in 0_usize..400,
        text in ".{0,60}",
    ) {
        let _ = PublicKey::from_bytes(&bytes);
        let _ = Keypair::from_bytes(&bytes);
        let mut changed = libotr().public().as_bytes().to_vec();
        if let Some(byte) = changed.get_mut(at) {
            *byte ^= 0x40;
            prop_assert!(PublicKey::from_bytes(&changed).is_err());
        }
        let _ = text.parse::<Fingerprint>();
    }
}
