//! The owner's socket: a Unix socket of mode 0600 in the profile's folder, for processes of the same user only.
//!
//! On systems without Unix sockets of this kind, a second program cannot attach yet; it is told that the profile is in use.

#[cfg(not(unix))]
pub(crate) use elsewhere::{attach, listen, serve};
#[cfg(unix)]
pub(crate) use unix::{attach, listen, serve};

/// Shells attached at once.
pub(crate) const SHELLS: u32 = 64;

#[cfg(unix)]
mod unix {
    use std::fs::{File, Permissions};
    use std::io::{self, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
    use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
    use std::sync::{Arc, Mutex};
    use std::thread::JoinHandle;
    use std::time::Duration;

    use sotto_api::{ApiError, ClientLine, ErrorKind, Outcome, Request, RequestId, ServerLine};
    use tokio::io::AsyncWriteExt;
    use tokio::net::{UnixListener, unix::OwnedReadHalf};
    use tokio::sync::{Semaphore, mpsc, oneshot};
    use tokio::time::{sleep, timeout};
    use zeroize::Zeroizing;

    use crate::client::{Client, Desk, Transport, delivers};
    use crate::line::{Line, Lines};
    use crate::owner::{ClientId, Hub, Shell, Sink, request};

    /// Requests of one shell that may wait for the engine; more are not read until then.
    const AHEAD: usize = 64;

    /// Lines of ours that may wait for an owner that does not read.
    const WAITING: usize = 256;

    /// How long a shell that is let go may take to read what was said.
    const LAST_WORDS: Duration = Duration::from_millis(200);

    /// How often a line that the owner does not take is looked after.
    const PATIENCE: Duration = Duration::from_millis(500);

    /// A name for `path` that fits into a socket address (108 bytes), however deep the folder lies.
    fn short(path: &Path) -> io::Result<(PathBuf, Option<File>)> {
        if path.as_os_str().len() < 100 {
            return Ok((path.to_owned(), None));
        }
        let (Some(folder), Some(name)) = (path.parent(), path.file_name()) else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let folder = File::open(folder)?;
        let short = PathBuf::from(format!("/proc/self/fd/{}", folder.as_raw_fd())).join(name);
        Ok((short, Some(folder)))
    }

    /// Listens; a socket left behind by an owner that was killed is replaced. Only to be called by the lock's holder.
    pub(crate) fn listen(path: &Path) -> io::Result<UnixListener> {
        match std::fs::remove_file(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        let (address, _folder) = short(path)?;
        let listener = UnixListener::bind(address)?;
        // The folder is 0700, so nobody could come in between.
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        Ok(listener)
    }

    /// Lets shells in until the owner ends; each holds one of the seats until it has left.
    pub(crate) async fn serve(listener: UnixListener, hub: Arc<Hub>, seats: Arc<Semaphore>) {
        let me = rustix::process::geteuid().as_raw();
        loop {
            let stream = match listener.accept().await {
                Ok((stream, _)) => stream,
                // No descriptor is left, or the shell has gone already: neither may end the service.
                Err(_) => {
                    tracing::warn!("a shell could not be let in");
                    sleep(Duration::from_millis(100)).await;
                    continue;
                }
            };
            let same_user = stream.peer_cred().is_ok_and(|peer| peer.uid() == me);
            let Ok(seat) = seats.clone().try_acquire_owned() else {
                continue;
            };
            if same_user {
                let hub = hub.clone();
                tokio::spawn(async move {
                    shell(stream, &hub).await;
                    drop(seat);
                });
            }
        }
    }

    async fn shell(stream: tokio::net::UnixStream, hub: &Arc<Hub>) {
        let (reader, mut writer) = stream.into_split();
        let (sender, mut lines) = mpsc::unbounded_channel::<String>();
        let (stays, let_go) = oneshot::channel();
        let waiting = Arc::new(AtomicUsize::new(0));
        let client = hub.attach(Sink::Remote(Shell::new(sender, waiting.clone(), stays)));
        let write = async move {
            while let Some(mut text) = lines.recv().await {
                let length = text.len();
                text.push('\n');
                if writer.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
                waiting.fetch_sub(length, Ordering::Relaxed);
            }
        };
        tokio::pin!(write);
        // Ends when the shell hangs up, when it breaks the rules, or when the hub lets it go.
        let hung_up = tokio::select! {
            () = requests(reader, hub, client) => false,
            () = &mut write => true,
            _ = let_go => false,
        };
        hub.detach(client);
        if !hung_up {
            // What was answered is still written; then the shell reads the end.
            let _ = timeout(LAST_WORDS, write).await;
        }
    }

    async fn requests(mut reader: OwnedReadHalf, hub: &Arc<Hub>, client: ClientId) {
        let ahead = Arc::new(Semaphore::new(AHEAD));
        let mut lines = Lines::new();
        while let Ok(Some(line)) = lines.read_async(&mut reader).await {
            match serde_json::from_slice::<ClientLine>(&line) {
                Ok(ClientLine { id, request: what }) => {
                    let Ok(permit) = ahead.clone().acquire_owned().await else {
                        return;
                    };
                    if request(hub, client, id, what, permit).is_err() {
                        return;
                    }
                }
                Err(_) => hub.tell(client, &refusal(&line)),
            }
        }
    }

    /// What a line that is no request is answered with: its id where one can be read, never its contents.
    fn refusal(line: &[u8]) -> ServerLine {
        #[derive(serde::Deserialize)]
        struct Id {
            id: RequestId,
        }
        let id = serde_json::from_slice::<Id>(line).map_or(0, |i| i.id);
        let error = ApiError::new(
            ErrorKind::Invalid,
            "This line is not a request that Sotto knows.",
        );
        ServerLine::Answer {
            id,
            outcome: Outcome::Error(error),
        }
    }

    /// Hands lines to the thread that writes: whoever asks never waits for an owner that does not read.
    struct Remote {
        lines: SyncSender<Line>,
    }

    impl Transport for Remote {
        fn send(&self, id: RequestId, request: Request) -> bool {
            // Room for any password, so that no copy stays behind where the buffer grows.
            let mut text = Zeroizing::new(Vec::with_capacity(4096));
            if serde_json::to_writer(&mut *text, &ClientLine { id, request }).is_err() {
                return false;
            }
            text.push(b'\n');
            self.lines.try_send(text).is_ok()
        }
    }

    /// Hangs up when the last handle goes, which ends the reader's thread as well.
    struct HangUp {
        stream: UnixStream,
        lines: Option<SyncSender<Line>>,
        writer: Option<JoinHandle<()>>,
        closing: Arc<AtomicBool>,
    }

    impl Drop for HangUp {
        fn drop(&mut self) {
            // What was asked still leaves, unless the owner does not read.
            self.closing.store(true, Ordering::Relaxed);
            drop(self.lines.take());
            if let Some(writer) = self.writer.take()
                && writer.join().is_err()
            {
                tracing::error!("a thread ended by a panic");
            }
            let _ = self.stream.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Writes until there is nothing more to write, or nobody to read.
    fn write(mut stream: UnixStream, lines: &Receiver<Line>, closing: &AtomicBool) {
        for line in lines {
            let mut rest = line.as_slice();
            while !rest.is_empty() {
                match stream.write(rest) {
                    Ok(0) => return,
                    Ok(count) => rest = rest.get(count..).unwrap_or_default(),
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error)
                        if error.kind() == io::ErrorKind::WouldBlock
                            && !closing.load(Ordering::Relaxed) => {}
                    Err(_) => return,
                }
            }
        }
    }

    /// Attaches to the owner that listens at `path`.
    pub(crate) fn attach(path: &Path) -> io::Result<Client> {
        let (address, _folder) = short(path)?;
        let stream = UnixStream::connect(address)?;
        stream.set_write_timeout(Some(PATIENCE))?;
        let desk = Arc::new(Desk::default());
        let mut reader = stream.try_clone()?;
        let listener = Arc::downgrade(&desk);
        let thread = |name: &str| {
            std::thread::Builder::new()
                .name(name.into())
                .stack_size(512 * 1024)
        };
        let (sender, lines) = sync_channel(WAITING);
        let closing = Arc::new(AtomicBool::new(false));
        let writer = {
            let stream = stream.try_clone()?;
            let closing = closing.clone();
            thread("sotto-asks").spawn(move || write(stream, &lines, &closing))?
        };
        let hang_up = HangUp {
            stream,
            lines: Some(sender.clone()),
            writer: Some(writer),
            closing,
        };
        thread("sotto-attached").spawn(move || {
            delivers();
            let mut lines = Lines::new();
            while let Ok(Some(text)) = lines.read(&mut reader) {
                let Some(desk) = listener.upgrade() else {
                    return;
                };
                match serde_json::from_slice(&text) {
                    Ok(ServerLine::Answer { id, outcome }) => desk.answer(id, outcome),
                    Ok(ServerLine::Event(event)) => desk.event(&event),
                    // A newer owner may say more than this program knows.
                    Err(_) => tracing::debug!("a line of the owner was not understood"),
                }
            }
            if let Some(desk) = listener.upgrade() {
                desk.end();
            }
        })?;
        Ok(Client::new(
            desk,
            Remote { lines: sender },
            Some(Box::new(Mutex::new(hang_up))),
        ))
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;
    use std::path::Path;
    use std::sync::Arc;

    use tokio::sync::Semaphore;

    use crate::client::Client;
    use crate::owner::Hub;

    pub(crate) struct Nobody;

    pub(crate) fn listen(_path: &Path) -> io::Result<Nobody> {
        Ok(Nobody)
    }

    pub(crate) async fn serve(_nobody: Nobody, _hub: Arc<Hub>, _seats: Arc<Semaphore>) {}

    pub(crate) fn attach(_path: &Path) -> io::Result<Client> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
