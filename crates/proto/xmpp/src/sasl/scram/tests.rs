use base64::Engine as _;
use zeroize::Zeroizing;

use super::super::keys::{ScramKeyJob, ScramKeys};
use super::*;

/// One published exchange.
struct Vector {
    hash: Hash,
    nonce: &'static str,
    client_first: &'static str,
    server_first: &'static str,
    client_final: &'static str,
    server_final: &'static str,
}

/// RFC 5802 §5, RFC 7677 §3, and for SHA-512 the exchange of RFC 7677 computed anew with Python's
/// `hashlib` (no RFC prints one).
const VECTORS: [Vector; 3] = [
    Vector {
        hash: Hash::Sha1,
        nonce: "fyko+d2lbbFgONRv9qkxdawL",
        client_first: "n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL",
        server_first: "r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096",
        client_final: "c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=",
        server_final: "v=rmF9pqV8S7suAoZWja4dJRkFsKQ=",
    },
    Vector {
        hash: Hash::Sha256,
        nonce: "rOprNGfwEbeRWgbNEkqO",
        client_first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=",
        server_final: "v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=",
    },
    Vector {
        hash: Hash::Sha512,
        nonce: "rOprNGfwEbeRWgbNEkqO",
        client_first: "n,,n=user,r=rOprNGfwEbeRWgbNEkqO",
        server_first: "r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096",
        client_final: "c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=gMGXRcevScNtxZ6/8lQYpGtnsNAc3mGcmNomv+xnoOMw+3R2xNJdMNnzMlTN8PPC6wdp6dybEmDYXYTxwnYPJQ==",
        server_final: "v=ZQnYEgWQMFmmsM8aQMF0nDDCy/AgCzkwk8CmMZYcMg0vSVlKDanekLtifDSeVGT4+5ZxXnJq199RVG2rR7N7Zw==",
    },
];

fn keys(first: &ServerFirst, password: &str) -> ScramKeys {
    ScramKeyJob {
        job: 0,
        hash: first.hash,
        salt: first.salt.clone(),
        iterations: first.iterations,
        password: Zeroizing::new(password.to_owned()),
    }
    .derive()
}

fn client(gs2: Gs2, username: &str) -> ClientFirst {
    ClientFirst::new(Hash::Sha1, gs2, username, "fyko".to_owned())
}

#[test]
fn published_exchanges_come_out_byte_for_byte() {
    for vector in VECTORS {
        let first = ClientFirst::new(vector.hash, Gs2::None, "user", vector.nonce.to_owned());
        assert_eq!(first.message(), vector.client_first);
        let first = first.handle(vector.server_first.as_bytes(), b"").unwrap();
        let keys = keys(&first, "pencil");
        let (message, last) = first.client_final(&keys);
        assert_eq!(message, vector.client_final);
        assert_eq!(last.handle(vector.server_final.as_bytes()), Ok(()));
    }
}

#[test]
fn user_names_are_escaped() {
    assert_eq!(
        client(Gs2::None, "a=b,c=2C").message(),
        "n,,n=a=3Db=2Cc=3D2C,r=fyko"
    );
}

#[test]
fn the_header_tells_how_the_login_is_bound() {
    let bound = Gs2::Bound {
        name: "tls-exporter",
        data: vec![0, 1, 255],
    };
    for (gs2, header, input) in [
        (Gs2::None, "n,,", &b"n,,"[..]),
        (Gs2::ClientOnly, "y,,", b"y,,"),
        (bound, "p=tls-exporter,,", b"p=tls-exporter,,\x00\x01\xff"),
    ] {
        let first = client(gs2, "u");
        assert_eq!(first.message(), format!("{header}n=u,r=fyko"));
        let first = first.handle(b"r=fyko2,s=c2FsdA==,i=4096", b"").unwrap();
        let keys = keys(&first, "p");
        let (message, _) = first.client_final(&keys);
        let expected = BASE64.encode(input);
        assert!(
            message.starts_with(&format!("c={expected},r=fyko2,p=")),
            "{message}"
        );
    }
}

/// Server-first messages that end the login, each with what is wrong with it.
const BAD_SERVER_FIRST: [(&str, &str); 38] = [
    ("nothing", ""),
    ("no attributes", "hello"),
    ("nonce missing", "s=c2FsdA==,i=4096"),
    ("salt missing", "r=NONCEx,i=4096"),
    ("rounds missing", "r=NONCEx,s=c2FsdA=="),
    ("another order", "s=c2FsdA==,r=NONCEx,i=4096"),
    ("nonce empty", "r=,s=c2FsdA==,i=4096"),
    ("nonce not extended", "r=NONCE,s=c2FsdA==,i=4096"),
    ("another nonce", "r=xNONCE,s=c2FsdA==,i=4096"),
    ("nonce cut short", "r=NONC,s=c2FsdA==,i=4096"),
    ("nonce in another case", "r=noncex,s=c2FsdA==,i=4096"),
    ("nonce with a space", "r=NONCE x,s=c2FsdA==,i=4096"),
    (
        "nonce with a control character",
        "r=NONCE\u{1}x,s=c2FsdA==,i=4096",
    ),
    ("nonce not ASCII", "r=NONCE\u{e9},s=c2FsdA==,i=4096"),
    ("salt empty", "r=NONCEx,s=,i=4096"),
    ("salt not Base64", "r=NONCEx,s=c2Fs*A==,i=4096"),
    ("salt without padding", "r=NONCEx,s=c2FsdA,i=4096"),
    ("one round", "r=NONCEx,s=c2FsdA==,i=1"),
    ("no round", "r=NONCEx,s=c2FsdA==,i=0"),
    ("too few rounds", "r=NONCEx,s=c2FsdA==,i=4095"),
    ("too many rounds", "r=NONCEx,s=c2FsdA==,i=1000001"),
    ("2^32 rounds", "r=NONCEx,s=c2FsdA==,i=4294967296"),
    ("2^32 + 4096 rounds", "r=NONCEx,s=c2FsdA==,i=4294971392"),
    (
        "2^70 rounds",
        "r=NONCEx,s=c2FsdA==,i=1180591620717411303424",
    ),
    ("negative rounds", "r=NONCEx,s=c2FsdA==,i=-4096"),
    ("rounds with a sign", "r=NONCEx,s=c2FsdA==,i=+4096"),
    ("rounds with a leading zero", "r=NONCEx,s=c2FsdA==,i=04096"),
    ("rounds with a space", "r=NONCEx,s=c2FsdA==,i= 4096"),
    ("rounds in hexadecimal", "r=NONCEx,s=c2FsdA==,i=0x1000"),
    ("rounds as a fraction", "r=NONCEx,s=c2FsdA==,i=4096.0"),
    ("rounds empty", "r=NONCEx,s=c2FsdA==,i="),
    (
        "a mandatory extension first",
        "m=x,r=NONCEx,s=c2FsdA==,i=4096",
    ),
    (
        "a mandatory extension last",
        "r=NONCEx,s=c2FsdA==,i=4096,m=x",
    ),
    ("rounds twice", "r=NONCEx,s=c2FsdA==,i=4096,i=5000"),
    ("a comma at the end", "r=NONCEx,s=c2FsdA==,i=4096,"),
    ("an error", "e=other-error"),
    ("a final message", "v=rmF9pqV8S7suAoZWja4dJRkFsKQ="),
    ("a zero byte", "r=NONCEx,s=c2FsdA==,i=4096,x=\u{0}"),
];

#[test]
fn s_tls_08_bad_first_messages_of_a_server_are_refused() {
    for (what, message) in BAD_SERVER_FIRST {
        let message = message.replace("NONCE", "fyko");
        let outcome = client(Gs2::None, "u").handle(message.as_bytes(), b"");
        assert!(outcome.is_err(), "{what} was accepted");
    }
    assert!(
        client(Gs2::None, "u")
            .handle(b"r=fykox,s=c2FsdA==,i=4096,x=\xff", b"")
            .is_err()
    );
    let long = format!("r=fykox,s=c2FsdA==,i=4096,x={}", "y".repeat(9000));
    assert!(client(Gs2::None, "u").handle(long.as_bytes(), b"").is_err());
}

#[test]
fn s_tls_08_rounds_within_the_bounds_and_unknown_extensions_are_accepted() {
    for rounds in [MIN_ITERATIONS, 10_000, MAX_ITERATIONS] {
        let message = format!("r=fykox,s=c2FsdA==,i={rounds},x=y");
        let first = client(Gs2::None, "u")
            .handle(message.as_bytes(), b"")
            .unwrap();
        assert_eq!(first.iterations, rounds);
    }
}

/// Server-final messages that do not prove anything; `GOOD` stands for the right signature.
const BAD_SERVER_FINAL: [(&str, &str); 10] = [
    ("nothing", ""),
    ("an error", "e=invalid-proof"),
    ("another signature", "v=AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("a signature cut short", "v=rmF9pqV8S7suAoZWja4dJRkF"),
    ("an empty signature", "v="),
    ("no Base64", "v=***"),
    ("another attribute", "x=GOOD"),
    ("in other letters", "V=GOOD"),
    ("twice", "v=GOOD,v=AAAAAAAAAAAAAAAAAAAAAAAAAAA="),
    ("with a mandatory extension", "v=GOOD,m=x"),
];

#[test]
fn s_tls_09_bad_final_messages_of_a_server_are_refused() {
    let vector = &VECTORS[0];
    let good = vector.server_final.trim_start_matches("v=");
    for (what, message) in BAD_SERVER_FINAL {
        let first = ClientFirst::new(vector.hash, Gs2::None, "user", vector.nonce.to_owned());
        let first = first.handle(vector.server_first.as_bytes(), b"").unwrap();
        let keys = keys(&first, "pencil");
        let (_, last) = first.client_final(&keys);
        let message = message.replace("GOOD", good);
        assert!(
            last.handle(message.as_bytes()).is_err(),
            "{what} was accepted"
        );
    }
}

#[test]
fn s_tls_07_a_changed_list_of_mechanisms_is_found_out() {
    let offered = b"SCRAM-SHA-1\x1eSCRAM-SHA-1-PLUS\x1ftls-exporter\x1etls-server-end-point";
    let hash = BASE64.encode(Hash::Sha1.digest(offered).as_slice());
    let message = format!("r=fykox,s=c2FsdA==,i=4096,h={hash}");
    let same = client(Gs2::None, "u").handle(message.as_bytes(), offered);
    assert!(same.is_ok_and(|first| first.proves_offer));
    let changed = client(Gs2::None, "u").handle(message.as_bytes(), b"SCRAM-SHA-1");
    assert_eq!(changed.err(), Some(ScramError::Downgrade));
    let broken = client(Gs2::None, "u").handle(b"r=fykox,s=c2FsdA==,i=4096,h=*", offered);
    assert_eq!(broken.err(), Some(ScramError::Downgrade));
}

#[test]
fn keys_do_not_show_themselves() {
    let job = ScramKeyJob {
        job: 7,
        hash: Hash::Sha256,
        salt: b"salz".to_vec(),
        iterations: 4096,
        password: Zeroizing::new("hunter2".to_owned()),
    };
    let shown = format!("{job:?} {:?}", job.derive());
    assert_eq!(
        shown,
        "ScramKeyJob { job: 7, hash: Sha256, iterations: 4096, .. } ScramKeys"
    );
}
