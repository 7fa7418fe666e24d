use sotto_api::{ApiError, Reply, Request};

/// What is called with the answer to one request, on any thread.
pub type Done = Box<dyn FnOnce(Result<Reply, ApiError>) + Send>;

/// Whoever answers requests: the runtime's client, or a scripted one in tests.
///
/// A request never blocks the window; its answer comes back through `done`.
pub trait Backend: Send + Sync {
    /// Sends one request; `done` is called exactly once.
    fn request(&self, request: Request, done: Done);
}
