use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use super::RecordWriter;

/// A record that several threads write lines into, and that can be stopped at once. A failure stops it too.
#[derive(Clone)]
pub struct SharedRecord {
    state: Arc<Mutex<State>>,
}

struct State {
    /// Absent once it was stopped.
    writer: Option<RecordWriter>,
    failure: Option<io::ErrorKind>,
}

impl std::fmt::Debug for SharedRecord {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("SharedRecord")
    }
}

impl SharedRecord {
    /// For a writer of its own.
    pub fn new(writer: RecordWriter) -> Self {
        let state = State {
            writer: Some(writer),
            failure: None,
        };
        Self {
            state: Arc::new(Mutex::new(state)),
        }
    }

    /// Appends a line, unless it was stopped. Must not log: it is where the log goes.
    pub fn append(&self, line: &[u8]) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &mut state.writer
            && let Err(error) = writer.append(line)
        {
            state.failure = Some(error.kind());
            state.writer = None;
        }
    }

    /// Nothing is written from now on.
    pub fn stop(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.writer = None;
    }

    /// The next line begins a new file.
    pub fn close_file(&self) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(writer) = &mut state.writer {
            writer.close();
        }
    }

    /// Why it stopped by itself.
    pub fn failure(&self) -> Option<io::ErrorKind> {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.failure
    }
}
