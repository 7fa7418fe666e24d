use std::net::SocketAddr;
use std::sync::mpsc::Receiver;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{RootCertStore, ServerConfig};
use sotto_api::{Proxy, ProxyKind, ServerOverride};
use sotto_engine::io::{DialPlan, Input};
use sotto_testkit::ca::Authority;
use sotto_testkit::dns::{Answer, DnsServer, kind};
use tokio::net::TcpListener;
use tokio::task::{JoinHandle, yield_now};
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::owner::Wake;

const LINK: LinkId = LinkId(7);

/// A link over the whole of this module and what is below it, with the test in the engine's place.
struct Driven {
    commands: mpsc::UnboundedSender<LinkCommand>,
    inbox: Receiver<Wake>,
    task: JoinHandle<()>,
}

type Permit = Option<tokio::sync::OwnedSemaphorePermit>;

impl Driven {
    fn dial(plan: DialPlan, environment: Environment) -> Self {
        let (commands, receiver) = mpsc::unbounded_channel();
        let (hub, inbox) = Hub::alone();
        let task = tokio::spawn(run(LINK, receiver, hub, Arc::new(environment)));
        commands.send(LinkCommand::Dial(Box::new(plan))).unwrap();
        Self {
            commands,
            inbox,
            task,
        }
    }

    fn tell(&self, command: LinkCommand) {
        self.commands.send(command).unwrap();
    }

    fn now(&self) -> Option<(LinkEvent, Permit)> {
        match self.inbox.try_recv().ok()? {
            Wake::Input(Input::Link { link, event }, permit) => {
                assert_eq!(link, LINK);
                Some((event, permit))
            }
            _ => panic!("not an event of a link"),
        }
    }

    async fn next(&self) -> (LinkEvent, Permit) {
        let give_up = std::time::Instant::now() + Duration::from_secs(20);
        loop {
            if let Some(event) = self.now() {
                return event;
            }
            assert!(std::time::Instant::now() < give_up, "nothing happens");
            yield_now().await;
        }
    }

    async fn stands(&self) {
        assert!(matches!(self.next().await.0, LinkEvent::Dialed { .. }));
    }

    async fn received(&self, expected: &[u8]) {
        let mut all = Vec::new();
        while all.len() < expected.len() {
            match self.next().await.0 {
                LinkEvent::Received(bytes) => all.extend(bytes),
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(all, expected);
    }

    /// The reason why it ended; nothing else came before, nothing comes after.
    async fn closed(self) -> CloseReason {
        let LinkEvent::Closed(reason) = self.next().await.0 else {
            panic!("something else than the end");
        };
        self.task.await.unwrap();
        assert!(self.inbox.try_recv().is_err());
        reason
    }
}

fn plan(address: SocketAddr) -> DialPlan {
    DialPlan {
        domain: "river.test".into(),
        server: Some(ServerOverride {
            host: address.ip().to_string(),
            port: address.port(),
            direct_tls: false,
        }),
        proxy: None,
        client_certificate: None,
        accepted_keys: Vec::new(),
    }
}

fn by_dns() -> DialPlan {
    DialPlan {
        server: None,
        ..plan("127.0.0.1:1".parse().unwrap())
    }
}

fn environment(dns: Option<&DnsServer>, roots: RootCertStore) -> Environment {
    Environment {
        dns: Dns::new(Some(dns.map(DnsServer::address).into_iter().collect())),
        tls: Tls::with_roots(roots),
    }
}

fn nothing() -> Environment {
    environment(None, RootCertStore::empty())
}

async fn listen() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// A link that stands, and the server's end of it.
async fn pair(environment: Environment) -> (Driven, TcpStream) {
    let (listener, address) = listen().await;
    let link = Driven::dial(plan(address), environment);
    let (server, _) = listener.accept().await.unwrap();
    link.stands().await;
    (link, server)
}

fn river() -> (RootCertStore, TlsAcceptor) {
    let authority = Authority::new().unwrap();
    let mut roots = RootCertStore::empty();
    roots
        .add(CertificateDer::from_pem_slice(authority.pem().as_bytes()).unwrap())
        .unwrap();
    let identity = authority.issue(&["river.test"]).unwrap();
    let chain = CertificateDer::pem_slice_iter(identity.chain.as_bytes())
        .collect::<Result<Vec<_>, _>>()
        .unwrap();
    let key = PrivateKeyDer::from_pem_slice(identity.key.as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    (roots, TlsAcceptor::from(Arc::new(config)))
}

#[tokio::test]
async fn bytes_go_both_ways_in_the_clear_then_over_tls_and_the_end_is_clean() {
    let (roots, acceptor) = river();
    let (link, mut server) = pair(environment(None, roots)).await;
    link.tell(LinkCommand::Transmit(b"<stream>".to_vec()));
    link.tell(LinkCommand::Transmit(b"<starttls/>".to_vec()));
    let mut got = [0; 19];
    server.read_exact(&mut got).await.unwrap();
    assert_eq!(&got, b"<stream><starttls/>");
    server.write_all(b"<proceed/>").await.unwrap();
    link.received(b"<proceed/>").await;
    link.tell(LinkCommand::StartTls);
    let mut server = acceptor.accept(server).await.unwrap();
    let LinkEvent::TlsEstablished(established) = link.next().await.0 else {
        panic!("no TLS");
    };
    assert!(established.tls13 && established.exporter.is_some());
    assert_eq!(established.certificate.summary.subject, "river.test");
    let large: Vec<u8> = (0..300_000u32).map(|i| (i % 251) as u8).collect();
    link.tell(LinkCommand::Transmit(large.clone()));
    link.tell(LinkCommand::Close);
    let mut got = Vec::new();
    server.read_to_end(&mut got).await.unwrap();
    assert!(got == large, "{} bytes", got.len());
    assert_eq!(link.closed().await, CloseReason::ByUs);
}

#[tokio::test]
async fn s_tls_02_what_comes_in_the_clear_after_proceed_is_never_taken_for_tls() {
    let (roots, _) = river();
    let (link, mut server) = pair(environment(None, roots)).await;
    server.write_all(b"<proceed/>").await.unwrap();
    link.received(b"<proceed/>").await;
    link.tell(LinkCommand::StartTls);
    // Its ClientHello shows that TLS has begun.
    let mut first = [0; 1];
    server.read_exact(&mut first).await.unwrap();
    server.write_all(b"<features/>").await.unwrap();
    let reason = link.closed().await;
    assert!(matches!(reason, CloseReason::Tls(_)), "{reason:?}");
}

#[tokio::test]
async fn s_tls_02_tls_is_not_begun_twice() {
    let (roots, acceptor) = river();
    let (link, server) = pair(environment(None, roots)).await;
    link.tell(LinkCommand::StartTls);
    let _server = acceptor.accept(server).await.unwrap();
    assert!(matches!(link.next().await.0, LinkEvent::TlsEstablished(_)));
    link.tell(LinkCommand::StartTls);
    assert!(matches!(link.closed().await, CloseReason::Tls(_)));
}

#[tokio::test]
async fn a_server_is_read_ahead_by_a_bounded_amount_only() {
    let (link, server) = pair(nothing()).await;
    let writer = tokio::spawn(async move {
        let mut server = server;
        server
            .write_all(&vec![b'x'; 8 * 1024 * 1024])
            .await
            .unwrap();
    });
    let mut held = Vec::new();
    let mut total = 0;
    while held.len() < AHEAD {
        let (event, permit) = link.next().await;
        let LinkEvent::Received(bytes) = event else {
            panic!("{event:?}");
        };
        assert!(bytes.len() <= CHUNK);
        total += bytes.len();
        held.push(permit.unwrap());
    }
    for _ in 0..1000 {
        yield_now().await;
    }
    assert!(link.now().is_none(), "more than {AHEAD} chunks at once");
    held.clear();
    while total < 8 * 1024 * 1024 {
        match link.next().await.0 {
            LinkEvent::Received(bytes) => total += bytes.len(),
            other => panic!("{other:?}"),
        }
    }
    writer.await.unwrap();
    assert_eq!(link.closed().await, CloseReason::Eof);
}

#[tokio::test]
async fn the_end_of_the_other_side_is_told_from_a_broken_line() {
    let (link, server) = pair(nothing()).await;
    drop(server);
    assert_eq!(link.closed().await, CloseReason::Eof);
    let (link, server) = pair(nothing()).await;
    server.set_zero_linger().unwrap();
    drop(server);
    assert!(matches!(link.closed().await, CloseReason::Io(_)));
}

#[tokio::test]
async fn close_is_heard_while_names_are_looked_up() {
    let silent = DnsServer::start(|_, _| Answer::Silence).unwrap();
    let link = Driven::dial(by_dns(), environment(Some(&silent), RootCertStore::empty()));
    while silent.questions().is_empty() {
        yield_now().await;
    }
    link.tell(LinkCommand::Close);
    assert_eq!(link.closed().await, CloseReason::ByUs);
}

#[tokio::test]
async fn close_is_heard_while_a_proxy_is_silent() {
    let (listener, address) = listen().await;
    let mut plan = by_dns();
    plan.proxy = Some(Proxy {
        kind: ProxyKind::Socks5,
        host: "127.0.0.1".into(),
        port: address.port(),
        username: None,
        password: None,
    });
    let link = Driven::dial(plan, nothing());
    let _proxy = listener.accept().await.unwrap();
    link.tell(LinkCommand::Close);
    assert_eq!(link.closed().await, CloseReason::ByUs);
}

#[tokio::test]
async fn close_is_heard_in_the_midst_of_a_handshake() {
    let (link, mut server) = pair(nothing()).await;
    link.tell(LinkCommand::StartTls);
    server.read_u8().await.unwrap();
    link.tell(LinkCommand::Close);
    assert_eq!(link.closed().await, CloseReason::ByUs);
}

#[tokio::test(start_paused = true)]
async fn a_handshake_without_an_answer_is_given_up() {
    let (link, mut server) = pair(nothing()).await;
    link.tell(LinkCommand::StartTls);
    server.read_u8().await.unwrap();
    tokio::time::advance(TLS_WAIT + Duration::from_secs(1)).await;
    assert_eq!(link.closed().await, CloseReason::TimedOut);
}

#[tokio::test]
async fn r_net_02_a_server_that_takes_nothing_cannot_fill_the_memory() {
    let (link, _server) = pair(nothing()).await;
    for _ in 0..40 {
        // Fails once the link has ended, as it should.
        let _ = link
            .commands
            .send(LinkCommand::Transmit(vec![b'x'; 1024 * 1024]));
    }
    assert!(matches!(link.closed().await, CloseReason::Io(_)));
}

#[tokio::test(start_paused = true)]
async fn r_net_02_a_server_that_takes_nothing_for_a_minute_is_given_up() {
    let (link, _server) = pair(nothing()).await;
    link.tell(LinkCommand::Transmit(vec![b'x'; 12 * 1024 * 1024]));
    for _ in 0..2000 {
        yield_now().await;
    }
    assert!(link.now().is_none());
    tokio::time::advance(STALLED + Duration::from_secs(1)).await;
    assert_eq!(link.closed().await, CloseReason::TimedOut);
}

#[tokio::test(start_paused = true)]
async fn an_idle_link_is_not_taken_for_a_stalled_one() {
    let (link, mut server) = pair(nothing()).await;
    link.tell(LinkCommand::Transmit(b"x".to_vec()));
    assert_eq!(server.read_u8().await.unwrap(), b'x');
    tokio::time::advance(10 * STALLED).await;
    link.tell(LinkCommand::Transmit(b"y".to_vec()));
    assert_eq!(server.read_u8().await.unwrap(), b'y');
    assert!(link.now().is_none());
}

#[tokio::test(start_paused = true)]
async fn r_sys_05_a_server_that_takes_nothing_does_not_delay_the_end_by_more_than_a_second() {
    let (link, _server) = pair(nothing()).await;
    link.tell(LinkCommand::Transmit(vec![b'x'; 12 * 1024 * 1024]));
    link.tell(LinkCommand::Close);
    for _ in 0..2000 {
        yield_now().await;
    }
    assert!(link.now().is_none());
    tokio::time::advance(FAREWELL).await;
    assert_eq!(link.closed().await, CloseReason::ByUs);
}

/// Takes connections in but never completes them: a queue of one that is full.
#[cfg(target_os = "linux")]
fn black_hole() -> (std::net::TcpListener, std::net::TcpStream, SocketAddr) {
    use rustix::net::{AddressFamily, SocketType};
    let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
    let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
    rustix::net::bind(&socket, &any).unwrap();
    rustix::net::listen(&socket, 0).unwrap();
    let listener = std::net::TcpListener::from(socket);
    let address = listener.local_addr().unwrap();
    let first = std::net::TcpStream::connect(address).unwrap();
    (listener, first, address)
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn r_net_06_a_target_that_swallows_everything_does_not_hide_the_next() {
    let (_listener, _first, hole) = black_hole();
    let (listener, good) = listen().await;
    let dns = DnsServer::start(move |name, asked| match (name, asked) {
        ("_xmpp-client._tcp.river.test", kind::SRV) => Answer::Srv(vec![
            (0, 0, hole.port(), "hole.river.test".into()),
            (9, 0, good.port(), "good.river.test".into()),
        ]),
        (_, kind::A) => Answer::Addresses(vec![good.ip()]),
        (_, kind::AAAA) => Answer::Nothing,
        _ => Answer::NoSuchName,
    })
    .unwrap();
    let before = std::time::Instant::now();
    let link = Driven::dial(by_dns(), environment(Some(&dns), RootCertStore::empty()));
    let accepted = listener.accept().await.unwrap();
    let LinkEvent::Dialed { peer, tls: None } = link.next().await.0 else {
        panic!("not dialed");
    };
    assert_eq!(peer, format!("good.river.test.:{}", good.port()));
    assert!(
        before.elapsed() < Duration::from_secs(5),
        "{:?}",
        before.elapsed()
    );
    drop(accepted);
}

#[tokio::test]
async fn r_net_06_a_target_that_refuses_does_not_hide_the_next() {
    let (listener, good) = listen().await;
    let (dead, address) = listen().await;
    drop(dead);
    let dns = DnsServer::start(move |name, asked| match (name, asked) {
        ("_xmpp-client._tcp.river.test", kind::SRV) => Answer::Srv(vec![
            (0, 0, address.port(), "dead.river.test".into()),
            (5, 0, 5222, "gone.river.test".into()),
            (9, 0, good.port(), "good.river.test".into()),
        ]),
        ("gone.river.test", _) => Answer::NoSuchName,
        (_, kind::A) => Answer::Addresses(vec![good.ip()]),
        (_, kind::AAAA) => Answer::Nothing,
        _ => Answer::NoSuchName,
    })
    .unwrap();
    let link = Driven::dial(by_dns(), environment(Some(&dns), RootCertStore::empty()));
    let _accepted = listener.accept().await.unwrap();
    link.stands().await;
}

#[tokio::test]
async fn a_domain_without_a_server_is_named_as_such() {
    let dns = DnsServer::start(|_, _| Answer::NoSuchName).unwrap();
    let link = Driven::dial(by_dns(), environment(Some(&dns), RootCertStore::empty()));
    assert_eq!(link.closed().await, CloseReason::UnknownServer);
}
