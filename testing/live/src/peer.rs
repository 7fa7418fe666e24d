//! The scripted peer that we did not write: slixmpp, run by `peer.py`; with OTR by `otr_peer.py`.

use std::ffi::OsString;
use std::io::{BufRead, BufReader, Read, Write};
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::Value;
use sotto_testkit::rpc::{Failure, Step};

use crate::server::Server;
use crate::world::Tools;

/// Which OTR a peer speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Library {
    /// libotr 4.1.1: versions 2 and 3.
    Libotr,
    /// Debian's python3-potr: version 2.
    Potr,
}

/// The longest wait for one event of the peer.
const LIMIT: Duration = Duration::from_secs(90);

/// A running peer. Dropping it ends it.
pub struct Peer {
    address: String,
    child: Child,
    input: ChildStdin,
    events: Receiver<Value>,
    /// Heard, but not what was waited for; a later wait may want it.
    kept: Vec<Value>,
}

impl Peer {
    /// Signs in at `server` and waits until it is online.
    ///
    /// # Errors
    /// When it cannot be run or does not get online.
    pub fn start(
        python: &Path,
        ca: &Path,
        server: &Server,
        name: &str,
        password: &str,
    ) -> Step<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/peer.py");
        Self::run(python, script, &[], ca, server, name, password)
    }

    /// The same with OTR that we did not write; its keys lie in `folder` and outlive it.
    ///
    /// # Errors
    /// When it cannot be run or does not get online.
    pub fn start_with_otr(
        tools: &Tools,
        library: Library,
        folder: &Path,
        server: &Server,
        name: &str,
        password: &str,
    ) -> Step<Self> {
        let script = concat!(env!("CARGO_MANIFEST_DIR"), "/otr_peer.py");
        let mut options = vec!["--folder".into(), folder.as_os_str().to_owned()];
        match library {
            Library::Libotr => options.extend(["--libotr".into(), tools.libotr()?.into()]),
            Library::Potr => options.push("--potr".into()),
        }
        let (python, ca) = (&tools.python, &tools.ca);
        Self::run(python, script, &options, ca, server, name, password)
    }

    fn run(
        python: &Path,
        script: &str,
        options: &[OsString],
        ca: &Path,
        server: &Server,
        name: &str,
        password: &str,
    ) -> Step<Self> {
        let address = format!("{name}@{}", server.domain);
        let to = server.starttls();
        let mut child = Command::new(python)
            .arg(script)
            .args([
                &format!("{address}/slixmpp"),
                &to.ip().to_string(),
                &to.port().to_string(),
            ])
            .arg("--ca")
            .arg(ca)
            .args(options)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|e| Failure::new(format!("{} cannot be run: {e}", python.display())))?;
        let (Some(mut input), Some(output), Some(mut errors)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(Failure::new("the peer has no pipes"));
        };
        writeln!(input, "{password}")?;
        let (sender, events) = channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line)
                    && sender.send(event).is_err()
                {
                    return;
                }
            }
            let mut said = String::new();
            let _ = errors.read_to_string(&mut said);
            let _ = sender.send(serde_json::json!({ "event": "ended", "said": said }));
        });
        let mut peer = Self {
            address,
            child,
            input,
            events,
            kept: Vec::new(),
        };
        peer.wait("online", |_| true)?;
        Ok(peer)
    }

    /// Its bare address.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Gives it a command.
    ///
    /// # Errors
    /// When it does not take it.
    pub fn tell(&mut self, command: &Value) -> Step {
        writeln!(self.input, "{command}")?;
        self.input.flush()?;
        Ok(())
    }

    /// Sends a message and gives its id.
    ///
    /// # Errors
    /// When it does not.
    pub fn send(&mut self, to: &str, body: &str) -> Step<String> {
        self.tell(&serde_json::json!({ "do": "send", "to": to, "body": body }))?;
        let sent = self.wait("sent", |e| e["body"] == body)?;
        Ok(sent["id"].as_str().unwrap_or_default().to_owned())
    }

    /// Waits for a message with this text.
    ///
    /// # Errors
    /// When it does not come.
    pub fn message(&mut self, body: &str) -> Step<Value> {
        self.wait("message", |e| e["body"] == body)
    }

    /// Kills it and waits until it is gone.
    ///
    /// # Errors
    /// When it cannot be waited for.
    pub fn end(&mut self) -> Step {
        self.child.kill()?;
        self.child.wait()?;
        Ok(())
    }

    /// Forgets what was heard of one kind and not waited for.
    pub fn forget(&mut self, kind: &str) {
        self.kept.retain(|event| event["event"] != kind);
    }

    /// Whether these words stand in anything that was heard before the last event that was waited for.
    pub fn heard(&self, words: &str) -> bool {
        self.kept.iter().any(|e| e.to_string().contains(words))
    }

    /// One field of every event of a kind that was heard and not waited for.
    pub fn all(&self, kind: &str, field: &str) -> Vec<String> {
        let events = self.kept.iter().filter(|event| event["event"] == kind);
        events
            .filter_map(|event| event[field].as_str())
            .map(str::to_owned)
            .collect()
    }

    /// Waits for an event of a kind that fits; others are kept for later waits.
    ///
    /// # Errors
    /// When it does not come in time.
    pub fn wait(&mut self, kind: &str, fits: impl Fn(&Value) -> bool) -> Step<Value> {
        let wanted = |event: &Value| event["event"] == kind && fits(event);
        if let Some(position) = self.kept.iter().position(wanted) {
            return Ok(self.kept.remove(position));
        }
        let deadline = Instant::now() + LIMIT;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(event) if wanted(&event) => return Ok(event),
                Ok(event) => self.kept.push(event),
                Err(_) => {
                    return Err(Failure::new(format!(
                        "slixmpp {}: no {kind} within {LIMIT:?}; heard {:?}",
                        self.address, self.kept
                    )));
                }
            }
        }
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
