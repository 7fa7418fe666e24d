//! People whose program's OTR we did not write.

use std::path::PathBuf;

use serde_json::{Value, json};
use sotto_testkit::rpc::Step;
use tempfile::TempDir;

use crate::peer::{Library, Peer};
use crate::world::{PASSWORD, World};

/// How a check of a secret came out, as a program told it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Both said the same.
    Right,
    /// They did not.
    Wrong,
    /// Somebody stopped it.
    Stopped,
}

/// Somebody who talks privately with one address. Every wait has a deadline.
pub trait Foreign {
    /// Its bare address.
    fn address(&self) -> String;

    /// The code of its own key: forty small digits.
    ///
    /// # Errors
    /// When it has none.
    fn code(&mut self) -> Step<String>;

    /// Asks for a private conversation.
    ///
    /// # Errors
    /// When it cannot.
    fn begin(&mut self) -> Step;

    /// Waits until a private conversation stands; gives the code of the other side's key.
    ///
    /// # Errors
    /// When none comes about.
    fn private(&mut self) -> Step<String>;

    /// Writes privately.
    ///
    /// # Errors
    /// When it cannot.
    fn say(&mut self, body: &str) -> Step;

    /// Waits until it has read this text, that came privately.
    ///
    /// # Errors
    /// When it does not come.
    fn hears(&mut self, body: &str) -> Step;

    /// Begins a check, by a question or by a secret that both know.
    ///
    /// # Errors
    /// When it cannot.
    fn ask(&mut self, question: Option<&str>, secret: &str) -> Step;

    /// Waits until it is asked.
    ///
    /// # Errors
    /// When it is not, or with other words.
    fn asked(&mut self, question: Option<&str>) -> Step;

    /// Answers a question, or with the secret.
    ///
    /// # Errors
    /// When it cannot.
    fn answer(&mut self, question: Option<&str>, secret: &str) -> Step;

    /// Waits until it tells how a check came out.
    ///
    /// # Errors
    /// When it does not.
    fn outcome(&mut self, outcome: Outcome) -> Step;

    /// Ends the private conversation.
    ///
    /// # Errors
    /// When it cannot.
    fn end(&mut self) -> Step;

    /// Waits until the other side has ended the private conversation.
    ///
    /// # Errors
    /// When it has not.
    fn over(&mut self) -> Step;

    /// Ends the program without a word to anybody and starts it again, with the same keys.
    ///
    /// # Errors
    /// When it does not get online again.
    fn restart(&mut self) -> Step;
}

/// A slixmpp with libotr or potr.
pub struct Scripted<'a> {
    world: World<'a>,
    library: Library,
    folder: TempDir,
    name: String,
    with: String,
    peer: Peer,
}

impl<'a> Scripted<'a> {
    /// Signs in with a fresh account, to talk with `with`.
    ///
    /// # Errors
    /// When it does not get online.
    pub fn start(world: &World<'a>, library: Library, with: &str) -> Step<Self> {
        let folder = tempfile::tempdir()?;
        let name = world.name("foreign");
        world.server.add_account(&name, PASSWORD)?;
        let peer = sign_in(world, library, folder.path().to_owned(), &name)?;
        Ok(Self {
            world: *world,
            library,
            folder,
            name,
            with: with.to_owned(),
            peer,
        })
    }

    /// The client below.
    pub fn peer(&mut self) -> &mut Peer {
        &mut self.peer
    }

    /// Splits what it sends into parts of this many bytes.
    ///
    /// # Errors
    /// When it does not take it.
    pub fn size(&mut self, bytes: usize) -> Step {
        self.peer.tell(&json!({ "do": "size", "count": bytes }))
    }

    /// Waits until a private conversation stands; gives its version.
    ///
    /// # Errors
    /// When none comes about.
    pub fn version(&mut self) -> Step<u64> {
        let event = self.peer.wait("private", |_| true)?;
        Ok(event["version"].as_u64().unwrap_or_default())
    }

    /// Stops a check.
    ///
    /// # Errors
    /// When it does not take it.
    pub fn stop(&mut self) -> Step {
        self.tell("stop", &json!({}))
    }

    fn tell(&mut self, what: &str, more: &Value) -> Step {
        let mut command = json!({ "do": what, "to": self.with });
        if let (Some(command), Some(more)) = (command.as_object_mut(), more.as_object()) {
            command.extend(more.clone());
        }
        self.peer.tell(&command)
    }
}

fn sign_in(world: &World<'_>, library: Library, folder: PathBuf, name: &str) -> Step<Peer> {
    Peer::start_with_otr(world.tools, library, &folder, world.server, name, PASSWORD)
}

impl Foreign for Scripted<'_> {
    fn address(&self) -> String {
        self.peer.address().to_owned()
    }

    fn code(&mut self) -> Step<String> {
        self.peer.tell(&json!({ "do": "code" }))?;
        let event = self.peer.wait("code", |_| true)?;
        Ok(event["code"].as_str().unwrap_or_default().to_owned())
    }

    fn begin(&mut self) -> Step {
        self.tell("begin", &json!({}))
    }

    fn private(&mut self) -> Step<String> {
        let event = self.peer.wait("private", |_| true)?;
        Ok(event["code"].as_str().unwrap_or_default().to_owned())
    }

    fn say(&mut self, body: &str) -> Step {
        self.tell("say", &json!({ "body": body }))
    }

    fn hears(&mut self, body: &str) -> Step {
        self.peer
            .wait("private_message", |e| e["body"] == body)
            .map(drop)
    }

    fn ask(&mut self, question: Option<&str>, secret: &str) -> Step {
        self.peer.forget("check");
        self.tell("ask", &json!({ "question": question, "secret": secret }))
    }

    fn asked(&mut self, question: Option<&str>) -> Step {
        let wanted = question.unwrap_or_default();
        self.peer.wait("check", |e| {
            e["state"] == "asked" && e["question"] == wanted
        })?;
        self.peer.forget("check");
        Ok(())
    }

    fn answer(&mut self, _question: Option<&str>, secret: &str) -> Step {
        self.tell("answer", &json!({ "secret": secret }))
    }

    fn outcome(&mut self, outcome: Outcome) -> Step {
        let wanted = match outcome {
            Outcome::Right => "succeeded",
            Outcome::Wrong => "failed",
            Outcome::Stopped => "stopped",
        };
        self.peer.wait("check", |e| e["state"] == wanted).map(drop)
    }

    fn end(&mut self) -> Step {
        self.tell("end", &json!({}))
    }

    fn over(&mut self) -> Step {
        self.peer.wait("over", |_| true).map(drop)
    }

    fn restart(&mut self) -> Step {
        self.peer.end()?;
        self.peer = sign_in(
            &self.world,
            self.library,
            self.folder.path().to_owned(),
            &self.name,
        )?;
        Ok(())
    }
}
