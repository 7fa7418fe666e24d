//! The engine's thread, and what carries out its wishes.

use std::collections::HashMap;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use sotto_api::{Event, Outcome, Request, RequestId, ServerLine};
pub(crate) use sotto_engine::io::ClientId;
use sotto_engine::io::{
    Input, LinkCommand, LinkEvent, LinkId, Now, Output, PictureJob, WorkId, WorkJob, WorkResult,
};
use sotto_engine::picture::PictureError;
use sotto_engine::{Engine, EngineConfig};
use sotto_store::{ProfileDir, ProfileLock};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot};

use crate::client::{Client, Delivery, Desk, Transport, deliver};
use crate::{Options, StartError, decoder, link, log, networks, random, socket};

/// Inputs taken in before the clock is read and outputs are handed out again.
const BATCH: usize = 64;

/// The client of this process itself, for what the runtime asks in its own name.
const RUNTIME: ClientId = ClientId(0);

/// How long the owner may take to close its streams when it ends; with all the rest, two seconds (R-SYS-05).
///
/// The engine itself waits a little less; this holds should it not.
const END_WAIT: Duration = Duration::from_millis(1700);

/// How long shells may take to read what was said last.
const SHELLS_WAIT: Duration = Duration::from_millis(150);

/// How long tasks may take to notice the end.
const TASKS_WAIT: Duration = Duration::from_millis(100);

/// How many bytes may wait for a shell to read them; one that lets more pile up is let go.
const MOST_WAITING: usize = 32 * 1024 * 1024;

/// Wakes the engine's thread.
pub(crate) enum Wake {
    /// Something for the engine. The permit, if any, is given back once it was taken in: that is what bounds how far a
    /// link reads ahead.
    Input(Input, Option<OwnedSemaphorePermit>),
    /// End as soon as streams are closed.
    End,
}

/// Whoever is attached: where its answers and events go.
pub(crate) enum Sink {
    Local(Sender<Delivery>),
    #[cfg_attr(not(unix), allow(dead_code, reason = "no shell attaches there yet"))]
    Remote(Shell),
}

/// Lines to a shell in another process. Dropping it lets the shell go.
pub(crate) struct Shell {
    lines: mpsc::UnboundedSender<String>,
    /// Bytes that the shell has not read yet.
    waiting: Arc<AtomicUsize>,
    _stays: oneshot::Sender<()>,
}

impl Shell {
    #[cfg_attr(not(unix), allow(dead_code, reason = "no shell attaches there yet"))]
    pub(crate) fn new(
        lines: mpsc::UnboundedSender<String>,
        waiting: Arc<AtomicUsize>,
        stays: oneshot::Sender<()>,
    ) -> Self {
        Self {
            lines,
            waiting,
            _stays: stays,
        }
    }

    /// `false` when it does not read, or has gone.
    fn tell(&self, line: String) -> bool {
        let length = line.len();
        let before = self.waiting.fetch_add(length, Ordering::Relaxed);
        before + length <= MOST_WAITING && self.lines.send(line).is_ok()
    }
}

/// What the engine's thread shares with the sockets' thread.
pub(crate) struct Hub {
    wake: Sender<Wake>,
    sinks: Mutex<HashMap<ClientId, Sink>>,
    next_client: AtomicU64,
}

impl Hub {
    pub(crate) fn wake(&self, wake: Wake) -> bool {
        self.wake.send(wake).is_ok()
    }

    pub(crate) fn attach(&self, sink: Sink) -> ClientId {
        let id = ClientId(self.next_client.fetch_add(1, Ordering::Relaxed));
        self.sinks().insert(id, sink);
        id
    }

    pub(crate) fn detach(&self, client: ClientId) {
        self.sinks().remove(&client);
        self.wake(Wake::Input(Input::ClientGone { client }, None));
    }

    fn sinks(&self) -> MutexGuard<'_, HashMap<ClientId, Sink>> {
        self.sinks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn answer(&self, client: ClientId, id: RequestId, outcome: Outcome) {
        let mut sinks = self.sinks();
        if let Some(Sink::Local(sender)) = sinks.get(&client) {
            if sender.send(Delivery::Answer(id, outcome)).is_err() {
                sinks.remove(&client);
            }
            return;
        }
        drop(sinks);
        self.tell(client, &ServerLine::Answer { id, outcome });
    }

    /// Sends a line to a shell in another process. One that does not read is let go rather than waited for.
    pub(crate) fn tell(&self, client: ClientId, line: &ServerLine) {
        // Written out before the lock is taken: it may be large.
        let text = serde_json::to_string(line);
        let mut sinks = self.sinks();
        if let Some(Sink::Remote(shell)) = sinks.get(&client)
            && !text.is_ok_and(|text| shell.tell(text))
        {
            sinks.remove(&client);
        }
    }

    fn event(&self, event: &Event) {
        let mut encoded = None;
        self.sinks().retain(|_, sink| match sink {
            Sink::Local(sender) => sender.send(Delivery::Event(event.clone())).is_ok(),
            Sink::Remote(shell) => {
                let text = encoded.get_or_insert_with(|| {
                    serde_json::to_string(&ServerLine::Event(event.clone()))
                });
                text.as_ref().is_ok_and(|text| shell.tell(text.clone()))
            }
        });
    }

    fn close(&self) {
        self.sinks().clear();
    }

    /// Without an engine: what would wake it comes out at the other end.
    #[cfg(test)]
    pub(crate) fn alone() -> (Arc<Self>, Receiver<Wake>) {
        let (wake, inbox) = channel();
        let hub = Self {
            wake,
            sinks: Mutex::default(),
            next_client: AtomicU64::new(RUNTIME.0 + 1),
        };
        (Arc::new(hub), inbox)
    }
}

struct Local {
    hub: Arc<Hub>,
    client: ClientId,
}

impl Transport for Local {
    fn send(&self, id: RequestId, request: Request) -> bool {
        self.hub.wake(Wake::Input(
            Input::Request {
                client: self.client,
                id,
                request,
            },
            None,
        ))
    }
}

/// Ends the owner when the last handle goes.
struct End {
    hub: Arc<Hub>,
    engine: Option<JoinHandle<()>>,
    deliver: Option<JoinHandle<()>>,
}

impl Drop for End {
    fn drop(&mut self) {
        self.hub.wake(Wake::End);
        for thread in [self.engine.take(), self.deliver.take()]
            .into_iter()
            .flatten()
        {
            // A callback may hold the last handle: a thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() && thread.join().is_err() {
                tracing::error!("a thread of the owner ended by a panic");
            }
        }
    }
}

/// Starts the owner's threads.
pub(crate) fn start(
    profile: ProfileDir,
    lock: ProfileLock,
    options: Options,
) -> Result<Client, StartError> {
    let environment = link::Environment::new(options.nameservers);
    start_in(
        profile,
        lock,
        options.software,
        options.decoder,
        environment,
    )
}

/// The same, in surroundings of its own.
pub(crate) fn start_in(
    profile: ProfileDir,
    lock: ProfileLock,
    software: String,
    decoder: Option<PathBuf>,
    environment: link::Environment,
) -> Result<Client, StartError> {
    let system = |what| move |cause| StartError::System { what, cause };
    let sockets = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .max_blocking_threads(3)
        .thread_keep_alive(Duration::from_secs(2))
        .thread_name("sotto-io")
        .thread_stack_size(1024 * 1024)
        .enable_all()
        .build()
        .map_err(system("threads for sockets"))?;
    let (wake, inbox) = channel();
    let hub = Arc::new(Hub {
        wake,
        sinks: Mutex::default(),
        next_client: AtomicU64::new(RUNTIME.0 + 1),
    });
    let desk = Arc::new(Desk::default());
    let (sender, deliver) = deliver(Arc::downgrade(&desk)).map_err(system("a thread"))?;
    let client = hub.attach(Sink::Local(sender));
    let path = profile.socket_path();
    let listener = {
        let _inside = sockets.enter();
        socket::listen(&path).map_err(system("the owner's socket"))?
    };
    let seats = Arc::new(Semaphore::new(socket::SHELLS as usize));
    let door = Door {
        path,
        serving: sockets.spawn(socket::serve(listener, hub.clone(), seats.clone())),
    };
    sockets.spawn(signals(hub.clone()));
    sockets.spawn(networks::watch(hub.clone()));
    let config = EngineConfig {
        profile,
        random: Box::new(random::fill),
        software,
    };
    let mut pump = Pump {
        hub: hub.clone(),
        sockets,
        environment: Arc::new(environment),
        links: HashMap::new(),
        decoder,
        decoding: Arc::new(Semaphore::new(1)),
        door,
    };
    let thread = std::thread::Builder::new()
        .name("sotto-engine".into())
        .stack_size(4 * 1024 * 1024)
        .spawn(move || {
            let run = AssertUnwindSafe(|| pump.run(Engine::new(config, now()), &inbox));
            if catch_unwind(run).is_err() {
                tracing::error!("the engine ended by a panic");
            }
            // Nobody comes in any more, everybody who is here reads the end.
            pump.door.close();
            pump.hub.close();
            pump.sockets.block_on(async {
                let gone = seats.acquire_many(socket::SHELLS);
                let _ = tokio::time::timeout(SHELLS_WAIT, gone).await;
            });
            pump.sockets.shutdown_timeout(TASKS_WAIT);
            drop(lock);
        })
        .map_err(system("a thread"))?;
    let end = End {
        hub: hub.clone(),
        engine: Some(thread),
        deliver: Some(deliver),
    };
    Ok(Client::new(
        desk,
        Local { hub, client },
        Some(Box::new(Mutex::new(end))),
    ))
}

/// Where shells come in.
struct Door {
    path: PathBuf,
    serving: tokio::task::JoinHandle<()>,
}

impl Door {
    /// The name goes long before the lock, so that whoever starts now waits for the lock rather than attaching to an owner
    /// that is about to end.
    fn close(&self) {
        if !self.serving.is_finished() {
            self.serving.abort();
            // A socket that nobody serves is replaced by the next owner.
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

fn now() -> Now {
    let unix_ms = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .map_or(0, |d| i64::try_from(d.as_millis()).unwrap_or(i64::MAX));
    Now {
        instant: Instant::now(),
        unix_ms,
    }
}

/// Takes inputs to the engine and outputs from it.
struct Pump {
    hub: Arc<Hub>,
    sockets: tokio::runtime::Runtime,
    environment: Arc<link::Environment>,
    links: HashMap<LinkId, mpsc::UnboundedSender<LinkCommand>>,
    decoder: Option<PathBuf>,
    /// Pictures are decoded one after the other.
    decoding: Arc<Semaphore>,
    door: Door,
}

impl Pump {
    fn run(&mut self, mut engine: Engine, inbox: &Receiver<Wake>) {
        let mut ending: Option<Instant> = None;
        loop {
            if self.carry_out(&mut engine) {
                return;
            }
            let due = [engine.poll_timeout(), ending].into_iter().flatten().min();
            let first = match due {
                None => inbox.recv().ok(),
                Some(at) => {
                    match inbox.recv_timeout(at.saturating_duration_since(Instant::now())) {
                        Ok(wake) => Some(wake),
                        Err(RecvTimeoutError::Timeout) => None,
                        Err(RecvTimeoutError::Disconnected) => return,
                    }
                }
            };
            let mut next = first;
            let mut taken = 0;
            while let Some(wake) = next.take() {
                match wake {
                    Wake::Input(input, permit) => {
                        if let Input::Link {
                            link,
                            event: LinkEvent::Closed(_),
                        } = &input
                        {
                            self.links.remove(link);
                        }
                        engine.handle(input, now());
                        drop(permit);
                        if self.carry_out(&mut engine) {
                            return;
                        }
                    }
                    Wake::End if ending.is_none() => {
                        ending = Some(Instant::now() + END_WAIT);
                        let request = Request::Quit {};
                        engine.handle(
                            Input::Request {
                                client: RUNTIME,
                                id: 0,
                                request,
                            },
                            now(),
                        );
                        if self.carry_out(&mut engine) {
                            return;
                        }
                    }
                    Wake::End => {}
                }
                taken += 1;
                next = if taken < BATCH {
                    inbox.try_recv().ok()
                } else {
                    None
                };
            }
            let now = now();
            if ending.is_some_and(|at| now.instant >= at) {
                tracing::warn!("ended without waiting longer for servers");
                return;
            }
            if engine.poll_timeout().is_some_and(|at| now.instant >= at) {
                engine.handle_timeout(now);
            }
        }
    }

    /// Carries out everything the engine wants; whether that was the end.
    fn carry_out(&mut self, engine: &mut Engine) -> bool {
        while let Some(output) = engine.poll_output() {
            match output {
                Output::Reply {
                    client,
                    id,
                    outcome,
                } => self.hub.answer(client, id, outcome),
                Output::Event(event) => {
                    if matches!(event, Event::Ending) {
                        self.door.close();
                    }
                    self.hub.event(&event);
                }
                Output::Link { link, command } => self.command(link, command),
                Output::Work { work, job } => self.work(work, job),
                Output::Picture { work, job } => self.picture(work, job),
                Output::Log(record) => log::keep(record),
                Output::Quit => {
                    log::keep(None);
                    return true;
                }
            }
        }
        false
    }

    fn command(&mut self, link: LinkId, command: LinkCommand) {
        if matches!(command, LinkCommand::Dial(_)) {
            let (sender, receiver) = mpsc::unbounded_channel();
            self.links.insert(link, sender);
            self.sockets.spawn(link::run(
                link,
                receiver,
                self.hub.clone(),
                self.environment.clone(),
            ));
        }
        if let Some(sender) = self.links.get(&link) {
            // Fails only when the link has ended; its `Closed` is on the way.
            let _ = sender.send(command);
        }
    }

    fn work(&self, work: WorkId, job: WorkJob) {
        let hub = self.hub.clone();
        let run = self.sockets.spawn_blocking(move || job.run());
        self.sockets.spawn(async move {
            let result = run.await.unwrap_or_else(|_| WorkResult::failed());
            hub.wake(Wake::Input(Input::WorkDone { work, result }, None));
        });
    }

    fn picture(&self, work: WorkId, job: PictureJob) {
        let hub = self.hub.clone();
        let program = self.decoder.clone();
        let turn = self.decoding.clone();
        self.sockets.spawn(async move {
            let pixels = match program {
                Some(program) => {
                    let _turn = turn.acquire().await;
                    decoder::decode(&program, job.file(), job.side()).await
                }
                None => Err(PictureError::NoDecoder),
            };
            let run = tokio::task::spawn_blocking(move || job.run(|_, _| pixels));
            let result = run.await.unwrap_or_else(|_| WorkResult::failed());
            hub.wake(Wake::Input(Input::WorkDone { work, result }, None));
        });
    }
}

/// A clean end when the system or the terminal asks for it (R-SYS-05).
#[cfg(unix)]
async fn signals(hub: Arc<Hub>) {
    use tokio::signal::unix::{SignalKind, signal};
    let (Ok(mut term), Ok(mut int)) = (
        signal(SignalKind::terminate()),
        signal(SignalKind::interrupt()),
    ) else {
        return;
    };
    tokio::select! {
        _ = term.recv() => {}
        _ = int.recv() => {}
    }
    hub.wake(Wake::End);
}

#[cfg(not(unix))]
async fn signals(hub: Arc<Hub>) {
    if tokio::signal::ctrl_c().await.is_ok() {
        hub.wake(Wake::End);
    }
}

/// Hands what happened on a link to the engine; `false` when the owner is gone.
pub(crate) fn link_event(
    hub: &Hub,
    link: LinkId,
    event: LinkEvent,
    permit: Option<OwnedSemaphorePermit>,
) -> bool {
    hub.wake(Wake::Input(Input::Link { link, event }, permit))
}

/// For the socket's server: hands a request in. The permit comes back once the engine has taken it.
#[cfg_attr(not(unix), allow(dead_code, reason = "no shell attaches there yet"))]
pub(crate) fn request(
    hub: &Hub,
    client: ClientId,
    id: RequestId,
    request: Request,
    permit: OwnedSemaphorePermit,
) -> io::Result<()> {
    let input = Input::Request {
        client,
        id,
        request,
    };
    if hub.wake(Wake::Input(input, Some(permit))) {
        Ok(())
    } else {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[cfg(test)]
mod tests;
