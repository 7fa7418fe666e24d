//! From a domain to a connection: DNS, the order of targets, and the race between addresses.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use sotto_engine::io::{CloseReason, DialPlan, TlsEstablished};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::dns::{Found, Target};
use crate::link::{Conn, Environment};
use crate::proxy;
use crate::tls::Trust;

/// RFC 8305 §8: the next address is tried beside the last one after this time.
const STAGGER: Duration = Duration::from_millis(250);

/// One address that does not answer is given up after this.
const ONE: Duration = Duration::from_secs(10);

/// Everything together: names, addresses, TLS.
const ALL: Duration = Duration::from_secs(45);

/// The port of a server that says nothing else (RFC 6120 §3.2.2).
pub(crate) const DEFAULT_PORT: u16 = 5222;

pub(crate) struct Dialed {
    pub(crate) conn: Conn,
    pub(crate) tls: Option<TlsEstablished>,
    pub(crate) peer: String,
}

/// Connects as `plan` says; a target for direct TLS comes back with TLS done and verified.
pub(crate) async fn dial(
    plan: &DialPlan,
    trust: &Trust,
    environment: &Environment,
) -> Result<Dialed, CloseReason> {
    timeout(ALL, attempt(plan, trust, environment))
        .await
        .unwrap_or(Err(CloseReason::TimedOut))
}

async fn attempt(
    plan: &DialPlan,
    trust: &Trust,
    environment: &Environment,
) -> Result<Dialed, CloseReason> {
    if let Some(proxy) = &plan.proxy {
        // Nothing is asked of DNS here: the proxy resolves (S-TLS-13).
        let (host, port, direct) = match &plan.server {
            Some(server) => (server.host.as_str(), server.port, server.direct_tls),
            None => (trust.ascii_domain(), DEFAULT_PORT, false),
        };
        let addresses = environment.dns.proxy(&proxy.host, proxy.port).await?;
        let stream = race(addresses).await?;
        let stream = proxy::through(stream, proxy, host, port).await?;
        return finish(stream, direct, format!("{host}:{port}"), trust, environment).await;
    }
    let targets = match &plan.server {
        Some(server) => vec![Target {
            host: server.host.clone(),
            port: server.port,
            direct_tls: server.direct_tls,
        }],
        None => match environment.dns.services(trust.ascii_domain()).await? {
            Found::Targets(targets) => targets,
            // No SRV record: RFC 6120 §3.2.1, the domain itself.
            Found::None => {
                vec![Target {
                    host: trust.ascii_domain().to_owned(),
                    port: DEFAULT_PORT,
                    direct_tls: false,
                }]
            }
        },
    };
    let mut last = CloseReason::UnknownServer;
    for target in targets {
        let tried = async {
            let addresses = environment.dns.addresses(&target.host, target.port).await?;
            let stream = race(addresses).await?;
            let peer = format!("{}:{}", target.host, target.port);
            finish(stream, target.direct_tls, peer, trust, environment).await
        };
        match tried.await {
            Ok(dialed) => return Ok(dialed),
            // A certificate that is not right is shown, not walked around.
            Err(reason @ CloseReason::Certificate { .. }) => return Err(reason),
            Err(reason) => last = graver(last, reason),
        }
    }
    Err(last)
}

/// Of several failures, the one that says most.
fn graver(old: CloseReason, new: CloseReason) -> CloseReason {
    let weight = |reason: &CloseReason| match reason {
        CloseReason::UnknownServer => 0,
        CloseReason::DnsFailed(_) => 1,
        CloseReason::Unreachable(_) | CloseReason::TimedOut => 2,
        _ => 3,
    };
    if weight(&new) >= weight(&old) {
        new
    } else {
        old
    }
}

async fn finish(
    stream: TcpStream,
    direct_tls: bool,
    peer: String,
    trust: &Trust,
    environment: &Environment,
) -> Result<Dialed, CloseReason> {
    if direct_tls {
        let (stream, tls) = environment.tls.handshake(stream, trust, true).await?;
        Ok(Dialed {
            conn: Conn::Tls(Box::new(stream)),
            tls: Some(tls),
            peer,
        })
    } else {
        Ok(Dialed {
            conn: Conn::Plain(stream),
            tls: None,
            peer,
        })
    }
}

/// RFC 8305 §4: addresses of both families in turn, beginning with the family of the first.
pub(crate) fn interleave(addresses: Vec<IpAddr>) -> Vec<IpAddr> {
    let Some(first) = addresses.first() else {
        return addresses;
    };
    let six = first.is_ipv6();
    let (mut ours, mut others): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|a| a.is_ipv6() == six);
    let mut out = Vec::with_capacity(ours.len() + others.len());
    ours.reverse();
    others.reverse();
    while !ours.is_empty() || !others.is_empty() {
        out.extend(ours.pop());
        out.extend(others.pop());
    }
    out
}

/// RFC 8305 §5: connects to the addresses one after the other, a little apart; the first that answers wins.
async fn race(addresses: Vec<SocketAddr>) -> Result<TcpStream, CloseReason> {
    let mut waiting = addresses.into_iter();
    let mut running = JoinSet::new();
    let mut failure = "no address".to_owned();
    let mut timed_out = false;
    let mut next = Instant::now();
    loop {
        tokio::select! {
            biased;
            Some(ended) = running.join_next(), if !running.is_empty() => match ended {
                Ok(Ok(stream)) => {
                    let stream: TcpStream = stream;
                    // Without it, each small stanza waits for the answer to the last.
                    if stream.set_nodelay(true).is_err() {
                        tracing::debug!("a socket keeps its delay");
                    }
                    return Ok(stream);
                }
                Ok(Err(error)) => {
                    let error: std::io::Error = error;
                    timed_out = error.kind() == std::io::ErrorKind::TimedOut;
                    failure = error.to_string();
                    // A refusal need not be waited for.
                    next = Instant::now();
                }
                Err(error) => failure = error.to_string(),
            },
            () = sleep_until(next), if waiting.len() > 0 => {
                if let Some(address) = waiting.next() {
                    running.spawn(async move {
                        timeout(ONE, TcpStream::connect(address))
                            .await
                            .unwrap_or_else(|_| Err(std::io::ErrorKind::TimedOut.into()))
                    });
                }
                next = Instant::now() + STAGGER;
            }
            else => {
                return Err(if timed_out { CloseReason::TimedOut } else { CloseReason::Unreachable(failure) });
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_both_families_take_turns() {
        let ip = |s: &str| s.parse::<IpAddr>().unwrap();
        let mixed = vec![
            ip("::1"),
            ip("::2"),
            ip("::3"),
            ip("10.0.0.1"),
            ip("10.0.0.2"),
        ];
        assert_eq!(
            interleave(mixed),
            [
                ip("::1"),
                ip("10.0.0.1"),
                ip("::2"),
                ip("10.0.0.2"),
                ip("::3")
            ]
        );
        assert!(interleave(Vec::new()).is_empty());
    }

    #[tokio::test]
    async fn the_address_that_answers_wins_over_one_that_refuses() {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let dead = {
            let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            closed.local_addr().unwrap()
        };
        let stream = race(vec![dead, good]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(stream.nodelay().unwrap());
    }

    #[tokio::test]
    async fn nothing_that_answers_is_unreachable() {
        let dead = {
            let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
            closed.local_addr().unwrap()
        };
        assert!(matches!(
            race(vec![dead]).await,
            Err(CloseReason::Unreachable(_))
        ));
        assert!(matches!(
            race(Vec::new()).await,
            Err(CloseReason::Unreachable(_))
        ));
    }

    #[test]
    fn the_failure_that_says_most_is_told() {
        let io = || CloseReason::Io("x".into());
        assert_eq!(graver(io(), CloseReason::UnknownServer), io());
        assert_eq!(
            graver(CloseReason::UnknownServer, CloseReason::TimedOut),
            CloseReason::TimedOut
        );
    }
}
