use std::net::SocketAddr;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, CustomExtension, DistinguishedName,
    DnType, ExtendedKeyUsagePurpose, GeneralSubtree, IsCa, KeyPair, KeyUsagePurpose,
    NameConstraints, SanType, date_time_ymd,
};
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::server::ResolvesServerCert;
use rustls::sign::{CertifiedKey, SingleCertAndKey};
use rustls::{HandshakeKind, NamedGroup, ServerConfig};
use sha2::{Digest, Sha256};
use sotto_api::{Proxy, ProxyKind, ServerOverride};
use sotto_testkit::dns::{Answer, DnsServer, kind};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::dial;
use crate::dns::Dns;
use crate::link::Environment;

const WAIT: Duration = Duration::from_secs(10);

/// Certificate, chain and key of a server.
struct Shown {
    chain: Vec<CertificateDer<'static>>,
    key: KeyPair,
}

struct Pki {
    root: CertifiedIssuer<'static, KeyPair>,
}

impl Pki {
    fn new() -> Self {
        Self::named("Root")
    }

    fn named(name: &str) -> Self {
        let params = authority(name);
        let key = KeyPair::generate().unwrap();
        Self {
            root: CertifiedIssuer::self_signed(params, key).unwrap(),
        }
    }

    fn tls(&self) -> Tls {
        let mut roots = RootCertStore::empty();
        roots.add(self.root.der().clone()).unwrap();
        Tls::with_roots(roots)
    }

    fn sign(&self, params: CertificateParams) -> Shown {
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &self.root).unwrap();
        Shown {
            chain: vec![leaf.der().clone()],
            key,
        }
    }

    /// With an authority between that may vouch for names below `subtree` only.
    fn sign_below(&self, subtree: &str, params: CertificateParams) -> Shown {
        let mut between = authority("Between");
        between.name_constraints = Some(NameConstraints {
            permitted_subtrees: vec![GeneralSubtree::DnsName(subtree.to_owned())],
            excluded_subtrees: Vec::new(),
        });
        let between =
            CertifiedIssuer::signed_by(between, KeyPair::generate().unwrap(), &self.root).unwrap();
        let key = KeyPair::generate().unwrap();
        let leaf = params.signed_by(&key, &between).unwrap();
        Shown {
            chain: vec![leaf.der().clone(), between.der().clone()],
            key,
        }
    }
}

fn authority(name: &str) -> CertificateParams {
    let mut params = CertificateParams::default();
    params.distinguished_name = DistinguishedName::new();
    params.distinguished_name.push(DnType::CommonName, name);
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.key_usages = vec![KeyUsagePurpose::KeyCertSign];
    params
}

/// A server's certificate as it should be.
fn leaf(names: &[&str]) -> CertificateParams {
    let mut params =
        CertificateParams::new(names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>()).unwrap();
    params.distinguished_name = DistinguishedName::new();
    params
        .distinguished_name
        .push(DnType::CommonName, "unused.test");
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params
}

fn with(
    mut params: CertificateParams,
    change: impl FnOnce(&mut CertificateParams),
) -> CertificateParams {
    change(&mut params);
    params
}

fn tlv(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag, u8::try_from(content.len()).unwrap()];
    out.extend(content);
    out
}

const SRV_ID: u8 = 7;
const XMPP_ADDR: u8 = 5;

/// subjectAltName with one otherName below 1.3.6.1.5.5.7.8 and perhaps a DNS name.
fn other_name(last: u8, string: u8, text: &str, dns: Option<&str>) -> CertificateParams {
    let oid = tlv(6, &[0x2b, 6, 1, 5, 5, 7, 8, last]);
    let value = tlv(0xa0, &tlv(string, text.as_bytes()));
    let mut names = tlv(0xa0, &[oid, value].concat());
    if let Some(dns) = dns {
        names.extend(tlv(0x82, dns.as_bytes()));
    }
    with(leaf(&[]), |p| {
        p.custom_extensions.push(CustomExtension::from_oid_content(
            &[2, 5, 29, 17],
            tlv(0x30, &names),
        ));
    })
}

fn srv_id(text: &str) -> CertificateParams {
    other_name(SRV_ID, 0x16, text, None)
}

fn xmpp_addr(text: &str) -> CertificateParams {
    other_name(XMPP_ADDR, 0x0c, text, None)
}

fn plan(domain: &str) -> DialPlan {
    DialPlan {
        domain: domain.into(),
        server: None,
        proxy: None,
        client_certificate: None,
        accepted_keys: Vec::new(),
    }
}

/// What a server saw of one connection.
#[derive(Default)]
struct Served {
    received: Vec<u8>,
    exporter: Option<[u8; 32]>,
    name: Option<String>,
    alpn: Option<Vec<u8>>,
    kind: Option<HandshakeKind>,
    group: Option<NamedGroup>,
}

fn server_config(shown: &Shown, provider: CryptoProvider, tls12: bool) -> ServerConfig {
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(shown.key.serialize_der()));
    let key = provider.key_provider.load_private_key(key).unwrap();
    // Whatever the certificate says: also one that cannot be read.
    let certified = CertifiedKey::new(shown.chain.clone(), key);
    let resolver: Arc<dyn ResolvesServerCert> = Arc::new(SingleCertAndKey::from(certified));
    let versions: &[&rustls::SupportedProtocolVersion] = if tls12 {
        &[&rustls::version::TLS12]
    } else {
        &[&rustls::version::TLS13, &rustls::version::TLS12]
    };
    let mut config = ServerConfig::builder_with_provider(Arc::new(provider))
        .with_protocol_versions(versions)
        .unwrap()
        .with_no_client_auth()
        .with_cert_resolver(resolver);
    config.alpn_protocols = vec![b"xmpp-client".to_vec()];
    config
}

/// Serves TLS `times` times, one connection after the other.
async fn serve(config: ServerConfig, times: usize) -> (SocketAddr, JoinHandle<Vec<Served>>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let acceptor = TlsAcceptor::from(Arc::new(config));
    let task = tokio::spawn(async move {
        let mut all = Vec::new();
        for _ in 0..times {
            let (stream, _) = listener.accept().await.unwrap();
            all.push(match acceptor.accept(stream).await {
                Ok(mut stream) => {
                    let mut received = Vec::new();
                    // The client may leave without a farewell.
                    let _ = stream.read_to_end(&mut received).await;
                    let (_, connection) = stream.get_ref();
                    Served {
                        received,
                        exporter: connection
                            .export_keying_material([0; 32], b"EXPORTER-Channel-Binding", Some(&[]))
                            .ok(),
                        name: connection.server_name().map(str::to_owned),
                        alpn: connection.alpn_protocol().map(<[u8]>::to_vec),
                        kind: connection.handshake_kind(),
                        group: connection
                            .negotiated_key_exchange_group()
                            .map(|group| group.name()),
                    }
                }
                Err(_) => Served::default(),
            });
        }
        all
    });
    (address, task)
}

fn ring() -> CryptoProvider {
    rustls::crypto::ring::default_provider()
}

/// One handshake, and a word over it where it succeeds.
async fn meet(
    tls: &Tls,
    trust: &Trust,
    config: ServerConfig,
) -> (Result<TlsEstablished, CloseReason>, Served) {
    let (address, server) = serve(config, 1).await;
    let stream = TcpStream::connect(address).await.unwrap();
    let result = match tls.handshake(stream, trust, true, WAIT).await {
        Ok((mut stream, established)) => {
            stream.write_all(b"hello").await.unwrap();
            stream.shutdown().await.unwrap();
            Ok(established)
        }
        Err(reason) => Err(reason),
    };
    (result, server.await.unwrap().remove(0))
}

async fn met(
    tls: &Tls,
    domain: &str,
    shown: &Shown,
) -> (Result<TlsEstablished, CloseReason>, Served) {
    let trust = Trust::of(&plan(domain)).unwrap();
    meet(tls, &trust, server_config(shown, ring(), false)).await
}

#[tokio::test]
async fn s_tls_03_certificates_that_prove_the_domain_and_such_that_do_not() {
    let pki = Pki::new();
    let stranger = Pki::named("Stranger");
    let namesake = Pki::new();
    let tls = pki.tls();
    let good = || leaf(&["river.test"]);
    let alone = {
        let key = KeyPair::generate().unwrap();
        let certificate = good().self_signed(&key).unwrap();
        Shown {
            chain: vec![certificate.der().clone()],
            key,
        }
    };
    let unreadable = Shown {
        chain: vec![CertificateDer::from(vec![0x30, 3, 1, 2, 3])],
        key: KeyPair::generate().unwrap(),
    };
    let changed = {
        let mut shown = pki.sign(good());
        let mut der = shown.chain[0].to_vec();
        *der.last_mut().unwrap() ^= 1;
        shown.chain[0] = der.into();
        shown
    };
    let address = |text: &str| SanType::IpAddress(text.parse().unwrap());
    let cases: Vec<(&str, Shown, &str, Result<(), &str>)> = vec![
        ("good", pki.sign(good()), "river.test", Ok(())),
        (
            "in capitals",
            pki.sign(leaf(&["RIVER.test"])),
            "river.test",
            Ok(()),
        ),
        (
            "second of several names",
            pki.sign(leaf(&["lake.test", "river.test"])),
            "river.test",
            Ok(()),
        ),
        (
            "expired",
            pki.sign(with(good(), |p| p.not_after = date_time_ymd(2020, 1, 1))),
            "river.test",
            Err("Expired"),
        ),
        (
            "not yet valid",
            pki.sign(with(good(), |p| p.not_before = date_time_ymd(2900, 1, 1))),
            "river.test",
            Err("NotValidYet"),
        ),
        (
            "wrong name",
            pki.sign(good()),
            "lake.test",
            Err("NotValidForName"),
        ),
        (
            "a part of the name",
            pki.sign(leaf(&["test"])),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "a name below",
            pki.sign(leaf(&["xmpp.river.test"])),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "wildcard",
            pki.sign(leaf(&["*.river.test"])),
            "chat.river.test",
            Ok(()),
        ),
        (
            "wildcard two levels deep",
            pki.sign(leaf(&["*.river.test"])),
            "a.chat.river.test",
            Err("NotValidForName"),
        ),
        (
            "wildcard for its own domain",
            pki.sign(leaf(&["*.river.test"])),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "name only as common name",
            pki.sign(with(leaf(&[]), |p| {
                p.distinguished_name = DistinguishedName::new();
                p.distinguished_name.push(DnType::CommonName, "river.test");
            })),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "empty list of names",
            pki.sign(with(leaf(&[]), |p| {
                p.custom_extensions.push(CustomExtension::from_oid_content(
                    &[2, 5, 29, 17],
                    vec![0x30, 0],
                ));
            })),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "SRV-ID",
            pki.sign(srv_id("_xmpp-client.river.test")),
            "river.test",
            Ok(()),
        ),
        (
            "SRV-ID of direct TLS",
            pki.sign(srv_id("_xmpps-client.river.test")),
            "river.test",
            Ok(()),
        ),
        (
            "SRV-ID of servers",
            pki.sign(srv_id("_xmpp-server.river.test")),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "SRV-ID of another domain",
            pki.sign(srv_id("_xmpp-client.lake.test")),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "SRV-ID without a domain",
            pki.sign(srv_id("_xmpp-client.")),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "SRV-ID beside another DNS name",
            pki.sign(other_name(
                SRV_ID,
                0x16,
                "_xmpp-client.river.test",
                Some("host.test"),
            )),
            "river.test",
            Ok(()),
        ),
        (
            "SRV-ID, expired",
            pki.sign(with(srv_id("_xmpp-client.river.test"), |p| {
                p.not_after = date_time_ymd(2020, 1, 1);
            })),
            "river.test",
            Err("Expired"),
        ),
        (
            "SRV-ID of an unknown authority",
            stranger.sign(srv_id("_xmpp-client.river.test")),
            "river.test",
            Err("UnknownIssuer"),
        ),
        (
            "SRV-ID for clients' certificates only",
            pki.sign(with(srv_id("_xmpp-client.river.test"), |p| {
                p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            })),
            "river.test",
            Err("InvalidPurpose"),
        ),
        (
            "xmppAddr",
            pki.sign(xmpp_addr("river.test")),
            "river.test",
            Ok(()),
        ),
        (
            "xmppAddr with letters of all scripts",
            pki.sign(xmpp_addr("bücher.test")),
            "bücher.test",
            Ok(()),
        ),
        (
            "xmppAddr of another domain",
            pki.sign(xmpp_addr("lake.test")),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "xmppAddr of a person",
            pki.sign(xmpp_addr("sara@river.test")),
            "river.test",
            Err("NotValidForName"),
        ),
        (
            "IDN",
            pki.sign(leaf(&["xn--bcher-kva.test"])),
            "bücher.test",
            Ok(()),
        ),
        (
            "IDN that looks alike",
            pki.sign(leaf(&["xn--bcher-kva.test"])),
            "bucher.test",
            Err("NotValidForName"),
        ),
        (
            "name constraints kept",
            pki.sign_below("test", good()),
            "river.test",
            Ok(()),
        ),
        (
            "name constraints violated",
            pki.sign_below("lake.test", good()),
            "river.test",
            Err("NameConstraintViolation"),
        ),
        ("self-signed", alone, "river.test", Err("SelfSigned")),
        (
            "unknown authority",
            stranger.sign(good()),
            "river.test",
            Err("UnknownIssuer"),
        ),
        (
            "an authority that only has the name of a known one",
            namesake.sign(good()),
            "river.test",
            Err("BadSignature"),
        ),
        (
            "an authority as server",
            pki.sign(with(good(), |p| {
                p.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
            })),
            "river.test",
            Err("CaUsedAsEndEntity"),
        ),
        (
            "for clients only",
            pki.sign(with(good(), |p| {
                p.extended_key_usages = vec![ExtendedKeyUsagePurpose::ClientAuth];
            })),
            "river.test",
            Err("InvalidPurpose"),
        ),
        (
            "no purpose named",
            pki.sign(with(good(), |p| p.extended_key_usages.clear())),
            "river.test",
            Ok(()),
        ),
        (
            "an address as name",
            pki.sign(with(leaf(&[]), |p| {
                p.subject_alt_names = vec![address("192.0.2.1")]
            })),
            "192.0.2.1",
            Ok(()),
        ),
        (
            "another address",
            pki.sign(with(leaf(&[]), |p| {
                p.subject_alt_names = vec![address("192.0.2.2")]
            })),
            "192.0.2.1",
            Err("NotValidForName"),
        ),
        (
            "an address for a domain",
            pki.sign(with(leaf(&[]), |p| {
                p.subject_alt_names = vec![address("127.0.0.1")]
            })),
            "river.test",
            Err("NotValidForName"),
        ),
        ("unreadable", unreadable, "river.test", Err("BadEncoding")),
        (
            "signature changed",
            changed,
            "river.test",
            Err("BadSignature"),
        ),
    ];
    assert!(cases.len() >= 20);
    for (what, shown, domain, expected) in cases {
        let (result, served) = met(&tls, domain, &shown).await;
        match (result, expected) {
            (Ok(_), Ok(())) => assert_eq!(served.received, b"hello", "{what}"),
            (Err(CloseReason::Certificate { reason, chain }), Err(word)) => {
                assert_eq!(reason, word, "{what}");
                assert_eq!(served.received, b"", "{what}");
                let hash: String = Sha256::digest(&shown.chain[0])
                    .iter()
                    .map(|b| format!("{b:02x}"))
                    .collect();
                assert_eq!(chain.summary.sha256, hash, "{what}");
            }
            (result, expected) => panic!("{what}: {result:?} in place of {expected:?}"),
        }
    }
}

#[tokio::test]
async fn s_tls_03_no_authority_at_all_trusts_nobody() {
    let tls = Tls::with_roots(RootCertStore::empty());
    let shown = Pki::new().sign(leaf(&["river.test"]));
    let (result, served) = met(&tls, "river.test", &shown).await;
    assert!(
        matches!(result, Err(CloseReason::Certificate { .. })),
        "{result:?}"
    );
    assert_eq!(served.received, b"");
}

fn environment(tls: Tls, dns: &DnsServer) -> Arc<Environment> {
    Arc::new(Environment {
        dns: Dns::new(Some(vec![dns.address()])),
        tls,
    })
}

async fn dialled(
    plan: &DialPlan,
    environment: &Arc<Environment>,
) -> Result<dial::Dialed, CloseReason> {
    dial::dial(plan, &Trust::of(plan).unwrap(), environment).await
}

#[tokio::test]
async fn s_tls_04_the_target_of_srv_is_never_what_the_certificate_must_prove() {
    let pki = Pki::new();
    for (name, accepted) in [("host.evil.test", false), ("river.test", true)] {
        let shown = pki.sign(leaf(&[name]));
        let (address, server) = serve(server_config(&shown, ring(), false), 1).await;
        let dns = DnsServer::start(move |name, asked| match (name, asked) {
            ("_xmpps-client._tcp.river.test", kind::SRV) => {
                Answer::Srv(vec![(0, 0, address.port(), "host.evil.test".into())])
            }
            ("host.evil.test", _) => Answer::Addresses(vec![address.ip()]),
            _ => Answer::NoSuchName,
        })
        .unwrap();
        let result = dialled(&plan("river.test"), &environment(pki.tls(), &dns)).await;
        match result {
            Ok(dialed) => assert!(accepted && dialed.tls.is_some()),
            Err(CloseReason::Certificate { reason, .. }) => {
                assert!(!accepted);
                assert_eq!(reason, "NotValidForName");
            }
            Err(other) => panic!("{other:?}"),
        }
        let served = server.await.unwrap().remove(0);
        assert_eq!(served.received, b"");
        if accepted {
            // What the server is asked for is the domain, too (RFC 6066 §3, XEP-0368 §3).
            assert_eq!(served.name.as_deref(), Some("river.test"));
            assert_eq!(served.alpn.as_deref(), Some(&b"xmpp-client"[..]));
        }
    }
}

#[tokio::test]
async fn s_tls_04_a_server_that_the_person_named_must_prove_the_domain_all_the_same() {
    let pki = Pki::new();
    let dns = DnsServer::start(|_, _| Answer::NoSuchName).unwrap();
    for (name, accepted) in [("localhost", false), ("river.test", true)] {
        let shown = pki.sign(leaf(&[name]));
        let (address, _server) = serve(server_config(&shown, ring(), false), 1).await;
        let mut plan = plan("river.test");
        plan.server = Some(ServerOverride {
            host: "localhost".into(),
            port: address.port(),
            direct_tls: true,
        });
        let result = dialled(&plan, &environment(pki.tls(), &dns)).await;
        assert_eq!(result.is_ok(), accepted, "{name}");
    }
}

#[tokio::test]
async fn s_tls_05_an_accepted_key_is_accepted_and_no_other() {
    let tls = Pki::new().tls();
    let alone = |names: &[&str]| {
        let key = KeyPair::generate().unwrap();
        let certificate = leaf(names).self_signed(&key).unwrap();
        Shown {
            chain: vec![certificate.der().clone()],
            key,
        }
    };
    let (known, other) = (alone(&["x.test"]), alone(&["x.test"]));
    let mut with_key = plan("river.test");
    with_key.accepted_keys = vec![certificate::key_hash(&known.chain[0]).unwrap()];
    let trust = Trust::of(&with_key).unwrap();
    let (result, served) = meet(&tls, &trust, server_config(&known, ring(), false)).await;
    assert!(result.is_ok());
    assert_eq!(served.received, b"hello");
    // The same key in a new certificate is the same server.
    let renewed = Shown {
        chain: vec![
            leaf(&["y.test"])
                .self_signed(&known.key)
                .unwrap()
                .der()
                .clone(),
        ],
        key: KeyPair::from_pem(&known.key.serialize_pem()).unwrap(),
    };
    let (result, _) = meet(&tls, &trust, server_config(&renewed, ring(), false)).await;
    assert!(result.is_ok());
    let (result, served) = meet(&tls, &trust, server_config(&other, ring(), false)).await;
    assert!(matches!(result, Err(CloseReason::Certificate { .. })));
    assert_eq!(served.received, b"");
    // Another account's plan does not hold the key, whatever was accepted over the same `Tls` before.
    let (result, served) = met(&tls, "river.test", &known).await;
    assert!(matches!(result, Err(CloseReason::Certificate { .. })));
    assert_eq!(served.received, b"");
}

#[tokio::test]
async fn s_tls_05_a_stolen_certificate_without_its_key_is_no_use() {
    let tls = Pki::new().tls();
    let key = KeyPair::generate().unwrap();
    let certificate = leaf(&["river.test"]).self_signed(&key).unwrap();
    let stolen = Shown {
        chain: vec![certificate.der().clone()],
        key: KeyPair::generate().unwrap(),
    };
    let mut with_key = plan("river.test");
    with_key.accepted_keys = vec![certificate::key_hash(certificate.der()).unwrap()];
    for tls12 in [false, true] {
        let trust = Trust::of(&with_key).unwrap();
        let (result, served) = meet(&tls, &trust, server_config(&stolen, ring(), tls12)).await;
        assert!(result.is_err());
        assert_eq!(served.received, b"");
    }
}

/// Extensions and suites of a ClientHello (RFC 8446 §4.1.2).
struct Hello {
    suites: Vec<u16>,
    session: usize,
    extensions: Vec<(u16, Vec<u8>)>,
}

impl Hello {
    fn parse(record: &[u8]) -> Self {
        let pair = |bytes: &[u8]| u16::from_be_bytes([bytes[0], bytes[1]]);
        assert_eq!(record[0], 22, "a handshake record");
        let body = &record[5 + 4 + 2 + 32..];
        let session = usize::from(body[0]);
        let body = &body[1 + session..];
        let length = usize::from(pair(body));
        let suites = body[2..2 + length].chunks(2).map(pair).collect();
        let body = &body[2 + length..];
        let mut rest = &body[1 + usize::from(body[0]) + 2..];
        let mut extensions = Vec::new();
        while !rest.is_empty() {
            let length = usize::from(pair(&rest[2..]));
            extensions.push((pair(rest), rest[4..4 + length].to_vec()));
            rest = &rest[4 + length..];
        }
        Self {
            suites,
            session,
            extensions,
        }
    }

    fn extension(&self, kind: u16) -> Option<&[u8]> {
        self.extensions
            .iter()
            .find(|(k, _)| *k == kind)
            .map(|(_, bytes)| bytes.as_slice())
    }
}

/// Reads one ClientHello, answers with `answer`, and gives what came.
async fn hello(answer: Vec<u8>) -> (Hello, Result<(), CloseReason>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut record = vec![0; 5];
        stream.read_exact(&mut record).await.unwrap();
        let length = usize::from(u16::from_be_bytes([record[3], record[4]]));
        record.resize(5 + length, 0);
        stream.read_exact(&mut record[5..]).await.unwrap();
        stream.write_all(&answer).await.unwrap();
        stream.shutdown().await.unwrap();
        let mut after = Vec::new();
        let _ = stream.read_to_end(&mut after).await;
        // At most an alert, in the clear.
        assert!(after.is_empty() || after[0] == 21, "{after:?}");
        Hello::parse(&record)
    });
    let trust = Trust::of(&plan("river.test")).unwrap();
    let stream = TcpStream::connect(address).await.unwrap();
    let result = Pki::new().tls().handshake(stream, &trust, true, WAIT).await;
    (server.await.unwrap(), result.map(|_| ()))
}

/// A ServerHello of an old version (RFC 5246 §7.4.1.3).
fn server_hello(version: u16, suite: u16) -> Vec<u8> {
    let mut body = version.to_be_bytes().to_vec();
    body.extend([7; 32]);
    body.push(0);
    body.extend(suite.to_be_bytes());
    body.push(0);
    let mut out = vec![22];
    out.extend(version.to_be_bytes());
    out.extend(u16::try_from(body.len() + 4).unwrap().to_be_bytes());
    out.extend([2, 0, 0, u8::try_from(body.len()).unwrap()]);
    out.extend(body);
    out
}

#[tokio::test]
async fn s_tls_10_only_tls_1_2_with_aead_and_1_3_are_offered_and_nothing_early() {
    let (hello, _) = hello(Vec::new()).await;
    assert_eq!(hello.extension(43), Some(&[4, 3, 4, 3, 3][..]), "versions");
    assert_eq!(hello.extension(42), None, "early data");
    assert_eq!(hello.extension(41), None, "a session to resume");
    // RFC 8446 §B.4, RFC 5289 §3.2, RFC 7905 §2: GCM and ChaCha20-Poly1305 with ephemeral keys; renegotiation's SCSV.
    let allowed = [
        0x1301, 0x1302, 0x1303, 0xc02b, 0xc02c, 0xc02f, 0xc030, 0xcca8, 0xcca9, 0x00ff,
    ];
    for suite in hello.suites {
        assert!(allowed.contains(&suite), "{suite:#06x}");
    }
}

#[tokio::test]
async fn s_tls_10_old_versions_and_suites_are_refused() {
    for (version, suite) in [
        (0x0302, 0xc013),
        (0x0301, 0x002f),
        (0x0300, 0x000a),
        (0x0303, 0xc027),
        (0x0303, 0x009c),
    ] {
        let (_, result) = hello(server_hello(version, suite)).await;
        assert!(
            matches!(result, Err(CloseReason::Tls(_))),
            "{version:#06x} {suite:#06x}: {result:?}"
        );
    }
}

#[tokio::test]
async fn s_tls_11_two_accounts_at_one_server_share_no_session() {
    let pki = Pki::new();
    let tls = pki.tls();
    let shown = pki.sign(leaf(&["river.test", "lake.test"]));
    for tls12 in [false, true] {
        let mut config = server_config(&shown, ring(), tls12);
        config.send_tls13_tickets = 2;
        config.ticketer = rustls::crypto::ring::Ticketer::new().unwrap();
        let domains = ["river.test", "lake.test", "river.test"];
        let (address, server) = serve(config, domains.len()).await;
        for domain in domains {
            let trust = Trust::of(&plan(domain)).unwrap();
            let stream = TcpStream::connect(address).await.unwrap();
            let (mut stream, _) = tls.handshake(stream, &trust, true, WAIT).await.unwrap();
            stream.write_all(domain.as_bytes()).await.unwrap();
            stream.shutdown().await.unwrap();
        }
        for (served, domain) in server.await.unwrap().iter().zip(domains) {
            assert_eq!(served.kind, Some(HandshakeKind::Full));
            assert_eq!(served.name.as_deref(), Some(domain));
            assert_eq!(served.received, domain.as_bytes());
        }
    }
    let (hello, _) = hello(Vec::new()).await;
    assert!(hello.session == 0 || hello.session == 32);
}

#[tokio::test]
async fn s_tls_13_with_a_proxy_nothing_is_asked_of_dns() {
    let dns =
        DnsServer::start(|_, _| Answer::Addresses(vec!["127.0.0.1".parse().unwrap()])).unwrap();
    let environment = environment(Pki::new().tls(), &dns);
    for (server, expected) in [
        (None, "river.test:5222"),
        (
            Some(ServerOverride {
                host: "host.river.test".into(),
                port: 443,
                direct_tls: false,
            }),
            "host.river.test:443",
        ),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let proxy = tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut got = Vec::new();
            while !got.ends_with(b"\r\n\r\n") {
                got.push(stream.read_u8().await.unwrap());
            }
            stream.write_all(b"HTTP/1.1 200 OK\r\n\r\n").await.unwrap();
            String::from_utf8(got).unwrap()
        });
        let mut plan = plan("river.test");
        plan.server = server;
        plan.proxy = Some(Proxy {
            kind: ProxyKind::HttpConnect,
            host: "127.0.0.1".into(),
            port,
            username: None,
            password: None,
        });
        assert!(dialled(&plan, &environment).await.is_ok());
        let asked = proxy.await.unwrap();
        assert!(
            asked.starts_with(&format!("CONNECT {expected} ")),
            "{asked}"
        );
    }
    assert_eq!(dns.questions(), []);
}

#[tokio::test]
async fn s_tls_06_both_ends_bind_to_the_same_channel() {
    let pki = Pki::new();
    let shown = pki.sign(leaf(&["river.test"]));
    let (result, served) = met(&pki.tls(), "river.test", &shown).await;
    let established = result.unwrap();
    assert!(established.tls13);
    assert!(established.exporter.is_some());
    assert_eq!(established.exporter, served.exporter);
    assert_eq!(
        established.server_end_point.unwrap(),
        Sha256::digest(&shown.chain[0]).to_vec()
    );
}

/// RFC 9266 §4.2: on TLS 1.2 only with the extended master secret, which cannot be asked for.
#[tokio::test]
async fn s_tls_06_tls_1_2_is_bound_by_the_certificate_only() {
    let pki = Pki::new();
    let shown = pki.sign(leaf(&["river.test"]));
    let trust = Trust::of(&plan("river.test")).unwrap();
    let (result, _) = meet(&pki.tls(), &trust, server_config(&shown, ring(), true)).await;
    let established = result.unwrap();
    assert!(!established.tls13);
    assert_eq!(established.exporter, None);
    assert!(established.server_end_point.is_some());
    assert!(
        established.cipher.starts_with("TLS_ECDHE_ECDSA_WITH_AES"),
        "{}",
        established.cipher
    );
}

#[tokio::test]
async fn a_server_that_knows_the_post_quantum_exchange_uses_it_at_once() {
    let pki = Pki::new();
    let shown = pki.sign(leaf(&["river.test"]));
    let trust = Trust::of(&plan("river.test")).unwrap();
    let mut provider = ring();
    provider.kx_groups.insert(0, X25519_MLKEM768);
    let (result, served) = meet(&pki.tls(), &trust, server_config(&shown, provider, false)).await;
    assert_eq!(
        result.unwrap().cipher,
        "TLS_AES_256_GCM_SHA384, X25519MLKEM768"
    );
    assert_eq!(served.group, Some(NamedGroup::X25519MLKEM768));
    assert_eq!(served.kind, Some(HandshakeKind::Full));
    assert_eq!(served.received, b"hello");
}

#[tokio::test]
async fn an_older_server_loses_no_round_trip_to_it() {
    let pki = Pki::new();
    let shown = pki.sign(leaf(&["river.test"]));
    let (result, served) = met(&pki.tls(), "river.test", &shown).await;
    assert_eq!(result.unwrap().cipher, "TLS_AES_256_GCM_SHA384, X25519");
    assert_eq!(served.group, Some(NamedGroup::X25519));
    // Not `FullWithHelloRetryRequest`.
    assert_eq!(served.kind, Some(HandshakeKind::Full));
    let (hello, _) = hello(Vec::new()).await;
    let shares = hello.extension(51).unwrap();
    assert_eq!(
        shares[2..6],
        [0x11, 0xec, 0x04, 0xc0],
        "1216 bytes of the hybrid first"
    );
    assert_eq!(
        shares[6 + 1216..][..4],
        [0, 0x1d, 0, 32],
        "X25519 beside it"
    );
}

#[test]
fn a_client_certificate_without_its_key_is_refused_in_words() {
    let key = KeyPair::generate().unwrap();
    let certificate = leaf(&["sara.test"]).self_signed(&key).unwrap();
    let trust = |pem: String| {
        let mut plan = plan("river.test");
        plan.client_certificate = Some(sotto_api::Secret::new(pem));
        Trust::of(&plan).map(|_| ())
    };
    assert!(trust(certificate.pem() + &key.serialize_pem()).is_ok());
    assert!(
        matches!(trust(certificate.pem()), Err(CloseReason::Tls(text)) if text.contains("no key"))
    );
    assert!(matches!(trust(String::new()), Err(CloseReason::Tls(_))));
    assert!(matches!(
        trust("-----BEGIN CERTIFICATE-----\n!".into()),
        Err(CloseReason::Tls(_))
    ));
}
