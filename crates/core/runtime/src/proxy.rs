//! Through a proxy: SOCKS5 with the name resolved there (RFC 1928, RFC 1929), or HTTP CONNECT (RFC 9110 §9.3.6).

use std::net::IpAddr;
use std::time::Duration;

use base64::Engine as _;
use sotto_api::{Proxy, ProxyKind};
use sotto_engine::io::CloseReason;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zeroize::Zeroizing;

/// How long the proxy may take: it may be Tor, building a circuit.
const WAIT: Duration = Duration::from_secs(30);

/// The longest answer of an HTTP proxy, headers and all, in bytes.
const LONGEST_ANSWER: usize = 16 * 1024;

/// Asks the proxy at the other end of `stream` for a connection to `host`.
pub(crate) async fn through(
    mut stream: TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<TcpStream, CloseReason> {
    let ask = async {
        match proxy.kind {
            ProxyKind::Socks5 => socks5(&mut stream, proxy, host, port).await,
            ProxyKind::HttpConnect => http(&mut stream, proxy, host, port).await,
        }
    };
    match timeout(WAIT, ask).await {
        Ok(Ok(())) => Ok(stream),
        Ok(Err(Refusal(text))) => Err(CloseReason::Proxy(text)),
        Err(_) => Err(CloseReason::Proxy("it does not answer".to_owned())),
    }
}

struct Refusal(String);

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

fn refuse<T>(text: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal(text.into()))
}

async fn socks5(
    stream: &mut TcpStream,
    proxy: &Proxy,
    host: &str,
    port: u16,
) -> Result<(), Refusal> {
    const VERSION: u8 = 5;
    const NO_AUTHENTICATION: u8 = 0;
    const USER_AND_PASSWORD: u8 = 2;
    let methods: &[u8] = if proxy.username.is_some() {
        &[VERSION, 2, NO_AUTHENTICATION, USER_AND_PASSWORD]
    } else {
        &[VERSION, 1, NO_AUTHENTICATION]
    };
    stream.write_all(methods).await?;
    match read::<2>(stream).await? {
        [VERSION, NO_AUTHENTICATION] => {}
        [VERSION, USER_AND_PASSWORD] if proxy.username.is_some() => {
            socks5_login(stream, proxy).await?
        }
        [VERSION, 0xff] => return refuse("it wants another kind of log-in"),
        [VERSION, _] => return refuse("it chose what was not offered"),
        _ => return refuse("it does not speak SOCKS5"),
    }
    let mut request = vec![VERSION, 1, 0];
    match host.parse::<IpAddr>() {
        Ok(IpAddr::V4(v4)) => {
            request.push(1);
            request.extend(v4.octets());
        }
        Ok(IpAddr::V6(v6)) => {
            request.push(4);
            request.extend(v6.octets());
        }
        Err(_) => {
            let Ok(length) = u8::try_from(host.len()) else {
                return refuse("the server's name is too long");
            };
            request.push(3);
            request.push(length);
            request.extend(host.as_bytes());
        }
    }
    request.extend(port.to_be_bytes());
    stream.write_all(&request).await?;
    let [version, status, _, kind] = read::<4>(stream).await?;
    if version != VERSION {
        return refuse("it does not speak SOCKS5");
    }
    if status != 0 {
        // RFC 1928 §6.
        return refuse(match status {
            2 => "its rules forbid this connection",
            3 => "it cannot reach the network",
            4 => "it cannot reach the server",
            5 => "the server refuses the connection",
            6 => "it gave up waiting for the server",
            _ => "it failed",
        });
    }
    // The address it is bound to is of no interest.
    let rest = match kind {
        1 => 4,
        4 => 16,
        3 => usize::from(read::<1>(stream).await?[0]),
        _ => return refuse("its answer cannot be read"),
    };
    let mut address = vec![0; rest + 2];
    stream.read_exact(&mut address).await?;
    Ok(())
}

/// RFC 1929.
async fn socks5_login(stream: &mut TcpStream, proxy: &Proxy) -> Result<(), Refusal> {
    let user = proxy.username.as_deref().unwrap_or_default();
    let password = proxy
        .password
        .as_ref()
        .map(|p| p.expose())
        .unwrap_or_default();
    let (Ok(user_length), Ok(password_length)) =
        (u8::try_from(user.len()), u8::try_from(password.len()))
    else {
        return refuse("user or password is longer than SOCKS5 allows");
    };
    let mut message = Zeroizing::new(vec![1, user_length]);
    message.extend(user.as_bytes());
    message.push(password_length);
    message.extend(password.as_bytes());
    stream.write_all(&message).await?;
    match read::<2>(stream).await? {
        [_, 0] => Ok(()),
        _ => refuse("it does not accept user and password"),
    }
}

async fn read<const N: usize>(stream: &mut TcpStream) -> Result<[u8; N], Refusal> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes).await?;
    Ok(bytes)
}

async fn http(stream: &mut TcpStream, proxy: &Proxy, host: &str, port: u16) -> Result<(), Refusal> {
    if host
        .bytes()
        .any(|b| b.is_ascii_whitespace() || b.is_ascii_control())
    {
        return refuse("the server's name cannot be sent");
    }
    let authority = if host.parse::<std::net::Ipv6Addr>().is_ok() {
        format!("[{host}]:{port}")
    } else {
        format!("{host}:{port}")
    };
    let mut request = Zeroizing::new(format!(
        "CONNECT {authority} HTTP/1.1\r\nHost: {authority}\r\n"
    ));
    if let Some(user) = &proxy.username {
        let password = proxy
            .password
            .as_ref()
            .map(|p| p.expose())
            .unwrap_or_default();
        let pair = Zeroizing::new(format!("{user}:{password}"));
        let encoded =
            Zeroizing::new(base64::engine::general_purpose::STANDARD.encode(pair.as_bytes()));
        request.push_str("Proxy-Authorization: Basic ");
        request.push_str(&encoded);
        request.push_str("\r\n");
    }
    request.push_str("\r\n");
    stream.write_all(request.as_bytes()).await?;
    // Byte by byte, since what follows the headers belongs to the server.
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\n") {
        if answer.len() >= LONGEST_ANSWER {
            return refuse("its answer does not end");
        }
        answer.extend(read::<1>(stream).await?);
    }
    let status = std::str::from_utf8(&answer)
        .ok()
        .and_then(|text| text.strip_prefix("HTTP/1."))
        .and_then(|text| text.split_ascii_whitespace().nth(1))
        .and_then(|code| code.parse::<u16>().ok());
    match status {
        Some(200..=299) => Ok(()),
        Some(407) => refuse("it does not accept user and password (407)"),
        Some(code) => refuse(format!("it answers {code}")),
        None => refuse("it does not speak HTTP"),
    }
}

#[cfg(test)]
mod tests;
