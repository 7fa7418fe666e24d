use sotto_api::Secret;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

use super::*;

fn proxy(kind: ProxyKind, login: bool) -> Proxy {
    Proxy {
        kind,
        host: "127.0.0.1".into(),
        port: 1,
        username: login.then(|| "sara".into()),
        password: login.then(|| Secret::new("canary".into())),
    }
}

/// A proxy that expects and answers byte for byte, then stays.
async fn scripted(
    script: Vec<(&'static [u8], &'static [u8])>,
) -> (TcpStream, tokio::task::JoinHandle<TcpStream>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let server = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        for (expected, answer) in script {
            let mut got = vec![0; expected.len()];
            stream.read_exact(&mut got).await.unwrap();
            assert_eq!(
                String::from_utf8_lossy(&got),
                String::from_utf8_lossy(expected)
            );
            stream.write_all(answer).await.unwrap();
        }
        stream
    });
    (TcpStream::connect(address).await.unwrap(), server)
}

fn reason(result: Result<TcpStream, CloseReason>) -> String {
    match result {
        Err(CloseReason::Proxy(text)) => text,
        other => panic!("not refused by the proxy: {other:?}"),
    }
}

#[tokio::test]
async fn s_tls_13_socks5_is_given_the_name_and_resolves_it_itself() {
    let (stream, server) = scripted(vec![
        (b"\x05\x01\x00", b"\x05\x00"),
        (
            b"\x05\x01\x00\x03\x11riverside.example\x14\x66",
            b"\x05\x00\x00\x01\0\0\0\0\0\0",
        ),
    ])
    .await;
    let mut stream = through(
        stream,
        &proxy(ProxyKind::Socks5, false),
        "riverside.example",
        5222,
    )
    .await
    .unwrap();
    server.await.unwrap().write_all(b"after").await.unwrap();
    let mut rest = [0; 5];
    stream.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"after");
}

#[tokio::test]
async fn socks5_logs_in_where_it_is_asked_to() {
    let (stream, server) = scripted(vec![
        (b"\x05\x02\x00\x02", b"\x05\x02"),
        (b"\x01\x04sara\x06canary", b"\x01\x00"),
        (
            b"\x05\x01\x00\x01\x7f\0\0\x01\x14\x66",
            b"\x05\x00\x00\x03\x01x\0\0",
        ),
    ])
    .await;
    assert!(
        through(stream, &proxy(ProxyKind::Socks5, true), "127.0.0.1", 5222)
            .await
            .is_ok()
    );
    server.await.unwrap();
}

#[tokio::test]
async fn a_socks5_proxy_without_log_in_is_never_given_the_password() {
    let (stream, _server) = scripted(vec![(b"\x05\x01\x00", b"\x05\x02")]).await;
    let text = reason(through(stream, &proxy(ProxyKind::Socks5, false), "a.example", 5222).await);
    assert_eq!(text, "it chose what was not offered");
}

#[tokio::test]
async fn refusals_of_socks5_are_told_apart() {
    for (status, expected) in [
        (2u8, "rules"),
        (4, "reach the server"),
        (5, "refuses"),
        (9, "failed"),
    ] {
        let answer: &'static [u8] = Box::leak(vec![5, status, 0, 1].into_boxed_slice());
        let (stream, _server) = scripted(vec![
            (b"\x05\x01\x00", b"\x05\x00"),
            (b"\x05\x01\x00\x03\x09a.example\x14\x66", answer),
        ])
        .await;
        let text =
            reason(through(stream, &proxy(ProxyKind::Socks5, false), "a.example", 5222).await);
        assert!(text.contains(expected), "{text}");
    }
}

#[tokio::test]
async fn http_connect_leaves_what_follows_the_headers_to_the_server() {
    let (stream, server) = scripted(vec![(
        b"CONNECT a.example:5223 HTTP/1.1\r\nHost: a.example:5223\r\nProxy-Authorization: Basic c2FyYTpjYW5hcnk=\r\n\r\n",
        b"HTTP/1.1 200 Connection established\r\nServer: x\r\n\r\n<stream",
    )])
    .await;
    let mut stream = through(
        stream,
        &proxy(ProxyKind::HttpConnect, true),
        "a.example",
        5223,
    )
    .await
    .unwrap();
    let mut rest = [0; 7];
    stream.read_exact(&mut rest).await.unwrap();
    assert_eq!(&rest, b"<stream");
    server.await.unwrap();
}

#[tokio::test]
async fn refusals_of_http_are_told_apart_and_never_hold_the_password() {
    let request: &[u8] = b"CONNECT a.example:5223 HTTP/1.1\r\nHost: a.example:5223\r\n\r\n";
    for (answer, expected) in [
        (
            &b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n"[..],
            "407",
        ),
        (b"HTTP/1.0 503 no\r\n\r\n", "503"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "does not speak HTTP"),
    ] {
        let (stream, _server) = scripted(vec![(request, answer)]).await;
        let text = reason(
            through(
                stream,
                &proxy(ProxyKind::HttpConnect, false),
                "a.example",
                5223,
            )
            .await,
        );
        assert!(
            text.contains(expected) && !text.contains("canary"),
            "{text}"
        );
    }
}

#[tokio::test]
async fn headers_without_end_are_given_up() {
    let request: &[u8] = b"CONNECT a.example:5223 HTTP/1.1\r\nHost: a.example:5223\r\n\r\n";
    let endless: &'static [u8] = Box::leak(vec![b'x'; LONGEST_ANSWER + 1].into_boxed_slice());
    let (stream, _server) = scripted(vec![(request, endless)]).await;
    let text = reason(
        through(
            stream,
            &proxy(ProxyKind::HttpConnect, false),
            "a.example",
            5223,
        )
        .await,
    );
    assert_eq!(text, "its answer does not end");
}

#[tokio::test]
async fn a_name_cannot_smuggle_a_header() {
    let (stream, _server) = scripted(vec![]).await;
    let text = reason(
        through(
            stream,
            &proxy(ProxyKind::HttpConnect, false),
            "a.example\r\nX-Evil: 1",
            5223,
        )
        .await,
    );
    assert_eq!(text, "the server's name cannot be sent");
}

#[tokio::test(start_paused = true)]
async fn a_proxy_that_says_nothing_is_given_up_after_half_a_minute() {
    let (stream, _server) = scripted(vec![(b"\x05\x01\x00", b"")]).await;
    let before = tokio::time::Instant::now();
    let text = reason(through(stream, &proxy(ProxyKind::Socks5, false), "a.example", 5222).await);
    assert_eq!(text, "it does not answer");
    assert!(before.elapsed() >= WAIT && before.elapsed() < 2 * WAIT);
}
