//! One connection: dials, does TLS when told to, and carries bytes. It understands none of them.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use sotto_engine::io::{CloseReason, LinkCommand, LinkEvent, LinkId, TlsEstablished};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf, split,
};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio_rustls::client::TlsStream;

use crate::dial;
use crate::dns::Dns;
use crate::owner::{Hub, link_event};
use crate::tls::{Tls, Trust};

/// How much a link reads at once.
const CHUNK: usize = 16 * 1024;

/// How many chunks may wait for the engine: a quarter of a mebibyte at most.
const AHEAD: usize = 16;

/// How much is written at once.
const BATCH: usize = 64 * 1024;

/// How long a farewell may take to leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long TLS may take.
pub(crate) const TLS_WAIT: Duration = Duration::from_secs(20);

/// What all links share: nothing of one account's.
pub(crate) struct Environment {
    pub(crate) dns: Dns,
    pub(crate) tls: Tls,
}

impl Environment {
    pub(crate) fn new(nameservers: Option<Vec<SocketAddr>>) -> Self {
        Self {
            dns: Dns::new(nameservers),
            tls: Tls::new(),
        }
    }
}

/// A connection, in the clear or not.
pub(crate) enum Conn {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

impl AsyncRead for Conn {
    fn poll_read(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_read(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_read(cx, buf),
        }
    }
}

impl AsyncWrite for Conn {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<std::io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<std::io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
}

/// What the writing half is told.
enum Write {
    Bytes(Vec<u8>),
    /// Give the half back once everything is out.
    Stop,
}

/// Runs one link to its end; the first command must be `Dial`.
pub(crate) async fn run(
    link: LinkId,
    mut commands: mpsc::UnboundedReceiver<LinkCommand>,
    hub: Arc<Hub>,
    environment: Arc<Environment>,
) {
    let reason = carry(link, &mut commands, &hub, &environment).await;
    tracing::debug!(link = link.0, "a link ended");
    link_event(&hub, link, LinkEvent::Closed(reason), None);
}

async fn carry(
    link: LinkId,
    commands: &mut mpsc::UnboundedReceiver<LinkCommand>,
    hub: &Hub,
    environment: &Environment,
) -> CloseReason {
    let Some(LinkCommand::Dial(plan)) = commands.recv().await else {
        return CloseReason::ByUs;
    };
    let trust = match Trust::of(&plan) {
        Ok(trust) => trust,
        Err(reason) => return reason,
    };
    // Nothing but `Close` can come before the link stands.
    let dialed = tokio::select! {
        dialed = dial::dial(&plan, &trust, environment) => dialed,
        _ = commands.recv() => return CloseReason::ByUs,
    };
    let dialed = match dialed {
        Ok(dialed) => dialed,
        Err(reason) => return reason,
    };
    if !link_event(
        hub,
        link,
        LinkEvent::Dialed {
            tls: dialed.tls,
            peer: dialed.peer,
        },
        None,
    ) {
        return CloseReason::ByUs;
    }
    let mut halves = Halves::of(dialed.conn);
    let ahead = Arc::new(Semaphore::new(AHEAD));
    let mut buffer = Vec::with_capacity(CHUNK);
    loop {
        let permit = ahead.clone();
        tokio::select! {
            command = commands.recv() => match command {
                Some(LinkCommand::Transmit(bytes)) => {
                    // Fails only when writing has failed; the reason comes from there.
                    let _ = halves.writer.send(Write::Bytes(bytes));
                }
                Some(LinkCommand::StartTls) => {
                    match start_tls(halves, &trust, environment).await {
                        Ok((conn, established)) => {
                            halves = Halves::of(conn);
                            buffer.clear();
                            link_event(hub, link, LinkEvent::TlsEstablished(established), None);
                        }
                        Err(reason) => return reason,
                    }
                }
                Some(LinkCommand::Dial(_)) => {}
                Some(LinkCommand::Close) | None => {
                    halves.farewell().await;
                    return CloseReason::ByUs;
                }
            },
            failed = &mut halves.writing => {
                return match failed {
                    Ok((_, Err(error))) => CloseReason::Io(error.to_string()),
                    _ => CloseReason::Io("writing ended".to_owned()),
                };
            }
            read = async {
                let Ok(permit) = permit.acquire_owned().await else { return Err(std::io::ErrorKind::Other.into()) };
                halves.reader.read_buf(&mut buffer).await.map(|n| (n, permit))
            } => match read {
                Ok((0, _)) => return CloseReason::Eof,
                Ok((_, permit)) => {
                    let bytes = std::mem::replace(&mut buffer, Vec::with_capacity(CHUNK));
                    if !link_event(hub, link, LinkEvent::Received(bytes), Some(permit)) {
                        return CloseReason::ByUs;
                    }
                }
                // Many servers close without TLS's own farewell; the stream above has one of its own.
                Err(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => return CloseReason::Eof,
                Err(error) => return CloseReason::Io(error.to_string()),
            },
        }
    }
}

type Written = (WriteHalf<Conn>, std::io::Result<()>);

struct Halves {
    reader: ReadHalf<Conn>,
    writer: mpsc::UnboundedSender<Write>,
    writing: JoinHandle<Written>,
}

impl Halves {
    fn of(conn: Conn) -> Self {
        let (reader, writer) = split(conn);
        let (sender, receiver) = mpsc::unbounded_channel();
        Self {
            reader,
            writer: sender,
            writing: tokio::spawn(write(writer, receiver)),
        }
    }

    /// Puts the connection together again once everything is out.
    async fn join(self) -> Result<Conn, CloseReason> {
        let _ = self.writer.send(Write::Stop);
        match self.writing.await {
            Ok((writer, Ok(()))) => Ok(self.reader.unsplit(writer)),
            Ok((_, Err(error))) => Err(CloseReason::Io(error.to_string())),
            Err(_) => Err(CloseReason::Io("writing ended".to_owned())),
        }
    }

    /// Lets what is queued leave, for a second at most, then closes.
    async fn farewell(self) {
        let close = async {
            if let Ok(mut conn) = self.join().await {
                let _ = conn.shutdown().await;
            }
        };
        let _ = tokio::time::timeout(FAREWELL, close).await;
    }
}

/// Writes what is queued, several pieces at once where they wait.
async fn write(mut half: WriteHalf<Conn>, mut queue: mpsc::UnboundedReceiver<Write>) -> Written {
    let mut stop = false;
    while !stop {
        let Some(first) = queue.recv().await else {
            break;
        };
        let mut batch = match first {
            Write::Bytes(bytes) => bytes,
            Write::Stop => break,
        };
        while batch.len() < BATCH {
            match queue.try_recv() {
                Ok(Write::Bytes(bytes)) => batch.extend(bytes),
                Ok(Write::Stop) => {
                    stop = true;
                    break;
                }
                Err(_) => break,
            }
        }
        let sent = async {
            half.write_all(&batch).await?;
            half.flush().await
        };
        if let Err(error) = sent.await {
            return (half, Err(error));
        }
    }
    (half, Ok(()))
}

/// RFC 6120 §5.4.3.3: TLS begins on the same connection, with nothing of the clear text left (S-TLS-02).
async fn start_tls(
    halves: Halves,
    trust: &Trust,
    environment: &Environment,
) -> Result<(Conn, TlsEstablished), CloseReason> {
    let Conn::Plain(stream) = halves.join().await? else {
        return Err(CloseReason::Tls("TLS was asked for twice".to_owned()));
    };
    let (stream, established) = environment.tls.handshake(stream, trust, false).await?;
    Ok((Conn::Tls(Box::new(stream)), established))
}
