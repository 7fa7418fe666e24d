//! All programs of one peer, as seen from one account.

mod check;
mod data;
mod limits;
mod receive;
mod state;
#[cfg(test)]
mod tests;
mod unproven;

use std::cell::Cell;
use std::collections::VecDeque;
use std::fmt;
use std::time::{Duration, Instant};

use zeroize::Zeroizing;

use crate::Fingerprint;
use crate::ake::{Auth, Commit, Reply};
use crate::config::{Config, Env};
use crate::encoding::Writer;
use crate::event::{Event, InstanceView, SendError, State, TextRef, TransmitKind, Unread};
use crate::fragment::{Reassembly, split};
use crate::instance::{InstanceId, InstanceTag};
use crate::keys::Session;
use crate::query::{self, Form, Versions};
use crate::wire::{self, Header};

pub use self::data::LONGEST_TEXT;

use self::check::Check;
use self::limits::Limits;
use self::unproven::Unproven;

/// Programs of one peer that are told apart.
const INSTANCES: usize = 8;
/// How long an answer to our asking is waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// How long a key exchange may stand half done, and in what time it is counted what a peer makes us do.
const MINUTE: Duration = Duration::from_secs(60);

/// Everything between one account of ours and one bare address.
///
/// Calls put their results into a queue that [`poll_event`](Self::poll_event) empties.
pub struct Conversation {
    own_tag: InstanceTag,
    peers: Vec<Peer>,
    /// DH-Commit Messages that went out without a receiver tag, at most one for each address.
    offered: Vec<Offered>,
    open: Reassembly,
    events: VecDeque<Event>,
    /// We asked for a session; until when somebody may answer.
    waiting: Option<Instant>,
    limits: Limits,
    unproven: Unproven,
    /// The whitespace tag went out, and the peer answered without.
    tag_sent: Cell<bool>,
    tag_refused: bool,
}

/// One program of the peer.
struct Peer {
    id: InstanceId,
    address: String,
    auth: Auth,
    /// When the state of the key exchange last changed.
    auth_since: Option<Instant>,
    message: Message,
    fingerprint: Option<Fingerprint>,
    ssid: [u8; 8],
    first_half: bool,
    check: Check,
    last_sent: Option<Instant>,
    /// The id of our key that the last message of this session was encrypted under; 0 before the first.
    last_keyid: u32,
    /// When we ended the last session.
    ended: Option<Instant>,
}

/// Message state.
enum Message {
    Plaintext,
    Private(Box<Session>),
    Finished,
}

struct Offered {
    version: u8,
    to: String,
    commit: Commit,
    /// Who has answered it.
    used: Vec<InstanceId>,
    since: Instant,
}

impl Peer {
    fn new(id: InstanceId, address: &str) -> Self {
        Self {
            id,
            address: address.to_owned(),
            auth: Auth::None,
            auth_since: None,
            message: Message::Plaintext,
            fingerprint: None,
            ssid: [0; 8],
            first_half: false,
            check: Check::default(),
            last_sent: None,
            last_keyid: 0,
            ended: None,
        }
    }

    fn header(&self, own: InstanceTag, kind: u8) -> Header {
        let (sender, receiver) = match self.id.tag() {
            Some(tag) => (own.get(), tag.get()),
            None => (0, 0),
        };
        Header {
            version: self.id.version(),
            kind,
            sender,
            receiver,
        }
    }

    fn private(&self) -> bool {
        matches!(self.message, Message::Private(_))
    }

    /// The peer's long-term key, the id of our key that the next message is encrypted under, and whether
    /// nothing was encrypted under that one before.
    fn next_key(&self) -> Option<(Fingerprint, (u32, bool))> {
        let Message::Private(session) = &self.message else {
            return None;
        };
        let keyid = session.keyid();
        Some((self.fingerprint?, (keyid, keyid != self.last_keyid)))
    }

    fn view(&self) -> InstanceView {
        let state = match self.message {
            Message::Private(_) => State::Private,
            Message::Finished => State::Finished,
            Message::Plaintext if self.auth.is_none() => State::Plaintext,
            Message::Plaintext => State::Starting,
        };
        InstanceView {
            id: self.id.clone(),
            address: self.address.clone(),
            state,
            version: self.id.version(),
            fingerprint: self.fingerprint,
            session_id: self.private().then_some(self.ssid),
            session_id_first_half: self.first_half,
            smp: self.check.state(),
        }
    }
}

/// Keys and texts are left out.
impl fmt::Debug for Conversation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Conversation")
            .field("instances", &self.peers.len())
            .finish_non_exhaustive()
    }
}

impl Conversation {
    /// A conversation in which nothing was said; `own_tag` is the tag of the account on this device.
    pub fn new(own_tag: InstanceTag) -> Self {
        Self {
            own_tag,
            peers: Vec::new(),
            offered: Vec::new(),
            open: Reassembly::default(),
            events: VecDeque::new(),
            waiting: None,
            limits: Limits::default(),
            unproven: Unproven::default(),
            tag_sent: Cell::new(false),
            tag_refused: false,
        }
    }

    /// The tag of our own program.
    pub fn own_tag(&self) -> InstanceTag {
        self.own_tag
    }

    /// Whether [`receive`](Self::receive) consumes the text: a query, an encoded message, a fragment or
    /// an error message. Text with a whitespace tag is text.
    pub fn is_otr(text: &str) -> bool {
        query::form(text) != Form::Plain
    }

    /// Asks for a session, at the bare address (`None`) or at one full address.
    ///
    /// [`Event::NoAnswer`] follows when none stands 20 s later.
    pub fn start(&mut self, env: &mut Env<'_>, to: Option<&str>) {
        let Some(text) = query::query(versions(env.config)) else {
            return;
        };
        self.waiting = env.now.checked_add(PATIENCE);
        self.tag_refused = false;
        self.events.push_back(Event::Transmit {
            to: to.map(str::to_owned),
            text,
            kind: TransmitKind::Query,
        });
    }

    /// This state is a copy that may be older than what went out from it, here or on another computer: what it
    /// would encrypt next may have been encrypted before (S-OTR-12). Every session counts as ended by the peer, so
    /// that nothing leaves in clear in its place, and from now on this is another instance.
    pub fn abandon(&mut self, own_tag: InstanceTag) {
        for peer in &mut self.peers {
            if peer.private() {
                peer.message = Message::Finished;
            }
            peer.auth = Auth::None;
            peer.auth_since = None;
            peer.check = Check::default();
        }
        self.own_tag = own_tag;
        self.offered.clear();
        self.unproven = Unproven::default();
    }

    /// Nobody can answer what [`start`](Self::start) asked: it came back. [`Event::NoAnswer`] does not follow.
    pub fn give_up(&mut self) {
        self.waiting = None;
    }

    /// Texts for an instance that the peer may not have read, as [`Event::Established`] reports them; for a
    /// program of the peer that is gone. They are not reported again.
    pub fn take_unread(&mut self, instance: &InstanceId) -> Vec<Unread> {
        self.unproven.take(|known| known == instance)
    }

    /// Forgets the texts that `keep` does not want: they are not reported any more, and [`to_bytes`](Self::to_bytes)
    /// does not name them. Whether there were any.
    pub fn retain_texts(&mut self, keep: impl FnMut(TextRef) -> bool) -> bool {
        self.unproven.retain(keep)
    }

    /// [`TextRef::at`] of the oldest text that may be reported yet.
    pub fn oldest_text(&self) -> Option<u64> {
        self.unproven.oldest()
    }

    /// Begins a new key exchange with one instance; a session that stands goes on until it is done.
    ///
    /// # Errors
    /// [`SendError::UnknownInstance`]; [`SendError::NotPrivate`] if its version may not be spoken.
    pub fn refresh(&mut self, env: &mut Env<'_>, instance: &InstanceId) -> Result<(), SendError> {
        let at = self.find(instance).ok_or(SendError::UnknownInstance)?;
        if !speaks(env.config, instance.version()) {
            return Err(SendError::NotPrivate);
        }
        let commit = Commit::new(env);
        let reply = commit.reply();
        if let Some(peer) = self.peers.get_mut(at) {
            peer.auth = Auth::AwaitingDhKey(commit);
            peer.auth_since = Some(env.now);
        }
        self.waiting = env.now.checked_add(PATIENCE);
        self.reply(env, at, &reply);
        Ok(())
    }

    /// Plain text as it should be sent: with the whitespace tag where [`Config::offer`] says so and the
    /// peer has not answered such a text in clear.
    pub fn tagged(&self, config: &Config, text: &str) -> String {
        if !config.offer || self.tag_refused {
            return text.to_owned();
        }
        self.tag_sent.set(true);
        query::tagged(text, versions(config))
    }

    /// The peer wrote in clear and without a tag, while there was no key to call [`receive`](Self::receive)
    /// with: no more texts carry one, if one did.
    pub fn answered_in_clear(&mut self) {
        self.tag_refused |= self.tag_sent.get();
    }

    /// Ends the session with an instance on both sides and wipes its keys.
    pub fn end(&mut self, env: &mut Env<'_>, instance: &InstanceId) {
        let Some(at) = self.find(instance) else {
            return;
        };
        let ended = crate::encoding::Tlv::new(data::DISCONNECTED, Vec::new());
        let _ = self.transmit_data(env, at, wire::IGNORE_UNREADABLE, "", &[ended], false);
        if let Some(peer) = self.peers.get_mut(at) {
            peer.message = Message::Plaintext;
            peer.auth = Auth::None;
            peer.auth_since = None;
            peer.check = Check::default();
            peer.ended = Some(env.now);
            self.limits.forget_starts(&peer.address);
        }
    }

    /// The person knows that the peer ended the session and goes on in clear.
    pub fn forget_finished(&mut self, instance: &InstanceId) {
        let mut peers = self.peers.iter_mut();
        if let Some(peer) = peers.find(|peer| peer.id == *instance)
            && matches!(peer.message, Message::Finished)
        {
            peer.message = Message::Plaintext;
        }
    }

    /// The peer's programs, in the order they were first heard.
    pub fn instances(&self) -> Vec<InstanceView> {
        self.peers.iter().map(Peer::view).collect()
    }

    /// What happened next; `None` when all is told.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// When [`handle_timeout`](Self::handle_timeout) has something to do.
    pub fn poll_timeout(&self) -> Option<Instant> {
        let auth = self.peers.iter().filter_map(|peer| peer.auth_since);
        let offered = self.offered.iter().map(|offered| offered.since);
        auth.chain(offered)
            .filter_map(|since| since.checked_add(MINUTE))
            .chain(self.open.timeout())
            .chain(self.waiting)
            .min()
    }

    /// Lets go of what took too long.
    pub fn handle_timeout(&mut self, env: &mut Env<'_>) {
        let over = |since: Instant| env.now.saturating_duration_since(since) >= MINUTE;
        for peer in &mut self.peers {
            if peer.auth_since.is_some_and(over) {
                peer.auth = Auth::None;
                peer.auth_since = None;
            }
        }
        self.offered.retain(|offered| !over(offered.since));
        self.open.expire(env.now);
        if self.waiting.is_some_and(|until| env.now >= until) {
            self.waiting = None;
            self.events.push_back(Event::NoAnswer);
        }
    }

    fn find(&self, instance: &InstanceId) -> Option<usize> {
        self.peers.iter().position(|peer| peer.id == *instance)
    }

    /// Sends a message of the key exchange to where an instance was last heard.
    fn reply(&mut self, env: &Env<'_>, at: usize, reply: &Reply) {
        let Some(peer) = self.peers.get(at) else {
            return;
        };
        let (header, to) = (peer.header(self.own_tag, reply.kind), peer.address.clone());
        self.transmit_ake(env, header, Some(to), reply);
    }

    fn transmit_ake(&mut self, env: &Env<'_>, header: Header, to: Option<String>, reply: &Reply) {
        let mut writer = Writer::new();
        header.write(&mut writer);
        writer.bytes(&reply.body);
        self.transmit(env, header, to, &writer.finish(), TransmitKind::Ake);
    }

    /// Queues an encoded message; `false` if it does not fit into fragments.
    fn transmit(
        &mut self,
        env: &Env<'_>,
        header: Header,
        to: Option<String>,
        bytes: &Zeroizing<Vec<u8>>,
        kind: TransmitKind,
    ) -> bool {
        let tags = (header.version == 3).then_some((header.sender, header.receiver));
        let Some(bodies) = split(wire::encode(bytes), env.config.fragment, tags) else {
            return false;
        };
        for text in bodies {
            self.events.push_back(Event::Transmit {
                to: to.clone(),
                text,
                kind,
            });
        }
        true
    }
}

fn versions(config: &Config) -> Versions {
    Versions {
        v2: config.v2,
        v3: config.v3,
    }
}

fn speaks(config: &Config, version: u8) -> bool {
    match version {
        2 => config.v2,
        3 => config.v3,
        _ => false,
    }
}
