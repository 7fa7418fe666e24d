use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use sotto_api::{ApiError, ErrorKind, Event, Outcome, Reply, Request, RequestId};

type Done = Box<dyn FnOnce(Result<Reply, ApiError>) + Send>;
type OnEvent = Box<dyn Fn(Event) + Send>;

/// A way to ask the owner of a profile, in this process or another. Cheap to clone.
#[derive(Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

/// Carries a request to the owner; its answer comes back through [`Desk::answer`].
pub(crate) trait Transport: Send + Sync {
    /// `false` when the owner is gone.
    fn send(&self, id: RequestId, request: Request) -> bool;
}

struct Inner {
    // Dropped in this order: nothing more is asked, the owner ends if this was the last handle to it, and what still waits
    // is answered meanwhile.
    transport: Box<dyn Transport>,
    _end: Option<Box<dyn std::any::Any + Send + Sync>>,
    desk: Arc<Desk>,
}

thread_local! {
    /// Whether this thread is the one that hands out answers.
    static DELIVERS: Cell<bool> = const { Cell::new(false) };
}

/// Requests that wait for their answer, and who hears events.
#[derive(Default)]
pub(crate) struct Desk {
    next: AtomicU64,
    state: Mutex<DeskState>,
    // Apart from the rest, so that a subscriber may send requests.
    listeners: Mutex<Vec<OnEvent>>,
}

#[derive(Default)]
struct DeskState {
    waiting: HashMap<RequestId, Done>,
    ended: bool,
}

/// What the owner has for a client; told in order.
pub(crate) enum Delivery {
    Answer(RequestId, Outcome),
    Event(Event),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A callback that panicked has not broken what is guarded: it is moved out before it is called.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Client {
    pub(crate) fn new(
        desk: Arc<Desk>,
        transport: impl Transport + 'static,
        end: Option<Box<dyn std::any::Any + Send + Sync>>,
    ) -> Self {
        Self {
            inner: Arc::new(Inner {
                desk,
                transport: Box::new(transport),
                _end: end,
            }),
        }
    }

    /// Sends a request; `done` is called exactly once: on a thread of the runtime, or at once where the owner is gone.
    ///
    /// It must not block for long, since answers and events come one after the other. It may use this client, and may
    /// drop it.
    pub fn request(
        &self,
        request: Request,
        done: impl FnOnce(Result<Reply, ApiError>) + Send + 'static,
    ) {
        let desk = &self.inner.desk;
        let id = desk.next.fetch_add(1, Ordering::Relaxed) + 1;
        {
            let mut state = lock(&desk.state);
            if state.ended {
                drop(state);
                return done(Err(gone()));
            }
            state.waiting.insert(id, Box::new(done));
        }
        if !self.inner.transport.send(id, request) {
            desk.answer(id, Outcome::Error(gone()));
        }
    }

    /// Sends a request and waits for its answer.
    ///
    /// # Errors
    ///
    /// As the owner refuses it, or [`ErrorKind::Internal`] when the owner is gone.
    pub async fn send(&self, request: Request) -> Result<Reply, ApiError> {
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.request(request, move |result| {
            // Fails only when nobody waits any more.
            let _ = sender.send(result);
        });
        receiver.await.unwrap_or_else(|_| Err(gone()))
    }

    /// The same, blocking.
    ///
    /// # Errors
    ///
    /// As [`Client::send`]; also within a callback of a client, where no answer could come.
    pub fn call(&self, request: Request) -> Result<Reply, ApiError> {
        if DELIVERS.get() {
            tracing::error!("a callback waits for an answer that only it could let through");
            return Err(ApiError::new(
                ErrorKind::Internal,
                "Sotto cannot wait for itself.",
            ));
        }
        let (sender, receiver) = channel();
        self.request(request, move |result| {
            let _ = sender.send(result);
        });
        receiver.recv().unwrap_or_else(|_| Err(gone()))
    }

    /// [`Client::call`] with an end to the waiting; `None` then.
    pub(crate) fn call_within(
        &self,
        request: Request,
        wait: Duration,
    ) -> Option<Result<Reply, ApiError>> {
        let (sender, receiver) = channel();
        self.request(request, move |result| {
            let _ = sender.send(result);
        });
        receiver.recv_timeout(wait).ok()
    }

    /// Whether the owner has ended.
    pub(crate) fn is_gone(&self) -> bool {
        lock(&self.inner.desk.state).ended
    }

    /// Hears every event from now on, in order, on a thread of the runtime.
    pub fn subscribe(&self, on_event: impl Fn(Event) + Send + 'static) {
        lock(&self.inner.desk.listeners).push(Box::new(on_event));
    }
}

impl Desk {
    /// Completes one request.
    pub(crate) fn answer(&self, id: RequestId, outcome: Outcome) {
        let done = lock(&self.state).waiting.remove(&id);
        if let Some(done) = done {
            guarded(|| {
                done(match outcome {
                    Outcome::Ok(reply) => Ok(reply),
                    Outcome::Error(error) => Err(error),
                });
            });
        }
    }

    /// Tells every subscriber. Called by one thread only.
    pub(crate) fn event(&self, event: &Event) {
        // Taken out, so that a subscriber may subscribe another.
        let listeners = std::mem::take(&mut *lock(&self.listeners));
        for listener in &listeners {
            guarded(|| listener(event.clone()));
        }
        let mut now = lock(&self.listeners);
        let added = std::mem::replace(&mut *now, listeners);
        now.extend(added);
    }

    /// The owner is gone: everything that waits is refused, and so is what comes.
    pub(crate) fn end(&self) {
        let waiting: Vec<Done> = {
            let mut state = lock(&self.state);
            state.ended = true;
            state.waiting.drain().map(|(_, done)| done).collect()
        };
        for done in waiting {
            guarded(|| done(Err(gone())));
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.end();
    }
}

/// A callback that panics is its shell's fault; the others are called all the same.
fn guarded(callback: impl FnOnce()) {
    if catch_unwind(AssertUnwindSafe(callback)).is_err() {
        tracing::error!("a callback panicked");
    }
}

/// Marks this thread as the one that hands out answers.
pub(crate) fn delivers() {
    DELIVERS.set(true);
}

/// Starts the thread that hands answers and events of an owner in this process to their callbacks, so that no
/// callback ever runs on the engine's thread.
pub(crate) fn deliver(
    desk: Weak<Desk>,
) -> std::io::Result<(Sender<Delivery>, std::thread::JoinHandle<()>)> {
    let (sender, receiver): (Sender<Delivery>, Receiver<Delivery>) = channel();
    let thread = std::thread::Builder::new()
        .name("sotto-deliver".into())
        .stack_size(512 * 1024)
        .spawn(move || {
            delivers();
            for delivery in receiver {
                let Some(desk) = desk.upgrade() else { return };
                match delivery {
                    Delivery::Answer(id, outcome) => desk.answer(id, outcome),
                    Delivery::Event(event) => desk.event(&event),
                }
            }
            if let Some(desk) = desk.upgrade() {
                desk.end();
            }
        })?;
    Ok((sender, thread))
}

fn gone() -> ApiError {
    ApiError::new(ErrorKind::Internal, "Sotto has ended.")
}
