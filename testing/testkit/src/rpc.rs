//! One `sotto-cli rpc` process, driven by a test.
//!
//! 1. [`Rpc::start`] runs the program on a profile.
//! 2. [`Rpc::request`] sends a request and waits for its answer; [`Rpc::ask`] leaves a refusal to the test.
//! 3. [`Rpc::next_event`] waits for an event, [`Rpc::take_events`] clears what was heard before a look.
//! 4. [`Rpc::quit`] ends it as a person would, [`Rpc::kill`] as a power cut would.

use std::collections::VecDeque;
use std::fmt;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use sotto_api::{ApiError, ClientLine, Event, Outcome, Reply, Request, ServerLine};

/// The longest that an answer to one request may take. Argon2id on a busy machine is the slowest of them.
pub const ANSWER_LIMIT: Duration = Duration::from_secs(30);

/// Why a test cannot go on, in words.
#[derive(Clone, PartialEq, Eq)]
pub struct Failure(pub String);

impl Failure {
    /// A failure with these words.
    pub fn new(words: impl Into<String>) -> Self {
        Self(words.into())
    }
}

impl fmt::Debug for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl From<std::io::Error> for Failure {
    fn from(error: std::io::Error) -> Self {
        Self(error.to_string())
    }
}

/// What a step of a test gives.
pub type Step<T = ()> = Result<T, Failure>;

/// How to start the program.
#[derive(Clone, Debug)]
pub struct Program {
    /// The `sotto-cli` binary.
    pub binary: PathBuf,
    /// Variables set for it, for example `SSL_CERT_FILE`.
    pub environment: Vec<(String, String)>,
}

/// A running `sotto-cli rpc`. Dropping it kills the process.
pub struct Rpc {
    name: String,
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<ServerLine>,
    events: VecDeque<Event>,
    next_id: u64,
    errors: Arc<Mutex<String>>,
}

impl fmt::Debug for Rpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Rpc({})", self.name)
    }
}

impl Rpc {
    /// Runs the program on `profile`. `name` is what failures call it.
    ///
    /// # Errors
    /// When the process cannot be started.
    pub fn start(program: &Program, profile: &Path, name: &str) -> Step<Self> {
        let mut child = Command::new(&program.binary)
            .arg("--profile")
            .arg(profile)
            .arg("rpc")
            .envs(program.environment.iter().map(|(k, v)| (k, v)))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| Failure::new(format!("cannot run {}: {e}", program.binary.display())))?;
        let (Some(input), Some(output), Some(errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::new("the process has no pipes"));
        };
        let (sender, lines) = channel();
        let heard = Arc::new(Mutex::new(String::new()));
        let for_output = Arc::clone(&heard);
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                match serde_json::from_str(&line) {
                    Ok(line) => {
                        if sender.send(line).is_err() {
                            return;
                        }
                    }
                    Err(error) => note(
                        &for_output,
                        &format!("not a line of the API: {error}: {line}\n"),
                    ),
                }
            }
        });
        let for_errors = Arc::clone(&heard);
        thread::spawn(move || collect(errors, &for_errors));
        Ok(Self {
            name: name.to_owned(),
            child,
            input: Some(input),
            lines,
            events: VecDeque::new(),
            next_id: 1,
            errors: heard,
        })
    }

    /// What failures call it.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Its process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Sends a request and waits for its answer; a refusal is a failure of the test.
    ///
    /// # Errors
    /// A refusal, no answer in [`ANSWER_LIMIT`], or a process that ended.
    pub fn request(&mut self, request: Request) -> Step<Reply> {
        let what = method(&request);
        match self.ask(request)? {
            Ok(reply) => Ok(reply),
            Err(error) => Err(self.failure(&format!("{what} was refused: {error:?}"))),
        }
    }

    /// Sends a request and gives whatever the answer is.
    ///
    /// # Errors
    /// No answer in [`ANSWER_LIMIT`], or a process that ended.
    pub fn ask(&mut self, request: Request) -> Step<Result<Reply, ApiError>> {
        let what = method(&request);
        let id = self.send(request)?;
        self.answer(id, &what)
    }

    /// Sends a request without waiting; [`Self::answer`] fetches its answer.
    ///
    /// # Errors
    /// When the process does not take the line.
    pub fn send(&mut self, request: Request) -> Step<u64> {
        let id = self.next_id;
        self.next_id += 1;
        let line = serde_json::to_string(&ClientLine { id, request })
            .map_err(|e| Failure::new(e.to_string()))?;
        let written = match self.input.as_mut() {
            Some(input) => writeln!(input, "{line}").and_then(|()| input.flush()),
            None => return Err(self.failure("its input is closed")),
        };
        written.map_err(|e| self.failure(&format!("cannot write to it: {e}")))?;
        Ok(id)
    }

    /// Waits for the answer to one request. Answers to others that come meanwhile are dropped.
    ///
    /// # Errors
    /// No answer in [`ANSWER_LIMIT`], or a process that ended.
    pub fn answer(&mut self, id: u64, what: &str) -> Step<Result<Reply, ApiError>> {
        let deadline = Instant::now() + ANSWER_LIMIT;
        loop {
            match self.next_line(deadline) {
                Some(ServerLine::Answer { id: of, outcome }) if of == id => {
                    return Ok(match outcome {
                        Outcome::Ok(reply) => Ok(reply),
                        Outcome::Error(error) => Err(error),
                    });
                }
                Some(ServerLine::Answer { .. }) => {}
                Some(ServerLine::Event(event)) => self.events.push_back(event),
                None => return Err(self.failure(&format!("no answer to {what}"))),
            }
        }
    }

    /// Waits for one event; `None` when none comes by `deadline` or the process has ended.
    pub fn next_event(&mut self, deadline: Instant) -> Option<Event> {
        if let Some(event) = self.events.pop_front() {
            return Some(event);
        }
        loop {
            match self.next_line(deadline)? {
                ServerLine::Event(event) => return Some(event),
                ServerLine::Answer { .. } => {}
            }
        }
    }

    /// All events heard so far and not yet looked at.
    pub fn take_events(&mut self) -> Vec<Event> {
        while let Ok(line) = self.lines.try_recv() {
            if let ServerLine::Event(event) = line {
                self.events.push_back(event);
            }
        }
        self.events.drain(..).collect()
    }

    /// Ends it as a power cut would: SIGKILL, nothing is saved.
    pub fn kill(mut self) {
        self.end();
    }

    /// Closes its input, as the end of a script does, and waits until it has ended by itself.
    ///
    /// # Errors
    /// When it does not end within `limit`.
    pub fn quit(mut self, limit: Duration) -> Step {
        self.input = None;
        let deadline = Instant::now() + limit;
        // The end of its output is the end of the process, or very nearly.
        while Instant::now() < deadline {
            match self
                .lines
                .recv_timeout(deadline.saturating_duration_since(Instant::now()))
            {
                Ok(_) => {}
                Err(RecvTimeoutError::Disconnected) => {
                    let status = self.child.wait()?;
                    return if status.success() {
                        Ok(())
                    } else {
                        Err(self.failure(&format!("it ended with {status}")))
                    };
                }
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        Err(self.failure(&format!("it did not end within {limit:?}")))
    }

    /// A failure that names the process and quotes the end of its standard error.
    pub fn failure(&self, words: &str) -> Failure {
        let errors = self.errors.lock().unwrap_or_else(PoisonError::into_inner);
        let from = errors.len().saturating_sub(2_000);
        let tail = errors.get(from..).unwrap_or(&errors).trim();
        if tail.is_empty() {
            Failure(format!("{}: {words}", self.name))
        } else {
            Failure(format!("{}: {words}\n      it said: {tail}", self.name))
        }
    }

    fn next_line(&mut self, deadline: Instant) -> Option<ServerLine> {
        let left = deadline.saturating_duration_since(Instant::now());
        self.lines.recv_timeout(left).ok()
    }

    fn end(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Rpc {
    fn drop(&mut self) {
        self.end();
    }
}

/// The name of a request, without what it carries: a failure must not print passwords.
fn method(request: &Request) -> String {
    serde_json::to_value(request)
        .ok()
        .and_then(|value| Some(value.get("method")?.as_str()?.to_owned()))
        .unwrap_or_default()
}

fn collect(mut from: impl Read, into: &Mutex<String>) {
    let mut buffer = [0; 4096];
    while let Ok(count) = from.read(&mut buffer) {
        if count == 0 {
            return;
        }
        note(
            into,
            &String::from_utf8_lossy(buffer.get(..count).unwrap_or_default()),
        );
    }
}

fn note(into: &Mutex<String>, text: &str) {
    into.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push_str(text);
}
