use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

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
    desk: Arc<Desk>,
    transport: Box<dyn Transport>,
    /// Dropped last: ends the owner when this is the last handle to it.
    _end: Option<Box<dyn std::any::Any + Send + Sync>>,
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

    /// Sends a request; `done` is called once, on a thread of the runtime. It must not block for long.
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

    /// The same, blocking. Not from within a callback of this client.
    ///
    /// # Errors
    ///
    /// As [`Client::send`].
    pub fn call(&self, request: Request) -> Result<Reply, ApiError> {
        let (sender, receiver) = channel();
        self.request(request, move |result| {
            let _ = sender.send(result);
        });
        receiver.recv().unwrap_or_else(|_| Err(gone()))
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
            done(match outcome {
                Outcome::Ok(reply) => Ok(reply),
                Outcome::Error(error) => Err(error),
            });
        }
    }

    /// Tells every subscriber.
    pub(crate) fn event(&self, event: &Event) {
        for listener in lock(&self.listeners).iter() {
            listener(event.clone());
        }
    }

    /// The owner is gone: everything that waits is refused, and so is what comes.
    pub(crate) fn end(&self) {
        let waiting: Vec<Done> = {
            let mut state = lock(&self.state);
            state.ended = true;
            state.waiting.drain().map(|(_, done)| done).collect()
        };
        for done in waiting {
            done(Err(gone()));
        }
    }
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
