//! From a domain to a connection: DNS, the order of targets, and the race between addresses.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use sotto_engine::io::{CloseReason, DialPlan, TlsEstablished};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};

use crate::dns::{Found, Target};
use crate::link::{Conn, Environment, TLS_WAIT};
use crate::proxy;
use crate::tls::Trust;

/// RFC 8305 §8: the next address is tried beside the last one after this time.
const STAGGER: Duration = Duration::from_millis(250);

/// The next target is tried beside the last one after this time.
const HEAD_START: Duration = Duration::from_secs(1);

/// How long direct TLS may take while there are other targets.
const DIRECT_TLS_WAIT: Duration = Duration::from_secs(8);

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
    environment: &Arc<Environment>,
) -> Result<Dialed, CloseReason> {
    timeout(ALL, attempt(plan, trust, environment))
        .await
        .unwrap_or(Err(CloseReason::TimedOut))
}

async fn attempt(
    plan: &DialPlan,
    trust: &Trust,
    environment: &Arc<Environment>,
) -> Result<Dialed, CloseReason> {
    let named = plan.server.as_ref().map(|server| Target {
        host: unbracketed(&server.host).to_owned(),
        port: server.port,
        direct_tls: server.direct_tls,
    });
    // RFC 6120 §3.2.2: without anything that says otherwise, the domain itself.
    let itself = || Target {
        host: trust.ascii_domain().to_owned(),
        port: DEFAULT_PORT,
        direct_tls: false,
    };
    if let Some(proxy) = &plan.proxy {
        // Nothing of the server is asked of DNS here: the proxy resolves (S-TLS-13).
        let target = named.unwrap_or_else(itself);
        let addresses = environment.dns.proxy(&proxy.host, proxy.port).await?;
        let stream = race(addresses)
            .await
            .map_err(|reason| CloseReason::Proxy(told(reason)))?;
        let stream = proxy::through(stream, proxy, &target.host, target.port).await?;
        return finish(stream, &target, TLS_WAIT, trust, environment).await;
    }
    let targets = match named {
        Some(target) => vec![target],
        None => match environment.dns.services(trust.ascii_domain()).await? {
            Found::Targets(targets) => targets,
            Found::None => vec![itself()],
        },
    };
    one_of(targets, trust, environment).await
}

/// Tries the targets in order, each with a head start over the next, so that one that swallows everything costs a second
/// rather than a time-out (R-NET-06).
async fn one_of(
    targets: Vec<Target>,
    trust: &Trust,
    environment: &Arc<Environment>,
) -> Result<Dialed, CloseReason> {
    let mut waiting = targets.into_iter();
    let mut running = JoinSet::new();
    let mut last = CloseReason::UnknownServer;
    let mut next = Instant::now();
    loop {
        tokio::select! {
            biased;
            Some(ended) = running.join_next(), if !running.is_empty() => {
                let tried = match ended {
                    Ok((target, Ok(stream))) => {
                        let target: Target = target;
                        let alone = running.is_empty() && waiting.len() == 0;
                        let wait = if alone { TLS_WAIT } else { DIRECT_TLS_WAIT };
                        finish(stream, &target, wait, trust, environment).await
                    }
                    Ok((_, Err(reason))) => Err(reason),
                    Err(_) => Err(CloseReason::Unreachable("a task failed".to_owned())),
                };
                match tried {
                    Ok(dialed) => return Ok(dialed),
                    // A certificate that is not right is shown, not walked around.
                    Err(reason @ CloseReason::Certificate { .. }) => return Err(reason),
                    Err(reason) => last = graver(last, reason),
                }
                // A failure need not be waited for.
                next = Instant::now();
            }
            () = sleep_until(next), if waiting.len() > 0 => {
                if let Some(target) = waiting.next() {
                    let environment = environment.clone();
                    running.spawn(async move {
                        let connected = async {
                            race(environment.dns.addresses(&target.host, target.port).await?).await
                        };
                        let connected = connected.await;
                        (target, connected)
                    });
                }
                next = Instant::now() + HEAD_START;
            }
            else => return Err(last),
        }
    }
}

/// Why a proxy was not reached, in words for the details page.
fn told(reason: CloseReason) -> String {
    match reason {
        CloseReason::Unreachable(cause) => cause,
        _ => "it does not answer".to_owned(),
    }
}

/// An IPv6 address as people write it in front of a port.
fn unbracketed(host: &str) -> &str {
    host.strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .unwrap_or(host)
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
    target: &Target,
    wait: Duration,
    trust: &Trust,
    environment: &Environment,
) -> Result<Dialed, CloseReason> {
    let peer = if target.host.contains(':') {
        format!("[{}]:{}", target.host, target.port)
    } else {
        format!("{}:{}", target.host, target.port)
    };
    let (conn, tls) = if target.direct_tls {
        let (stream, tls) = environment.tls.handshake(stream, trust, true, wait).await?;
        (Conn::Tls(Box::new(stream)), Some(tls))
    } else {
        (Conn::Plain(stream), None)
    };
    Ok(Dialed { conn, tls, peer })
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

    /// RFC 8305 §5.
    #[cfg(target_os = "linux")]
    #[tokio::test(start_paused = true)]
    async fn r_net_06_an_address_that_swallows_everything_costs_a_quarter_of_a_second() {
        use rustix::net::{AddressFamily, SocketType};
        // A queue of one that is full takes no connection in.
        let socket = rustix::net::socket(AddressFamily::INET, SocketType::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        rustix::net::bind(&socket, &any).unwrap();
        rustix::net::listen(&socket, 0).unwrap();
        let hole = std::net::TcpListener::from(socket);
        let _first = std::net::TcpStream::connect(hole.local_addr().unwrap()).unwrap();
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let good = listener.local_addr().unwrap();
        let before = Instant::now();
        let stream = race(vec![hole.local_addr().unwrap(), good]).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
        assert!(before.elapsed() < 2 * STAGGER, "{:?}", before.elapsed());
        let failed = race(vec![hole.local_addr().unwrap()]).await.unwrap_err();
        assert_eq!(failed, CloseReason::TimedOut);
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
