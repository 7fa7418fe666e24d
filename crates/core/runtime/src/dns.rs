//! Names to addresses: the system's DNS servers, and no others.

use std::net::{IpAddr, SocketAddr};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, SystemTime};

use hickory_resolver::config::{
    ConnectionConfig, LookupIpStrategy, NameServerConfig, ResolverConfig,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::rr::RData;
use hickory_resolver::{Resolver, TokioResolver};
use sotto_engine::io::CloseReason;

use crate::dial::interleave;
use crate::random;

/// Where most systems name their DNS servers.
const SYSTEM: &str = "/etc/resolv.conf";

/// No more targets are tried, however many a domain names (S-TLS-14).
const MOST_TARGETS: usize = 32;

/// No more addresses of one target are tried.
const MOST_ADDRESSES: usize = 16;

/// One server of a domain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) direct_tls: bool,
}

/// What DNS says of a domain's servers.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// In the order to try.
    Targets(Vec<Target>),
    /// No SRV record at all: the domain itself is to be tried.
    None,
}

/// One SRV record (RFC 2782).
#[derive(Clone, Debug)]
pub(crate) struct Record {
    pub(crate) priority: u16,
    pub(crate) weight: u16,
    pub(crate) target: Target,
}

/// The resolver, made when it is first needed and again when the system names other servers.
pub(crate) struct Dns {
    nameservers: Option<Vec<SocketAddr>>,
    made: Mutex<Option<(Option<SystemTime>, TokioResolver)>>,
}

impl Dns {
    pub(crate) fn new(nameservers: Option<Vec<SocketAddr>>) -> Self {
        Self {
            nameservers,
            made: Mutex::new(None),
        }
    }

    fn resolver(&self) -> Result<TokioResolver, CloseReason> {
        // A laptop on another network has other servers.
        let stamp = std::fs::metadata(SYSTEM)
            .and_then(|file| file.modified())
            .ok();
        let mut made = self.made.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, resolver)) = &*made
            && *at == stamp
        {
            return Ok(resolver.clone());
        }
        let resolver = self.build().map_err(CloseReason::DnsFailed)?;
        *made = Some((stamp, resolver.clone()));
        Ok(resolver)
    }

    fn build(&self) -> Result<TokioResolver, String> {
        let mut builder = match &self.nameservers {
            None => TokioResolver::builder_tokio().map_err(|e| e.to_string())?,
            Some(servers) => {
                let servers = servers
                    .iter()
                    .map(|address| {
                        let mut udp = ConnectionConfig::udp();
                        udp.port = address.port();
                        NameServerConfig::new(address.ip(), true, vec![udp])
                    })
                    .collect();
                let config = ResolverConfig::from_parts(None, Vec::new(), servers);
                Resolver::builder_with_config(config, TokioRuntimeProvider::default())
            }
        };
        let options = builder.options_mut();
        options.timeout = Duration::from_secs(3);
        options.attempts = 2;
        options.ip_strategy = LookupIpStrategy::Ipv6AndIpv4;
        builder.build().map_err(|e| e.to_string())
    }

    /// The servers of `domain` (ASCII): `_xmpps-client` and `_xmpp-client` together (XEP-0368 §3), in order.
    ///
    /// # Errors
    ///
    /// `UnknownServer` when the domain says that it has no such server, `DnsFailed` when DNS does not answer.
    pub(crate) async fn services(&self, domain: &str) -> Result<Found, CloseReason> {
        if domain.parse::<IpAddr>().is_ok() || is_onion(domain) {
            return Ok(Found::None);
        }
        let (direct, plain) = tokio::join!(
            self.srv("_xmpps-client", domain, true),
            self.srv("_xmpp-client", domain, false)
        );
        let mut records = match (direct, plain) {
            // A server that is silent to these will be silent to more.
            (Err(NetError::Timeout | NetError::NoConnections), Err(error)) => {
                return Err(CloseReason::DnsFailed(error.to_string()));
            }
            // Some routers answer only questions for addresses: the domain itself may still be found.
            (direct, plain) => [direct.unwrap_or_default(), plain.unwrap_or_default()].concat(),
        };
        if records.is_empty() {
            return Ok(Found::None);
        }
        // RFC 2782: "." means that the service is decidedly not available.
        records.retain(|r| r.target.host != ".");
        if records.is_empty() {
            return Err(CloseReason::UnknownServer);
        }
        Ok(Found::Targets(order(records, draw)))
    }

    async fn srv(
        &self,
        service: &str,
        domain: &str,
        direct_tls: bool,
    ) -> Result<Vec<Record>, NetError> {
        let name = format!("{service}._tcp.{}.", domain.trim_end_matches('.'));
        let resolver = self.resolver().map_err(|_| NetError::NoConnections)?;
        match resolver.srv_lookup(name).await {
            Ok(found) => Ok(found
                .answers()
                .iter()
                .filter_map(|record| match &record.data {
                    RData::SRV(srv) => Some(Record {
                        priority: srv.priority,
                        weight: srv.weight,
                        target: Target {
                            host: srv.target.to_ascii(),
                            port: srv.port,
                            direct_tls,
                        },
                    }),
                    _ => None,
                })
                .collect()),
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => Ok(Vec::new()),
            Err(error) => Err(error),
        }
    }

    /// The addresses of a host, both families in turn.
    ///
    /// # Errors
    ///
    /// `UnknownServer` when it has none, `DnsFailed` when DNS does not answer.
    pub(crate) async fn addresses(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, CloseReason> {
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        // RFC 6761 §6.3: never asked of the network.
        if bare.eq_ignore_ascii_case("localhost") {
            return Ok(vec![SocketAddr::new(IpAddr::from([127, 0, 0, 1]), port)]);
        }
        if is_onion(bare) {
            return Err(CloseReason::Unreachable(
                "an .onion address is reached through Tor only: give its SOCKS5 proxy".to_owned(),
            ));
        }
        let name = format!("{}.", bare.trim_end_matches('.'));
        let found = match self.resolver()?.lookup_ip(name).await {
            Ok(found) => found,
            Err(NetError::Dns(DnsError::NoRecordsFound(_))) => {
                return Err(CloseReason::UnknownServer);
            }
            Err(error) => return Err(CloseReason::DnsFailed(error.to_string())),
        };
        let addresses = interleave(found.iter().take(MOST_ADDRESSES).collect());
        if addresses.is_empty() {
            return Err(CloseReason::UnknownServer);
        }
        Ok(addresses
            .into_iter()
            .map(|a| SocketAddr::new(a, port))
            .collect())
    }

    /// The addresses of a proxy, which the person named; the only name that is resolved when there is one.
    ///
    /// # Errors
    ///
    /// `Proxy`, whatever the cause.
    pub(crate) async fn proxy(
        &self,
        host: &str,
        port: u16,
    ) -> Result<Vec<SocketAddr>, CloseReason> {
        self.addresses(host, port)
            .await
            .map_err(|reason| match reason {
                CloseReason::UnknownServer => {
                    CloseReason::Proxy("its name is not known".to_owned())
                }
                CloseReason::DnsFailed(cause) => {
                    CloseReason::Proxy(format!("its name was not found: {cause}"))
                }
                other => other,
            })
    }
}

/// RFC 7686 §2: a name of Tor's, which no DNS server is to hear of.
fn is_onion(host: &str) -> bool {
    let last = host.trim_end_matches('.').rsplit('.').next();
    last.is_some_and(|label| label.eq_ignore_ascii_case("onion"))
}

/// A number from 0 to `highest`, both included, all alike likely.
fn draw(highest: u32) -> u32 {
    let mut bytes = [0; 8];
    random::fill(&mut bytes);
    u32::try_from(u64::from_le_bytes(bytes) % (u64::from(highest) + 1)).unwrap_or(0)
}

/// RFC 2782: by priority, and within one by chance in proportion to weight. `draw(n)` gives a number from 0 to n.
pub(crate) fn order(mut records: Vec<Record>, mut draw: impl FnMut(u32) -> u32) -> Vec<Target> {
    // Those of weight 0 first, so that they have a chance at all.
    records.sort_by_key(|r| (r.priority, r.weight != 0));
    let mut out = Vec::new();
    while let Some(priority) = records.first().map(|r| r.priority) {
        let alike = records
            .iter()
            .take_while(|r| r.priority == priority)
            .count();
        let total: u32 = records
            .iter()
            .take(alike)
            .map(|r| u32::from(r.weight))
            .sum();
        let mark = draw(total);
        let mut sum = 0;
        let index = records
            .iter()
            .take(alike)
            .position(|r| {
                sum += u32::from(r.weight);
                sum >= mark
            })
            .unwrap_or(0);
        out.push(records.remove(index).target);
        if out.len() == MOST_TARGETS {
            break;
        }
    }
    out
}

#[cfg(test)]
mod tests;
