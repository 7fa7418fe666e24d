//! The advanced page of an account, as options.

use std::path::PathBuf;

use clap::Args;
use sotto_api::{AccountSettings, Proxy, ProxyKind, Secret, ServerOverride};

/// The advanced page of an account.
#[derive(Debug, Default, Args)]
pub struct SettingsArgs {
    /// Connect to this host in place of the one that DNS names.
    #[arg(long, value_name = "HOST", requires = "port")]
    pub server_host: Option<String>,
    /// The port on that host.
    #[arg(long, requires = "server_host", value_parser = clap::value_parser!(u16).range(1..))]
    pub port: Option<u16>,
    /// TLS from the first byte on that port.
    #[arg(long, requires = "server_host")]
    pub direct_tls: bool,
    /// A fixed name for this program among my programs.
    #[arg(long)]
    pub resource: Option<String>,
    /// Which of my programs gets messages first, -128 to 127.
    #[arg(long, default_value_t = 0, allow_hyphen_values = true)]
    pub priority: i8,
    /// A client certificate with its key, PEM.
    #[arg(long, value_name = "FILE")]
    pub client_certificate: Option<PathBuf>,
    /// Let the password itself go to the server, over verified TLS, when it offers nothing better.
    #[arg(long)]
    pub allow_plain: bool,
    /// Connect through a proxy, for example socks5://127.0.0.1:9050 or http://sara@proxy.example:3128.
    #[arg(long, value_name = "URL", value_parser = parse_proxy)]
    pub proxy: Option<Proxy>,
}

impl SettingsArgs {
    /// The settings as the interface wants them. A proxy with a user name gets `proxy_password`.
    ///
    /// # Errors
    /// When the client certificate cannot be read.
    pub fn settings(&self, proxy_password: Option<Secret>) -> Result<AccountSettings, String> {
        let client_certificate = match &self.client_certificate {
            None => None,
            Some(path) => {
                Some(Secret::new(std::fs::read_to_string(path).map_err(|e| {
                    format!("{} cannot be read: {e}", path.display())
                })?))
            }
        };
        Ok(AccountSettings {
            server: self
                .server_host
                .clone()
                .zip(self.port)
                .map(|(host, port)| ServerOverride {
                    host,
                    port,
                    direct_tls: self.direct_tls,
                }),
            resource: self.resource.clone(),
            priority: self.priority,
            client_certificate,
            allow_plain: self.allow_plain,
            proxy: self.proxy.clone().map(|proxy| Proxy {
                password: proxy_password,
                ..proxy
            }),
        })
    }

    /// Whether the proxy needs a password, which is a secret and therefore asked for.
    pub fn wants_proxy_password(&self) -> bool {
        self.proxy.as_ref().is_some_and(|p| p.username.is_some())
    }
}

/// `socks5://[user@]host:port` or `http://[user@]host:port`. A password in it is refused.
fn parse_proxy(text: &str) -> Result<Proxy, String> {
    let (kind, rest) = if let Some(rest) = text.strip_prefix("socks5://") {
        (ProxyKind::Socks5, rest)
    } else if let Some(rest) = text.strip_prefix("http://") {
        (ProxyKind::HttpConnect, rest)
    } else {
        return Err("write it as socks5://host:port or http://host:port".to_owned());
    };
    let (username, rest) = match rest.rsplit_once('@') {
        Some((user, _)) if user.contains(':') => {
            return Err("leave the password out; it is asked for".to_owned());
        }
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, rest),
    };
    let (host, port) = rest
        .trim_end_matches('/')
        .rsplit_once(':')
        .ok_or("the port is missing")?;
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let port = port
        .parse::<u16>()
        .ok()
        .filter(|p| *p > 0)
        .ok_or("the port must be a number from 1 to 65535")?;
    if host.is_empty() {
        return Err("the host is missing".to_owned());
    }
    Ok(Proxy {
        kind,
        host: host.to_owned(),
        port,
        username,
        password: None,
    })
}
