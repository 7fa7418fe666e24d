//! One connection: dials, does TLS when told to, and carries bytes. It understands none of them.

use std::collections::VecDeque;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use sotto_engine::io::{CloseReason, LinkCommand, LinkEvent, LinkId};
use tokio::io::{
    AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf, split,
};
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::time::{Instant, sleep_until, timeout};
use tokio_rustls::client::TlsStream;
use zeroize::Zeroizing;

use crate::dial;
use crate::dns::Dns;
use crate::owner::{Hub, link_event};
use crate::tls::{Tls, Trust};

/// How much a link reads at once.
const CHUNK: usize = 16 * 1024;

/// How many chunks may wait for the engine: a quarter of a mebibyte at most.
const AHEAD: usize = 16;

/// How many pieces are written at once.
const PIECES: usize = 32;

/// How many bytes may wait for a server that does not take them; then the connection is given up.
const MOST_WAITING: usize = 16 * 1024 * 1024;

/// How long a server may take nothing of what waits for it. The stream above notices most dead links long before
/// (R-NET-02); this one holds even where it knows of no question to ask.
const STALLED: Duration = Duration::from_secs(60);

/// How long a farewell may take to leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// How long the other side may take to close after that.
const LINGER: Duration = Duration::from_millis(300);

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
    ) -> Poll<io::Result<()>> {
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
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write(cx, buf),
            Self::Tls(s) => Pin::new(s).poll_write(cx, buf),
        }
    }

    fn poll_write_vectored(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_write_vectored(cx, bufs),
            Self::Tls(s) => Pin::new(s).poll_write_vectored(cx, bufs),
        }
    }

    fn is_write_vectored(&self) -> bool {
        match self {
            Self::Plain(s) => s.is_write_vectored(),
            Self::Tls(s) => s.is_write_vectored(),
        }
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_flush(cx),
            Self::Tls(s) => Pin::new(s).poll_flush(cx),
        }
    }

    fn poll_shutdown(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match self.get_mut() {
            Self::Plain(s) => Pin::new(s).poll_shutdown(cx),
            Self::Tls(s) => Pin::new(s).poll_shutdown(cx),
        }
    }
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
    environment: &Arc<Environment>,
) -> CloseReason {
    let Some(LinkCommand::Dial(plan)) = commands.recv().await else {
        return CloseReason::ByUs;
    };
    let trust = match Trust::of(&plan) {
        Ok(trust) => Arc::new(trust),
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
    let event = LinkEvent::Dialed {
        tls: dialed.tls,
        peer: dialed.peer,
    };
    if !link_event(hub, link, event, None) {
        return CloseReason::ByUs;
    }
    let (mut reader, writer) = split(dialed.conn);
    let mut out = Outgoing::new(writer);
    let ahead = Arc::new(Semaphore::new(AHEAD));
    let mut buffer = Vec::new();
    // Each branch loses nothing when another one wins: a chunk is in `buffer` or was not read, a piece is in `out` or
    // was written.
    loop {
        let permit = ahead.clone();
        let stalled = out.stalled();
        tokio::select! {
            command = commands.recv() => match command {
                Some(LinkCommand::Transmit(bytes)) => {
                    if !out.push(bytes) {
                        return CloseReason::Io("the server takes nothing of what is sent".to_owned());
                    }
                }
                Some(LinkCommand::StartTls) => {
                    // `Close` need not wait for a server that is silent here.
                    let begun = tokio::select! {
                        begun = start_tls(link, reader, out, &trust, environment, hub) => begun,
                        _ = commands.recv() => return CloseReason::ByUs,
                    };
                    match begun {
                        Ok(conn) => {
                            let (read, write) = split(conn);
                            reader = read;
                            out = Outgoing::new(write);
                            // Nothing of the clear text is left (S-TLS-02).
                            buffer.clear();
                        }
                        Err(reason) => return reason,
                    }
                }
                Some(LinkCommand::Dial(_)) => {}
                Some(LinkCommand::Close) | None => {
                    farewell(reader, out).await;
                    return CloseReason::ByUs;
                }
            },
            written = out.write(), if out.waits() => if let Err(error) = written {
                return CloseReason::Io(error.to_string());
            },
            () = sleep_until(stalled), if out.waits() => return CloseReason::TimedOut,
            read = async {
                // Room for the engine first: a chunk that is read must be delivered.
                let Ok(permit) = permit.acquire_owned().await else { return Err(io::ErrorKind::Other.into()) };
                if buffer.capacity() < CHUNK {
                    buffer.reserve_exact(CHUNK);
                }
                reader.read_buf(&mut buffer).await.map(|n| (n, permit))
            } => match read {
                Ok((0, _)) => return CloseReason::Eof,
                Ok((_, permit)) => {
                    // A copy of the right size: many chunks are one small stanza.
                    let bytes = if buffer.len() * 4 < CHUNK {
                        let bytes = buffer.as_slice().to_vec();
                        buffer.clear();
                        bytes
                    } else {
                        std::mem::take(&mut buffer)
                    };
                    if !link_event(hub, link, LinkEvent::Received(bytes), Some(permit)) {
                        return CloseReason::ByUs;
                    }
                }
                // Many servers close without TLS's own farewell; the stream above has one of its own.
                Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return CloseReason::Eof,
                Err(error) => return CloseReason::Io(error.to_string()),
            },
        }
    }
}

/// What waits to be written. Wiped once it was: the way to log in passes here.
struct Outgoing {
    writer: WriteHalf<Conn>,
    pieces: VecDeque<Zeroizing<Vec<u8>>>,
    /// Of the first piece: what was written already.
    written: usize,
    waiting: usize,
    /// TLS keeps what it could not write.
    unflushed: bool,
    /// When the server last took something, or there was nothing to take.
    progress: Instant,
}

impl Outgoing {
    fn new(writer: WriteHalf<Conn>) -> Self {
        Self {
            writer,
            pieces: VecDeque::new(),
            written: 0,
            waiting: 0,
            unflushed: false,
            progress: Instant::now(),
        }
    }

    fn waits(&self) -> bool {
        self.unflushed || !self.pieces.is_empty()
    }

    fn stalled(&self) -> Instant {
        self.progress + STALLED
    }

    /// `false` when too much waits already.
    fn push(&mut self, bytes: Vec<u8>) -> bool {
        if !self.waits() {
            self.progress = Instant::now();
        }
        if !bytes.is_empty() {
            self.waiting += bytes.len();
            self.pieces.push_back(Zeroizing::new(bytes));
        }
        self.waiting <= MOST_WAITING
    }

    /// Writes some of what waits. Given up in between, it has written nothing that it does not know of.
    async fn write(&mut self) -> io::Result<()> {
        if self.pieces.is_empty() {
            self.writer.flush().await?;
            self.unflushed = false;
            return Ok(());
        }
        let mut slices = [IoSlice::new(&[]); PIECES];
        let mut count = 0;
        for (slice, piece) in slices.iter_mut().zip(&self.pieces) {
            let from = if count == 0 { self.written } else { 0 };
            *slice = IoSlice::new(piece.get(from..).unwrap_or_default());
            count += 1;
        }
        let mut taken = self
            .writer
            .write_vectored(slices.get(..count).unwrap_or_default())
            .await?;
        if taken == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        self.unflushed = true;
        self.progress = Instant::now();
        self.waiting = self.waiting.saturating_sub(taken);
        while let Some(first) = self.pieces.front() {
            let left = first.len() - self.written;
            if taken < left {
                self.written += taken;
                break;
            }
            taken -= left;
            self.written = 0;
            self.pieces.pop_front();
        }
        Ok(())
    }

    /// Writes all of it.
    async fn drain(&mut self) -> io::Result<()> {
        while self.waits() {
            self.write().await?;
        }
        Ok(())
    }
}

/// What is queued leaves, if it can within a second. Then what still comes is read for a moment: a socket that is closed
/// with bytes unread resets the connection, and the other side may lose what was sent last.
async fn farewell(mut reader: ReadHalf<Conn>, mut out: Outgoing) {
    let leave = async {
        out.drain().await?;
        out.writer.shutdown().await
    };
    if !matches!(timeout(FAREWELL, leave).await, Ok(Ok(()))) {
        return;
    }
    let linger = async {
        let mut rest = [0; 1024];
        while !matches!(reader.read(&mut rest).await, Ok(0) | Err(_)) {}
    };
    let _ = timeout(LINGER, linger).await;
}

/// RFC 6120 §5.4.3.3: TLS begins on the same connection, with nothing of the clear text left (S-TLS-02).
async fn start_tls(
    link: LinkId,
    reader: ReadHalf<Conn>,
    mut out: Outgoing,
    trust: &Trust,
    environment: &Environment,
    hub: &Hub,
) -> Result<Conn, CloseReason> {
    match timeout(TLS_WAIT, out.drain()).await {
        Err(_) => return Err(CloseReason::TimedOut),
        Ok(Err(error)) => return Err(CloseReason::Io(error.to_string())),
        Ok(Ok(())) => {}
    }
    let Conn::Plain(stream) = reader.unsplit(out.writer) else {
        return Err(CloseReason::Tls("TLS was asked for twice".to_owned()));
    };
    let (stream, established) = environment
        .tls
        .handshake(stream, trust, false, TLS_WAIT)
        .await?;
    if !link_event(hub, link, LinkEvent::TlsEstablished(established), None) {
        return Err(CloseReason::ByUs);
    }
    Ok(Conn::Tls(Box::new(stream)))
}

#[cfg(test)]
mod tests;
