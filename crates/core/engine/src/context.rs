use sotto_api::view::Settings;
use sotto_api::{ApiError, Outcome, Reply, RequestId, Timestamp};
use sotto_store::Store;

use crate::changes::Changes;
use crate::io::{ClientId, Now, Output, PictureJob, WorkId, WorkJob};
use crate::io::{LinkCommand, LinkId};
use crate::networks::Networks;
use crate::record::Recorder;

/// Random bytes, as an argument of the engine.
pub(crate) type Random = Box<dyn FnMut(&mut [u8]) + Send>;

/// A request that will be answered later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ReplyTo {
    pub client: ClientId,
    pub id: RequestId,
}

/// What a request's handler gives: the reply, or nothing yet (then [`Context::answer`] gives it).
pub(crate) type Answer = Result<Option<Reply>, ApiError>;

/// What a module may use while it handles one input. Not the accounts: those are arguments.
pub(crate) struct Context<'a> {
    pub now: Now,
    pub store: &'a Store,
    pub settings: &'a Settings,
    pub networks: &'a Networks,
    /// Name and version of the program, for example `Sotto 0.1.0`.
    pub software: &'a str,
    /// What changed; becomes events.
    pub changes: &'a mut Changes,
    pub effects: &'a mut Effects,
}

impl<'a> Context<'a> {
    /// The wall clock.
    pub fn timestamp(&self) -> Timestamp {
        Timestamp(self.now.unix_ms)
    }

    /// The person's language, BCP 47; empty when it is the system's.
    pub fn language(&self) -> &'a str {
        &self.settings.language
    }

    /// Answers a request for which the handler gave no reply.
    pub fn answer(&mut self, to: ReplyTo, answer: Result<Reply, ApiError>) {
        self.effects.answer(to, answer);
    }

    /// A fresh id of 128 random bits, for stanzas and files.
    pub fn random_id(&mut self) -> String {
        self.effects.random_id()
    }
}

/// What goes out, and the sources of everything that must be fresh.
pub(crate) struct Effects {
    pub outputs: std::collections::VecDeque<Output>,
    pub random: Random,
    /// What is recorded for finding faults.
    pub records: Recorder,
    next_link: u64,
    next_work: u64,
}

impl Effects {
    pub fn new(random: Random) -> Self {
        Self {
            outputs: std::collections::VecDeque::new(),
            random,
            records: Recorder::default(),
            next_link: 1,
            next_work: 1,
        }
    }

    pub fn answer(&mut self, to: ReplyTo, answer: Result<Reply, ApiError>) {
        let outcome = match answer {
            Ok(reply) => Outcome::Ok(reply),
            Err(error) => Outcome::Error(error),
        };
        self.outputs.push_back(Output::Reply {
            client: to.client,
            id: to.id,
            outcome,
        });
    }

    pub fn random_id(&mut self) -> String {
        let mut bytes = [0; 16];
        (self.random)(&mut bytes);
        bytes.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// A connection that does not exist yet; begin it with [`LinkCommand::Dial`].
    pub fn new_link(&mut self) -> LinkId {
        let link = LinkId(self.next_link);
        self.next_link += 1;
        link
    }

    pub fn link(&mut self, link: LinkId, command: LinkCommand) {
        self.outputs.push_back(Output::Link { link, command });
    }

    /// Starts slow work; its result comes back with the id.
    pub fn work(&mut self, job: WorkJob) -> WorkId {
        let work = self.new_work();
        self.outputs.push_back(Output::Work { work, job });
        work
    }

    /// Has a picture decoded; what became of it comes back with the id.
    pub fn picture(&mut self, job: PictureJob) -> WorkId {
        let work = self.new_work();
        self.outputs.push_back(Output::Picture { work, job });
        work
    }

    fn new_work(&mut self) -> WorkId {
        let work = WorkId(self.next_work);
        self.next_work += 1;
        work
    }
}

/// What outlives the opening and closing of a profile.
pub(crate) struct Shared {
    pub now: Now,
    pub software: String,
    pub networks: Networks,
    pub changes: Changes,
    pub effects: Effects,
}
