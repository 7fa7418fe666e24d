//! The owner's socket: a Unix socket of mode 0600 in the profile's folder, for processes of the same user only.
//!
//! On systems without Unix sockets of this kind, a second program cannot attach yet; it is told that the profile is in use.

#[cfg(not(unix))]
pub(crate) use elsewhere::{attach, listen, serve};
#[cfg(unix)]
pub(crate) use unix::{attach, listen, serve};

#[cfg(unix)]
mod unix {
    use std::fs::{File, Permissions};
    use std::io::{self, Write};
    use std::os::fd::AsRawFd;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;
    use std::path::{Path, PathBuf};
    use std::sync::{Arc, Mutex, PoisonError};

    use sotto_api::{ApiError, ClientLine, ErrorKind, Outcome, Request, RequestId, ServerLine};
    use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
    use tokio::net::UnixListener;
    use tokio::sync::mpsc;
    use zeroize::Zeroizing;

    use crate::client::{Client, Desk, Transport};
    use crate::line;
    use crate::owner::{Hub, Sink, request};

    /// Lines that wait for a shell to read them; one that lets more pile up is let go.
    const QUEUE: usize = 4096;

    /// Shells attached at once.
    const SHELLS: usize = 64;

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

    /// Lets shells in until the owner ends.
    pub(crate) async fn serve(listener: UnixListener, hub: Arc<Hub>) {
        let me = rustix::process::geteuid().as_raw();
        let room = Arc::new(tokio::sync::Semaphore::new(SHELLS));
        while let Ok((stream, _)) = listener.accept().await {
            let same_user = stream.peer_cred().is_ok_and(|peer| peer.uid() == me);
            let Ok(seat) = room.clone().try_acquire_owned() else {
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
        let (sender, mut lines) = mpsc::channel::<String>(QUEUE);
        let client = hub.attach(Sink::Remote(sender.clone()));
        let write = tokio::spawn(async move {
            while let Some(mut text) = lines.recv().await {
                text.push('\n');
                if writer.write_all(text.as_bytes()).await.is_err() {
                    return;
                }
            }
        });
        let mut reader = BufReader::new(reader);
        loop {
            let line = match read_line(&mut reader).await {
                Ok(Some(line)) => line,
                Ok(None) => break,
                Err(_) => break,
            };
            match serde_json::from_slice::<ClientLine>(&line) {
                Ok(ClientLine { id, request: what }) => {
                    if request(hub, client, id, what).is_err() {
                        break;
                    }
                }
                Err(_) => {
                    if sender.send(refusal(&line)).await.is_err() {
                        break;
                    }
                }
            }
        }
        hub.detach(client);
        drop(sender);
        // What was answered is still written; then the shell reads the end.
        let _ = write.await;
    }

    /// What a line that is no request is answered with: its id where one can be read, never its contents.
    fn refusal(line: &[u8]) -> String {
        #[derive(serde::Deserialize)]
        struct Id {
            id: RequestId,
        }
        let id = serde_json::from_slice::<Id>(line).map_or(0, |i| i.id);
        let error = ApiError::new(
            ErrorKind::Invalid,
            "This line is not a request that Sotto knows.",
        );
        serde_json::to_string(&ServerLine::Answer {
            id,
            outcome: Outcome::Error(error),
        })
        .unwrap_or_default()
    }

    async fn read_line(
        reader: &mut (impl AsyncBufReadExt + Unpin),
    ) -> io::Result<Option<Zeroizing<Vec<u8>>>> {
        let mut line = Zeroizing::new(Vec::new());
        loop {
            let available = reader.fill_buf().await?;
            if available.is_empty() {
                return Ok(if line.is_empty() { None } else { Some(line) });
            }
            let (taken, ended) = match available.iter().position(|b| *b == b'\n') {
                Some(end) => (end, true),
                None => (available.len(), false),
            };
            if line.len() + taken > line::LONGEST {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a line is too long",
                ));
            }
            line.extend_from_slice(available.get(..taken).unwrap_or_default());
            reader.consume(taken + usize::from(ended));
            if ended {
                return Ok(Some(line));
            }
        }
    }

    struct Remote {
        stream: Arc<Mutex<UnixStream>>,
    }

    impl Transport for Remote {
        fn send(&self, id: RequestId, request: Request) -> bool {
            let Ok(text) = serde_json::to_vec(&ClientLine { id, request }) else {
                return false;
            };
            let mut text = Zeroizing::new(text);
            text.push(b'\n');
            self.stream
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .write_all(&text)
                .is_ok()
        }
    }

    /// Hangs up when the last handle goes, which ends the reader's thread as well.
    struct HangUp(UnixStream);

    impl Drop for HangUp {
        fn drop(&mut self) {
            let _ = self.0.shutdown(std::net::Shutdown::Both);
        }
    }

    /// Attaches to the owner that listens at `path`.
    pub(crate) fn attach(path: &Path) -> io::Result<Client> {
        let (address, _folder) = short(path)?;
        let stream = UnixStream::connect(address)?;
        let desk = Arc::new(Desk::default());
        let reader = stream.try_clone()?;
        let hang_up = HangUp(stream.try_clone()?);
        let listener = desk.clone();
        std::thread::Builder::new()
            .name("sotto-attached".into())
            .stack_size(512 * 1024)
            .spawn(move || {
                let mut reader = io::BufReader::new(reader);
                while let Ok(Some(text)) = line::read(&mut reader) {
                    match serde_json::from_slice(&text) {
                        Ok(ServerLine::Answer { id, outcome }) => listener.answer(id, outcome),
                        Ok(ServerLine::Event(event)) => listener.event(&event),
                        // A newer owner may say more than this program knows.
                        Err(_) => tracing::debug!("a line of the owner was not understood"),
                    }
                }
                listener.end();
            })?;
        let remote = Remote {
            stream: Arc::new(Mutex::new(stream)),
        };
        Ok(Client::new(
            desk,
            remote,
            Some(Box::new(Mutex::new(hang_up))),
        ))
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::io;
    use std::path::Path;
    use std::sync::Arc;

    use crate::client::Client;
    use crate::owner::Hub;

    pub(crate) struct Nobody;

    pub(crate) fn listen(_path: &Path) -> io::Result<Nobody> {
        Ok(Nobody)
    }

    pub(crate) async fn serve(_nobody: Nobody, _hub: Arc<Hub>) {}

    pub(crate) fn attach(_path: &Path) -> io::Result<Client> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
