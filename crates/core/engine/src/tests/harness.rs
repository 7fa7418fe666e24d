//! Engines, servers and the links between them, on a virtual clock.

mod scram;
pub mod server;
mod xml;

use std::collections::{BTreeMap, VecDeque};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use sotto_api::view::{
    AccountState, AccountView, CertificateSummary, CertificateView, ConversationView, MessageView,
};
use sotto_api::{
    AccountId, AccountSettings, ApiError, ConversationId, Event, Outcome, Reply, Request, Secret,
    Timestamp,
};
use sotto_store::{ProfileDir, Store};

use crate::io::{
    ClientId, CloseReason, DialPlan, Input, LinkCommand, LinkEvent, LinkId, Now, Output,
    SharedRecord, TlsEstablished,
};
use crate::{Engine, EngineConfig};
use server::{Conn, Server};

/// Name of the one server of most tests.
pub const DOMAIN: &str = "example.org";
pub const PASSWORD: &str = "right";

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Who(pub usize);

pub struct World {
    pub now: Now,
    pub servers: Vec<Server>,
    players: Vec<Player>,
    seed: u64,
}

/// Most tests are about messages as they are: no private conversation comes about by itself.
fn store_without_private(clear: Option<&Path>) -> Store {
    let store = match clear {
        Some(file) => Store::open_file(file, None).expect("it opens"),
        None => Store::in_memory().expect("a store"),
    };
    store
        .policy_global_set(sotto_api::view::Policy::Off)
        .expect("a store in memory takes it");
    store
}

struct Player {
    engine: Option<Engine>,
    /// A profile on disk; its engine opens the store itself.
    profile: Option<ProfileDir>,
    store: Option<Store>,
    /// Where the store lies, unsealed, so that its bytes can be searched; else it is in memory.
    clear: Option<PathBuf>,
    links: BTreeMap<LinkId, Wire>,
    events: Vec<Event>,
    replies: BTreeMap<u64, Outcome>,
    next_request: u64,
    seed: u64,
    /// No new connection is made.
    cut_off: bool,
    /// Slow work is not done before this is over.
    holds_work: bool,
    held: Vec<(crate::io::WorkId, crate::io::WorkJob)>,
    /// What dials see, in place of a good certificate.
    certificate: Option<CertificateView>,
    pub dialled: Vec<DialPlan>,
    /// So many jobs are still done, then none comes back; absent: all.
    work_left: Option<u32>,
    pub ended: bool,
    /// Where the log goes.
    log: Option<SharedRecord>,
}

/// One connection: bytes on their way, both ways.
struct Wire {
    server: usize,
    conn: Conn,
    to_server: VecDeque<Vec<u8>>,
    to_client: VecDeque<Vec<u8>>,
    /// The client asked to close; what is queued still goes.
    closing: bool,
}

impl World {
    pub fn new() -> Self {
        Self {
            now: Now {
                instant: Instant::now(),
                unix_ms: 1_750_000_000_000,
            },
            servers: vec![Server::new(DOMAIN)],
            players: Vec::new(),
            seed: 1,
        }
    }

    /// A world in which these people have accounts and see each other's presence, each at their own
    /// engine, signed in.
    pub fn of(names: &[&str]) -> (Self, Vec<Who>) {
        let mut world = Self::new();
        for name in names {
            world.servers[0].add_user(name, PASSWORD);
        }
        for name in names {
            for other in names.iter().filter(|other| *other != name) {
                let jid = format!("{other}@{DOMAIN}");
                world.servers[0].add_contact(name, &jid, "both");
            }
        }
        let mut all = Vec::new();
        for name in names {
            let who = world.add_player();
            world.sign_in(who, name);
            all.push(who);
        }
        (world, all)
    }

    /// Somebody whose profile lies on disk. It is not made yet.
    pub fn add_profile(&mut self, folder: &Path) -> Who {
        let profile = ProfileDir::open(folder).expect("a profile's folder");
        self.add(Some(profile), None)
    }

    /// Somebody whose store lies in a file that is not sealed.
    pub fn add_in_clear(&mut self, file: &Path) -> Who {
        self.add(None, Some(file.to_owned()))
    }

    pub fn add_player(&mut self) -> Who {
        self.add(None, None)
    }

    fn add(&mut self, profile: Option<ProfileDir>, clear: Option<PathBuf>) -> Who {
        self.seed += 1;
        let who = Who(self.players.len());
        let mut player = Player {
            engine: None,
            store: profile
                .is_none()
                .then(|| store_without_private(clear.as_deref())),
            profile,
            clear,
            links: BTreeMap::new(),
            events: Vec::new(),
            replies: BTreeMap::new(),
            next_request: 1,
            seed: self.seed * 1_000_003,
            cut_off: false,
            holds_work: false,
            held: Vec::new(),
            certificate: None,
            dialled: Vec::new(),
            work_left: None,
            ended: false,
            log: None,
        };
        player.start(self.now);
        self.players.push(player);
        who
    }

    /// Adds an account and lets it sign in.
    pub fn sign_in(&mut self, who: Who, name: &str) -> AccountId {
        let account = self.add_account(who, &format!("{name}@{DOMAIN}"), PASSWORD, true);
        self.settle();
        assert_eq!(self.account(who, account).state, AccountState::Online);
        account
    }

    pub fn add_account(
        &mut self,
        who: Who,
        address: &str,
        password: &str,
        remember: bool,
    ) -> AccountId {
        let reply = self.ask(
            who,
            Request::AccountAdd {
                network: "xmpp".into(),
                address: address.into(),
                password: Some(Secret::new(password.into())),
                remember,
                settings: AccountSettings::default(),
            },
        );
        match reply {
            Reply::Account(account) => account.id,
            other => panic!("{other:?}"),
        }
    }

    // ---- asking ------------------------------------------------------------------------------

    pub fn try_ask(&mut self, who: Who, request: Request) -> Result<Reply, ApiError> {
        let id = self.post(who, request);
        self.pump(who);
        for _ in 0..100 {
            if let Some(outcome) = self.players[who.0].replies.remove(&id) {
                return match outcome {
                    Outcome::Ok(reply) => Ok(reply),
                    Outcome::Error(error) => Err(error),
                };
            }
            self.deliver_some();
        }
        panic!("a request was not answered")
    }

    /// Asks for something that takes a while; meanwhile everything else goes on.
    pub fn ask_for_long(&mut self, who: Who, request: Request) -> Reply {
        let id = self.post(who, request);
        for _ in 0..10_000 {
            self.pass(Duration::from_millis(10));
            if let Some(outcome) = self.players[who.0].replies.remove(&id) {
                return match outcome {
                    Outcome::Ok(reply) => reply,
                    Outcome::Error(error) => panic!("{error}"),
                };
            }
        }
        panic!("a request was not answered")
    }

    pub fn ask(&mut self, who: Who, request: Request) -> Reply {
        let shown = format!("{request:?}");
        self.try_ask(who, request)
            .unwrap_or_else(|error| panic!("{shown}: {error}"))
    }

    /// Asks, and does not wait for the answer.
    pub fn tell(&mut self, who: Who, request: Request) {
        self.post(who, request);
        self.pump(who);
    }

    fn post(&mut self, who: Who, request: Request) -> u64 {
        let now = self.now;
        let player = &mut self.players[who.0];
        let id = player.next_request;
        player.next_request += 1;
        let engine = player.engine.as_mut().expect("a running engine");
        engine.handle(
            Input::Request {
                client: ClientId(1),
                id,
                request,
            },
            now,
        );
        id
    }

    pub fn account(&mut self, who: Who, account: AccountId) -> AccountView {
        self.accounts(who)
            .into_iter()
            .find(|view| view.id == account)
            .expect("the account")
    }

    pub fn accounts(&mut self, who: Who) -> Vec<AccountView> {
        match self.ask(who, Request::AccountList {}) {
            Reply::Accounts(accounts) => accounts,
            other => panic!("{other:?}"),
        }
    }

    pub fn open(&mut self, who: Who, address: &str) -> ConversationView {
        let account = self.accounts(who)[0].id;
        let request = Request::ConversationOpen {
            account,
            address: address.into(),
        };
        match self.ask(who, request) {
            Reply::Conversation(view) => view,
            other => panic!("{other:?}"),
        }
    }

    pub fn conversation(&mut self, who: Who, conversation: ConversationId) -> ConversationView {
        match self.ask(who, Request::ConversationView { conversation }) {
            Reply::Conversation(view) => view,
            other => panic!("{other:?}"),
        }
    }

    pub fn conversations(&mut self, who: Who) -> Vec<ConversationView> {
        match self.ask(who, Request::ConversationList { limit: 500 }) {
            Reply::Conversations(views) => views,
            other => panic!("{other:?}"),
        }
    }

    /// Writes a message to an address; it is not delivered before [`World::settle`].
    pub fn say(&mut self, who: Who, address: &str, body: &str) -> MessageView {
        let conversation = self.open(who, address).id;
        self.say_in(who, conversation, body)
    }

    pub fn say_in(&mut self, who: Who, conversation: ConversationId, body: &str) -> MessageView {
        let request = Request::MessageSend {
            conversation,
            body: body.into(),
        };
        match self.ask(who, request) {
            Reply::Message(view) => view,
            other => panic!("{other:?}"),
        }
    }

    /// Everything in a conversation, the oldest first.
    pub fn history(&mut self, who: Who, address: &str) -> Vec<MessageView> {
        let conversation = self.open(who, address).id;
        let mut all: Vec<MessageView> = Vec::new();
        loop {
            let request = Request::MessagePage {
                conversation,
                before: all.first().map(|message| message.id),
                after: None,
                limit: 500,
            };
            let Reply::Messages(page) = self.ask(who, request) else {
                panic!("no page")
            };
            if page.messages.is_empty() {
                return all;
            }
            all.splice(..0, page.messages);
        }
    }

    pub fn bodies(&mut self, who: Who, address: &str) -> Vec<String> {
        self.history(who, address)
            .into_iter()
            .map(|message| message.body)
            .collect()
    }

    pub fn take_events(&mut self, who: Who) -> Vec<Event> {
        std::mem::take(&mut self.players[who.0].events)
    }

    pub fn dialled(&self, who: Who) -> &[DialPlan] {
        &self.players[who.0].dialled
    }

    pub fn log(&self, who: Who) -> Option<&SharedRecord> {
        self.players[who.0].log.as_ref()
    }

    pub fn has_ended(&self, who: Who) -> bool {
        self.players[who.0].ended
    }

    // ---- the network -------------------------------------------------------------------------

    /// Moves one chunk on every link. Whether anything moved.
    pub fn deliver_some(&mut self) -> bool {
        let mut moved = false;
        for index in 0..self.players.len() {
            let who = Who(index);
            moved |= self.pump(who);
            let links: Vec<LinkId> = self.players[index].links.keys().copied().collect();
            for link in links {
                moved |= self.deliver_up(who, link);
                moved |= self.deliver_down(who, link);
            }
        }
        moved
    }

    fn deliver_up(&mut self, who: Who, link: LinkId) -> bool {
        let Some(wire) = self.players[who.0].links.get_mut(&link) else {
            return false;
        };
        let server = wire.server;
        if self.servers[server].frozen {
            return false;
        }
        if let Some(bytes) = wire.to_server.pop_front() {
            let conn = wire.conn;
            self.servers[server].clock = self.now.unix_ms;
            self.servers[server].receive(conn, &bytes);
            self.collect(server);
            return true;
        }
        if wire.closing && wire.to_client.is_empty() {
            self.end(who, link, CloseReason::ByUs);
            return true;
        }
        false
    }

    fn deliver_down(&mut self, who: Who, link: LinkId) -> bool {
        let now = self.now;
        let player = &mut self.players[who.0];
        let Some(wire) = player.links.get_mut(&link) else {
            return false;
        };
        if let Some(bytes) = wire.to_client.pop_front() {
            if let Some(engine) = &mut player.engine {
                engine.handle(
                    Input::Link {
                        link,
                        event: LinkEvent::Received(bytes),
                    },
                    now,
                );
            }
            self.pump(who);
            return true;
        }
        let conn = wire.conn;
        let server = wire.server;
        if self.servers[server].closed.contains(&conn) {
            self.servers[server].closed.retain(|closed| *closed != conn);
            self.end(who, link, CloseReason::Eof);
            return true;
        }
        false
    }

    /// Moves what a server wrote onto the links.
    fn collect(&mut self, server: usize) {
        while let Some((conn, bytes)) = self.servers[server].out.pop_front() {
            let wire = self
                .players
                .iter_mut()
                .flat_map(|player| player.links.values_mut())
                .find(|wire| wire.server == server && wire.conn == conn);
            if let Some(wire) = wire {
                wire.to_client.push_back(bytes);
            }
        }
    }

    /// Delivers everything until nothing moves; the clock stands still.
    pub fn settle(&mut self) {
        for server in 0..self.servers.len() {
            self.collect(server);
        }
        for _ in 0..1_000_000 {
            if !self.deliver_some() {
                return;
            }
        }
        panic!("the world does not come to rest");
    }

    /// Lets time pass, timers and deliveries in their order.
    pub fn pass(&mut self, time: Duration) {
        let end = self.now.instant + time;
        loop {
            self.settle();
            let next = self
                .players
                .iter()
                .filter_map(|player| player.engine.as_ref()?.poll_timeout())
                .min();
            let Some(next) = next.filter(|next| *next <= end) else {
                break;
            };
            self.set_instant(next.max(self.now.instant));
            let now = self.now;
            for index in 0..self.players.len() {
                if let Some(engine) = &mut self.players[index].engine
                    && engine.poll_timeout().is_some_and(|at| at <= now.instant)
                {
                    engine.handle_timeout(now);
                    assert!(
                        engine.poll_timeout().is_none_or(|at| at > now.instant),
                        "a timer does not go away"
                    );
                    self.pump(Who(index));
                }
            }
        }
        self.set_instant(end);
        self.settle();
    }

    fn set_instant(&mut self, instant: Instant) {
        let passed = instant.saturating_duration_since(self.now.instant);
        self.now.unix_ms += passed.as_millis() as i64;
        self.now.instant = instant;
    }

    /// Breaks every link of somebody. What was on its way is lost.
    pub fn cut(&mut self, who: Who) {
        let links: Vec<LinkId> = self.players[who.0].links.keys().copied().collect();
        for link in links {
            self.end(who, link, CloseReason::Io("reset".into()));
        }
    }

    /// After so many jobs none comes back any more, as if each took for ever; absent: all do.
    pub fn limit_work(&mut self, who: Who, jobs: Option<u32>) {
        self.players[who.0].work_left = jobs;
    }

    /// Asks for something that is not answered for now.
    pub fn ask_later(&mut self, who: Who, request: Request) -> u64 {
        let id = self.post(who, request);
        self.pump(who);
        assert!(self.answer(who, id).is_none(), "it was answered at once");
        id
    }

    /// The answer to [`World::ask_later`], if it is there.
    pub fn answer(&mut self, who: Who, id: u64) -> Option<Result<Reply, ApiError>> {
        let outcome = self.players[who.0].replies.remove(&id)?;
        Some(match outcome {
            Outcome::Ok(reply) => Ok(reply),
            Outcome::Error(error) => Err(error),
        })
    }

    /// From now on dials fail, or work again.
    pub fn cut_off(&mut self, who: Who, on: bool) {
        self.players[who.0].cut_off = on;
        if on {
            self.cut(who);
        }
    }

    /// From now on slow work is not done, or what was held up is.
    pub fn hold_work(&mut self, who: Who, on: bool) {
        self.players[who.0].holds_work = on;
        if !on {
            self.run_held(who);
        }
    }

    /// Does the work that was held up. Whether there was any.
    pub fn run_held(&mut self, who: Who) -> bool {
        let held = std::mem::take(&mut self.players[who.0].held);
        let any = !held.is_empty();
        for (work, job) in held {
            let result = job.run();
            let engine = self.players[who.0].engine.as_mut();
            let engine = engine.expect("a running engine");
            engine.handle(Input::WorkDone { work, result }, self.now);
        }
        self.pump(who);
        any
    }

    pub fn network_up(&mut self, who: Who) {
        let now = self.now;
        if let Some(engine) = &mut self.players[who.0].engine {
            engine.handle(Input::NetworkUp, now);
        }
        self.pump(who);
    }

    fn end(&mut self, who: Who, link: LinkId, reason: CloseReason) {
        let now = self.now;
        let player = &mut self.players[who.0];
        if let Some(wire) = player.links.remove(&link) {
            self.servers[wire.server].disconnect(wire.conn);
        }
        if let Some(engine) = &mut self.players[who.0].engine {
            engine.handle(
                Input::Link {
                    link,
                    event: LinkEvent::Closed(reason),
                },
                now,
            );
        }
        self.pump(who);
    }

    /// Nothing of somebody's can be kept, as on a full disk, or it can again.
    pub fn fill_disk(&mut self, who: Who, on: bool) {
        let engine = self.players[who.0].engine.as_ref();
        let engine = engine.expect("a running engine");
        engine.store().let_commits_fail(on);
    }

    /// The store of somebody whose program does not run.
    pub fn look_at_store(&self, who: Who, look: impl FnOnce(&Store)) {
        look(self.players[who.0].store.as_ref().expect("a store"));
    }

    /// Changes a store between two runs of an engine.
    pub fn with_store(&mut self, who: Who, work: impl FnOnce(&Store)) {
        self.kill(who);
        self.look_at_store(who, work);
        self.restart(who);
        self.pass(Duration::from_secs(5));
    }

    /// The process dies: nothing is said to anybody, only the store stays.
    pub fn kill(&mut self, who: Who) {
        let player = &mut self.players[who.0];
        let engine = player.engine.take().expect("a running engine");
        let store = engine.kill();
        player.store = match &player.clear {
            // What was in memory is gone.
            Some(file) => {
                drop(store);
                Some(Store::open_file(file, None).expect("it opens"))
            }
            None => Some(store.as_after_a_restart().expect("a store in memory")),
        };
        let links = std::mem::take(&mut player.links);
        for wire in links.into_values() {
            // What has left the process still arrives.
            if !self.servers[wire.server].frozen {
                for bytes in &wire.to_server {
                    self.servers[wire.server].receive(wire.conn, bytes);
                }
            }
            self.servers[wire.server].disconnect(wire.conn);
        }
        for server in 0..self.servers.len() {
            self.collect(server);
        }
    }

    pub fn restart(&mut self, who: Who) {
        let now = self.now;
        self.players[who.0].start(now);
        self.pump(who);
    }

    pub fn show_certificate(&mut self, who: Who, certificate: Option<CertificateView>) {
        self.players[who.0].certificate = certificate;
    }

    /// Carries out what an engine wants. Whether it wanted anything.
    pub fn pump(&mut self, who: Who) -> bool {
        let mut moved = false;
        loop {
            let player = &mut self.players[who.0];
            let Some(engine) = &mut player.engine else {
                return moved;
            };
            let Some(output) = engine.poll_output() else {
                return moved;
            };
            moved = true;
            match output {
                Output::Reply { id, outcome, .. } => {
                    player.replies.insert(id, outcome);
                }
                Output::Event(event) => player.events.push(event),
                Output::Work { work, job } if player.holds_work => player.held.push((work, job)),
                Output::Work { work, job } => {
                    match &mut player.work_left {
                        Some(0) => continue,
                        Some(left) => *left -= 1,
                        None => {}
                    }
                    let result = job.run();
                    engine.handle(Input::WorkDone { work, result }, self.now);
                }
                Output::Picture { work, job } => {
                    let result = job.run(crate::picture::decode);
                    engine.handle(Input::WorkDone { work, result }, self.now);
                }
                Output::Quit => player.ended = true,
                Output::Log(log) => player.log = log,
                Output::Link { link, command } => self.command(who, link, command),
            }
        }
    }

    fn command(&mut self, who: Who, link: LinkId, command: LinkCommand) {
        let player = &mut self.players[who.0];
        match command {
            LinkCommand::Dial(plan) => self.dial(who, link, *plan),
            LinkCommand::StartTls => panic!("the link is TLS already"),
            LinkCommand::Transmit(bytes) => {
                if let Some(wire) = player.links.get_mut(&link) {
                    wire.to_server.push_back(bytes);
                }
            }
            LinkCommand::Close => {
                if let Some(wire) = player.links.get_mut(&link) {
                    wire.closing = true;
                }
            }
        }
    }

    fn dial(&mut self, who: Who, link: LinkId, plan: DialPlan) {
        let server = self
            .servers
            .iter()
            .position(|server| server.domain == plan.domain);
        let player = &mut self.players[who.0];
        let shown = player.certificate.clone();
        let cut_off = player.cut_off;
        let accepted = plan.accepted_keys.clone();
        player.dialled.push(plan);
        if let Some(chain) = shown
            && !accepted
                .iter()
                .any(|key| hex(key) == chain.summary.key_sha256)
        {
            let reason = "UnknownIssuer".into();
            return self.end(who, link, CloseReason::Certificate { reason, chain });
        }
        let Some(server) = server.filter(|_| !cut_off) else {
            return self.end(who, link, CloseReason::Unreachable("no route".into()));
        };
        let conn = self.servers[server].connect();
        self.players[who.0].links.insert(
            link,
            Wire {
                server,
                conn,
                to_server: VecDeque::new(),
                to_client: VecDeque::new(),
                closing: false,
            },
        );
        let now = self.now;
        if let Some(engine) = &mut self.players[who.0].engine {
            let tls = Some(TlsEstablished {
                exporter: None,
                server_end_point: None,
                tls13: true,
                cipher: "TLS13_AES_256_GCM_SHA384".into(),
                certificate: certificate(1),
            });
            engine.handle(
                Input::Link {
                    link,
                    event: LinkEvent::Dialed {
                        tls,
                        peer: "127.0.0.1:5223".into(),
                    },
                },
                now,
            );
        }
    }
}

impl Player {
    fn start(&mut self, now: Now) {
        self.seed += 1;
        let mut state = self.seed;
        let random = move |buffer: &mut [u8]| {
            for byte in buffer {
                // SplitMix64: enough for ids that must differ.
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mut mixed = state;
                mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                *byte = (mixed >> 32) as u8;
            }
        };
        let config = EngineConfig {
            profile: self.profile.clone().unwrap_or_else(folder),
            random: Box::new(random),
            software: "Sotto 0.1.0".into(),
        };
        if self.profile.is_some() {
            self.engine = Some(Engine::new(config, now));
            return;
        }
        let store = self.store.take().expect("a store");
        self.engine = Some(Engine::with_store(config, store, now));
    }
}

/// A folder that no test writes into: their stores are in memory.
fn folder() -> ProfileDir {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    let folder = FOLDER.get_or_init(|| tempfile::tempdir().expect("a folder"));
    ProfileDir::open(&folder.path().join("profile")).expect("a profile's folder")
}

/// A certificate; each number has a key of its own.
pub fn certificate(number: u8) -> CertificateView {
    CertificateView {
        summary: CertificateSummary {
            subject: DOMAIN.into(),
            issuer: "itself (nobody vouches)".into(),
            not_before: Timestamp(0),
            not_after: Timestamp(i64::MAX),
            sha256: hex(&[number; 32]),
            key_sha256: hex(&[number; 32]),
        },
        names: vec![DOMAIN.into()],
        pem: String::new(),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
