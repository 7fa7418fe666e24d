//! `sotto-cli rpc`: the whole interface as JSON lines (docs/rpc.md).
//!
//! Requests are read from standard input and answered in the order in which the engine answers them; events
//! come between. The end of the input, or of the owner of the profile, ends the program, after the last answer.

use std::io::{self, BufRead, Write};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use sotto_api::{
    ApiError, ClientLine, ErrorKind, Event, Outcome, Reply, Request, RequestId, ServerLine,
};
use zeroize::Zeroizing;

use crate::failure::{Done, Failure};

/// The longest that the program lives on after the end of its input, for answers that are still due.
const LAST_ANSWERS: Duration = Duration::from_secs(60);

/// What is called with the answer to a request.
pub type Answered = Box<dyn FnOnce(Result<Reply, ApiError>) + Send>;

/// The engine as `rpc` needs it.
pub trait Engine {
    /// Sends a request; `done` is called with its answer, on any thread.
    fn request(&self, request: Request, done: Answered);
    /// Calls `on_event` with each event, in order.
    fn subscribe(&self, on_event: Box<dyn Fn(Event) + Send>);
}

/// Speaks until the input ends, or the owner of the profile does.
///
/// # Errors
/// When the input cannot be read.
pub fn run(
    engine: &dyn Engine,
    input: impl BufRead + Send + 'static,
    output: impl Write + Send + 'static,
) -> Done {
    let (sender, lines) = channel();
    let writer = thread::spawn(move || write_lines(&lines, output));
    let (heard, inputs) = channel();
    let for_events = sender.clone();
    let for_end = heard.clone();
    engine.subscribe(Box::new(move |event| {
        let ending = event == Event::Ending;
        let _ = for_events.send(Some(ServerLine::Event(event)));
        if ending {
            let _ = for_end.send(Heard::Ending);
        }
    }));
    // A read cannot be called off: it goes on by itself, and ends with the process at the latest.
    thread::spawn(move || read_lines(input, &heard));
    let due = Arc::new(Due::default());
    while let Ok(Heard::Line(line)) = inputs.recv() {
        let line =
            line.map_err(|e| Failure::Io(format!("Standard input could not be read: {e}.")))?;
        match parse(&line) {
            Ok(ClientLine { id, request }) => {
                let answer_to = sender.clone();
                let done = Due::one_more(&due);
                engine.request(
                    request,
                    Box::new(move |result| {
                        answer(&answer_to, id, result);
                        drop(done);
                    }),
                );
            }
            Err((id, error)) => answer(&sender, id, Err(error)),
        }
    }
    due.wait(LAST_ANSWERS);
    let _ = sender.send(None);
    let _ = writer.join();
    Ok(())
}

/// What moves [`run`] on.
enum Heard {
    /// A line that is not empty, or that none can be read any more.
    Line(io::Result<Zeroizing<String>>),
    /// The input ended.
    End,
    /// The owner of the profile ends: after a signal, or because it was asked to.
    Ending,
}

fn read_lines(mut input: impl BufRead, heard: &Sender<Heard>) {
    loop {
        let mut line = Zeroizing::new(String::new());
        let next = match input.read_line(&mut line) {
            Ok(0) => Heard::End,
            Ok(_) if line.trim().is_empty() => continue,
            Ok(_) => Heard::Line(Ok(line)),
            Err(error) => Heard::Line(Err(error)),
        };
        let last = !matches!(next, Heard::Line(Ok(_)));
        if heard.send(next).is_err() || last {
            return;
        }
    }
}

fn answer(to: &Sender<Option<ServerLine>>, id: RequestId, result: Result<Reply, ApiError>) {
    let outcome = match result {
        Ok(reply) => Outcome::Ok(reply),
        Err(error) => Outcome::Error(error),
    };
    let _ = to.send(Some(ServerLine::Answer { id, outcome }));
}

/// Writes until told to stop, or until nobody reads any more.
fn write_lines(lines: &Receiver<Option<ServerLine>>, mut output: impl Write) {
    while let Ok(Some(line)) = lines.recv() {
        let Ok(mut text) = serde_json::to_string(&line) else {
            continue;
        };
        // In one piece: standard output keeps what is written to it in parts.
        text.push('\n');
        let written = output.write_all(text.as_bytes());
        if written.and_then(|()| output.flush()).is_err() {
            return;
        }
    }
}

/// Reads one line. `params` may be left out where it would be empty. An error names the request's id, or 0.
fn parse(line: &str) -> Result<ClientLine, (RequestId, ApiError)> {
    let error = match serde_json::from_str::<ClientLine>(line) {
        Ok(line) => return Ok(line),
        Err(error) => error,
    };
    let Ok(mut value) = serde_json::from_str::<serde_json::Value>(line) else {
        return Err((0, invalid("This line is not JSON.".to_owned())));
    };
    let id = value
        .get("id")
        .and_then(serde_json::Value::as_u64)
        .unwrap_or(0);
    if let Some(object) = value.as_object_mut()
        && !object.contains_key("params")
    {
        object.insert("params".to_owned(), serde_json::json!({}));
        if let Ok(line) = serde_json::from_value(value) {
            return Ok(line);
        }
    }
    Err((id, invalid(why(&error))))
}

/// The parser's words where they only name things; else nothing of what the line holds: it may be a secret.
fn why(error: &serde_json::Error) -> String {
    let words = error.to_string();
    let harmless = ["missing field", "unknown variant", "unknown field"];
    if harmless.iter().any(|start| words.starts_with(start)) {
        format!("This is not a request of the interface: {words}.")
    } else {
        "This is not a request of the interface: a value has the wrong type.".to_owned()
    }
}

fn invalid(message: String) -> ApiError {
    ApiError::new(ErrorKind::Invalid, message)
}

/// Counts the answers that are still due.
#[derive(Debug, Default)]
struct Due {
    count: Mutex<usize>,
    none_left: Condvar,
}

/// One answer that is due; given back when dropped, also when the engine drops the callback unanswered.
#[derive(Debug)]
struct DueAnswer(Arc<Due>);

impl Due {
    fn one_more(due: &Arc<Self>) -> DueAnswer {
        *due.count.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        DueAnswer(Arc::clone(due))
    }

    fn wait(&self, limit: Duration) {
        let count = self.count.lock().unwrap_or_else(PoisonError::into_inner);
        drop(
            self.none_left
                .wait_timeout_while(count, limit, |count| *count > 0),
        );
    }
}

impl Drop for DueAnswer {
    fn drop(&mut self) {
        let mut count = self.0.count.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        self.0.none_left.notify_all();
    }
}

#[cfg(test)]
mod tests;
