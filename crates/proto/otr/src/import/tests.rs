use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

use super::*;
use crate::encoding::Reader;

const KEYS: &str = include_str!("../../testdata/otr.private_key");
const FINGERPRINTS: &str = include_str!("../../testdata/otr.fingerprints");
const TAGS: &str = include_str!("../../testdata/otr.instance_tags");

#[test]
fn the_keys_of_libotr_are_read() {
    let keys = private_keys(KEYS).expect("libotr wrote this");
    let shown: Vec<_> = keys
        .iter()
        .map(|key| {
            let fingerprint = key.keypair.fingerprint().to_string();
            (key.account.as_str(), key.protocol.as_str(), fingerprint)
        })
        .collect();
    assert_eq!(
        shown,
        [
            (
                "alice@example.org/Home \"desk\"",
                "prpl-jabber",
                "D295F6AF 88AF73A5 33AF045D 18BFDA19 49EB6355".to_owned()
            ),
            (
                "bob@example.net",
                "prpl-jabber",
                "8030515B 87EBFEDC F770E2EF 41DE8892 0FDC4F08".to_owned()
            ),
        ]
    );
}

#[test]
fn the_trust_libotr_keeps_is_read() {
    let rows = fingerprints(FINGERPRINTS).expect("libotr wrote this");
    let trust: Vec<_> = rows.iter().map(|row| row.trust.as_str()).collect();
    assert_eq!(trust, ["", "smp"]);
    assert_eq!(rows[1].peer, "bob@example.net");
    assert_eq!(rows[1].account, "alice@example.org/Home \"desk\"");
    let keys = private_keys(KEYS).expect("libotr wrote this");
    assert_eq!(rows[1].fingerprint, keys[1].keypair.fingerprint());
}

#[test]
fn the_tags_libotr_keeps_are_read() {
    let rows = instance_tags(TAGS).expect("libotr wrote this");
    let tags: Vec<_> = rows.iter().map(|row| row.tag).collect();
    assert_eq!(tags, [0xb45c_9932, 0x7aca_e7dd]);
    assert_eq!(instance_tags("a\tb\t000000ff\na\tb\n"), Ok(vec![]));
}

#[test]
fn what_is_no_key_file_is_refused() {
    let refused = |text: &str| private_keys(text).err();
    assert_eq!(refused("(privkeys)"), Some(ImportError::Empty));
    for text in ["", "privkeys", "(privkeys", "(a)", ")", "(privkeys))"] {
        assert_eq!(refused(text), Some(ImportError::Malformed), "{text:?}");
    }
    let deep = "(".repeat(100_000);
    assert_eq!(refused(&deep), Some(ImportError::Malformed));
    let long = " ".repeat(MAX_FILE + 1);
    assert_eq!(refused(&long), Some(ImportError::TooLarge));
    let other = KEYS.replace("(dsa", "(rsa");
    assert_eq!(refused(&other), Some(ImportError::Key(KeyError::Kind)));
    let changed = KEYS.replacen("(x #", "(x #01", 1);
    assert!(matches!(refused(&changed), Some(ImportError::Key(_))));
}

/// One DER element.
fn der(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    let content = parts.concat();
    let length = u16::try_from(content.len()).expect("short");
    let mut out = vec![tag];
    match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => out.push(short),
        Ok(byte) => out.extend([0x81, byte]),
        Err(_) => {
            out.push(0x82);
            out.extend(length.to_be_bytes());
        }
    }
    out.extend(content);
    out
}

fn integer(number: &[u8]) -> Vec<u8> {
    der(2, &[vec![0], number.to_vec()])
}

/// The two values in Jitsi's settings for this key.
fn jitsi(pair: &Keypair) -> (String, String) {
    let bytes = pair.to_bytes();
    let mut reader = Reader::new(&bytes);
    reader.u16().expect("the type");
    let mut next = || integer(reader.mpi().expect("a number"));
    let [p, q, g, y, x] = [next(), next(), next(), next(), next()];
    let object = vec![6, 7, 0x2a, 0x86, 0x48, 0xce, 0x38, 4, 1];
    let algorithm = der(0x30, &[object, der(0x30, &[p, q, g])]);
    let private = der(0x30, &[vec![2, 1, 0], algorithm.clone(), der(4, &[x])]);
    let public = der(0x30, &[algorithm, der(3, &[vec![0], y])]);
    (STANDARD.encode(private), STANDARD.encode(public))
}

#[test]
fn keys_in_the_form_of_jitsi_are_read() {
    let keys = private_keys(KEYS).expect("libotr wrote this");
    let (private, public) = jitsi(&keys[0].keypair);
    let (_, other) = jitsi(&keys[1].keypair);
    for public in [None, Some(public.as_str())] {
        let pair = jitsi_key(&private, public).expect("a key");
        assert_eq!(pair.fingerprint(), keys[0].keypair.fingerprint());
    }
    let error = jitsi_key(&private, Some(&other)).err();
    assert_eq!(error, Some(ImportError::Key(KeyError::Inconsistent)));
    assert!(jitsi_key("AAAA", None).is_err());
    assert!(jitsi_key("", None).is_err());
}

proptest! {
    #[test]
    fn garbage_never_panics(
        text in "[()\"#\\\\a-fx0-9 \t\n\\PC]{0,80}",
        at in 0_usize..2000,
        byte in any::<char>(),
    ) {
        let _ = private_keys(&text);
        let _ = fingerprints(&text);
        let _ = instance_tags(&text);
        let _ = jitsi_key(&text, Some(&text));
        let changed: String = KEYS.chars().enumerate()
            .map(|(index, letter)| if index == at { byte } else { letter })
            .collect();
        let _ = private_keys(&changed);
        let bytes: Vec<u8> = text.bytes().collect();
        let _ = der::private_key(&bytes);
        let _ = der::public_key(&bytes);
    }
}
