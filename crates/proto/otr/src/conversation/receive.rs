//! What comes in: telling texts apart, and the key exchange.

use std::time::Instant;

use super::limits::Act;
use super::{Conversation, INSTANCES, MINUTE, Message, Offered, PATIENCE, Peer, speaks, versions};
use crate::ake::{Auth, Commit, Done};
use crate::config::Env;
use crate::encoding::Reader;
use crate::event::{Event, TransmitKind};
use crate::fragment::{Fragment, LONGEST_MESSAGE};
use crate::instance::{InstanceId, InstanceTag};
use crate::keys::Session;
use crate::query::{self, Form, Versions};
use crate::wire::{self, DATA, DH_COMMIT, DH_KEY, Header};

impl Conversation {
    /// Takes one message body from the peer's full address `from`.
    pub fn receive(&mut self, env: &mut Env<'_>, from: &str, text: &str) {
        match query::form(text) {
            Form::Plain => self.plain(env, from, text),
            Form::Query(offered) => {
                if env.config.answer_query {
                    self.answer(env, from, offered, Act::Answer);
                }
            }
            Form::Error(error) => self.peer_error(env, from, error),
            Form::Encoded => self.encoded(env, from, text),
            Form::Fragment => {
                let Some(fragment) = Fragment::read(text) else {
                    return;
                };
                if !self.concerns(&fragment) {
                    return;
                }
                if let Some(whole) = self.open.take(from, &fragment, env.now)
                    && whole.starts_with(wire::PREFIX)
                {
                    self.encoded(env, from, &whole);
                }
            }
        }
    }

    fn concerns(&self, fragment: &Fragment<'_>) -> bool {
        fragment.tags.is_none_or(|(sender, receiver)| {
            InstanceTag::new(sender).is_some() && (receiver == 0 || receiver == self.own_tag.get())
        })
    }

    fn plain(&mut self, env: &mut Env<'_>, from: &str, text: &str) {
        let private = self
            .peers
            .iter()
            .any(|peer| !matches!(peer.message, Message::Plaintext));
        let (text, offered) = query::untag(text);
        if offered.is_none() {
            self.answered_in_clear();
        }
        self.events.push_back(Event::Plain {
            from: from.to_owned(),
            text,
            private,
        });
        if let Some(offered) = offered.filter(|_| env.config.answer_tag) {
            self.answer(env, from, offered, Act::Start);
        }
    }

    fn peer_error(&mut self, env: &mut Env<'_>, from: &str, error: &str) {
        self.events.push_back(Event::PeerError {
            text: query::shown(error),
        });
        let at = |peer: &&Peer| peer.address == from;
        let lost = self.peers.iter().filter(at).any(Peer::private);
        // Of a session that the peer ended, the last messages may have crossed its end.
        let ended = |peer: &Peer| matches!(peer.message, Message::Finished);
        let ended = self.peers.iter().filter(at).any(ended);
        if !(lost || (env.config.restart_on_error && !ended))
            || self.is_under_way(env, from)
            || !self.limits.take(from, Act::Start, env.now)
        {
            return;
        }
        if let Some(text) = query::query(versions(env.config)) {
            let (to, kind) = (Some(from.to_owned()), TransmitKind::Query);
            self.events.push_back(Event::Transmit { to, text, kind });
        }
    }

    /// The peer holds a session that we have not: begins one with this program of theirs. Not where we have
    /// just ended it, and the peer may not know yet.
    pub(super) fn begin_again(&mut self, env: &mut Env<'_>, from: &str, id: InstanceId) {
        let version = id.version();
        let known = self.find(&id);
        let ended = known
            .and_then(|at| self.peers.get(at)?.ended)
            .is_some_and(|ended| env.now.saturating_duration_since(ended) < MINUTE);
        if !env.config.restart_on_error
            || !speaks(env.config, version)
            || (version == 2 && self.falls_back(env, from))
            || ended
            || self.is_under_way(env, from)
            || !self.limits.take(from, Act::Start, env.now)
        {
            return;
        }
        let Some(at) = known.or_else(|| self.room(id, from)) else {
            return;
        };
        let commit = Commit::new(env);
        let reply = commit.reply();
        if let Some(peer) = self.peers.get_mut(at) {
            from.clone_into(&mut peer.address);
            peer.auth = Auth::AwaitingDhKey(commit);
            peer.auth_since = Some(env.now);
        }
        self.reply(env, at, &reply);
    }

    /// Whether a key exchange with the program at this address runs and has moved of late.
    fn is_under_way(&self, env: &Env<'_>, from: &str) -> bool {
        let fresh = |since: Instant| env.now.saturating_duration_since(since) < PATIENCE;
        let mut peers = self.peers.iter();
        let mut offered = self.offered.iter();
        peers.any(|peer| peer.address == from && peer.auth_since.is_some_and(fresh))
            || offered.any(|offered| {
                offered.to == from && offered.used.is_empty() && fresh(offered.since)
            })
    }

    /// Answers a query or a tag with a DH-Commit Message, unless one runs already.
    fn answer(&mut self, env: &mut Env<'_>, from: &str, offered: Versions, act: Act) {
        let Some(version) = versions(env.config).common(offered) else {
            if offered.v2 {
                self.old_version(from);
            }
            return;
        };
        if self.is_under_way(env, from) || (version == 2 && self.falls_back(env, from)) {
            return;
        }
        if !self.limits.take(from, act, env.now) {
            return;
        }
        // What got stuck there before is over.
        for peer in self.peers.iter_mut().filter(|peer| peer.address == from) {
            peer.auth = Auth::None;
            peer.auth_since = None;
        }
        self.offered.retain(|offered| offered.to != from);
        if self.offered.len() >= INSTANCES {
            self.offered.remove(0);
        }
        let commit = Commit::new(env);
        let sender = if version == 3 { self.own_tag.get() } else { 0 };
        let header = Header {
            version,
            kind: DH_COMMIT,
            sender,
            receiver: 0,
        };
        self.transmit_ake(env, header, Some(from.to_owned()), &commit.reply());
        self.offered.push(Offered {
            version,
            to: from.to_owned(),
            commit,
            used: Vec::new(),
            since: env.now,
        });
        self.waiting = env.now.checked_add(PATIENCE);
    }

    /// Whether version 2 with this address would undo a version 3 that both sides speak (S-OTR-02).
    fn falls_back(&self, env: &Env<'_>, from: &str) -> bool {
        env.config.v3
            && self.peers.iter().any(|peer| {
                peer.id.version() == 3 && peer.address == from && peer.fingerprint.is_some()
            })
    }

    fn encoded(&mut self, env: &mut Env<'_>, from: &str, text: &str) {
        if text.len() > LONGEST_MESSAGE {
            return;
        }
        let Some(bytes) = wire::decode(text) else {
            self.events.push_back(Event::Unreadable {
                instance: None,
                told: false,
            });
            return;
        };
        let mut reader = Reader::new(&bytes);
        let Ok(Some(header)) = Header::read(&mut reader) else {
            return;
        };
        let Some(id) = self.sender(from, header) else {
            return;
        };
        if header.kind == DATA {
            self.data(env, from, id, &bytes, reader);
        } else if speaks(env.config, header.version) {
            self.exchange(env, from, id, header, reader);
        } else if header.kind == DH_COMMIT {
            self.old_version(from);
        }
    }

    /// The peer asked for a session in version 2, which may not be spoken. Where one in version 3 stands, it is nothing.
    fn old_version(&mut self, from: &str) {
        let stands = |peer: &Peer| peer.address == from && peer.private();
        if !self.peers.iter().any(stands) {
            self.events.push_back(Event::OldVersion);
        }
    }

    /// Who sent a message that is for this program; `None` drops it (S-OTR-06).
    fn sender(&self, from: &str, header: Header) -> Option<InstanceId> {
        if header.version == 2 {
            return Some(InstanceId::v2(from));
        }
        let tag = InstanceTag::new(header.sender).filter(|tag| *tag != self.own_tag)?;
        let ours = header.receiver == self.own_tag.get()
            || (header.receiver == 0 && header.kind == DH_COMMIT);
        ours.then(|| InstanceId::v3(tag))
    }

    /// A message of the key exchange.
    fn exchange(
        &mut self,
        env: &mut Env<'_>,
        from: &str,
        id: InstanceId,
        header: Header,
        body: Reader<'_>,
    ) {
        if header.version == 2 && self.falls_back(env, from) {
            return;
        }
        let offered = self.offer_to(from, &id);
        let commit = offered
            .and_then(|at| self.offered.get(at))
            .map(|offered| offered.commit.clone());
        let known = self.find(&id);
        if known.is_none()
            && header.kind != DH_COMMIT
            && !(header.kind == DH_KEY && commit.is_some())
        {
            return;
        }
        let Some(at) = known.or_else(|| self.room(id, from)) else {
            return;
        };
        let Some(peer) = self.peers.get_mut(at) else {
            return;
        };
        if peer.auth.is_none()
            && matches!(header.kind, DH_COMMIT | DH_KEY)
            && let Some(commit) = commit
        {
            peer.auth = Auth::AwaitingDhKey(commit);
            peer.auth_since = Some(env.now);
            if let Some(offered) = offered.and_then(|at| self.offered.get_mut(at)) {
                offered.used.push(peer.id.clone());
            }
        }
        let step = peer.auth.handle(env, header.kind, body);
        if step.reply.is_some() || step.done.is_some() {
            peer.address = from.to_owned();
            peer.auth_since = (!peer.auth.is_none()).then_some(env.now);
        }
        if let Some(reply) = &step.reply {
            self.reply(env, at, reply);
        }
        if let Some(done) = step.done {
            self.establish(env, at, done);
        }
    }

    /// The DH-Commit Message without a receiver tag that an instance may answer: the one that went to its
    /// address; in version 3 also the last one, which a server may have given to other programs as well.
    fn offer_to(&self, from: &str, id: &InstanceId) -> Option<usize> {
        let fits =
            |offered: &Offered| offered.version == id.version() && !offered.used.contains(id);
        let there = |offered: &Offered| offered.to == from;
        if let Some(at) = self.offered.iter().position(there) {
            return self
                .offered
                .get(at)
                .filter(|offered| fits(offered))
                .map(|_| at);
        }
        let last = self.offered.iter().rposition(fits);
        last.filter(|_| id.version() == 3)
    }

    /// A place for a new instance; one without a session gives way where there are too many.
    fn room(&mut self, id: InstanceId, from: &str) -> Option<usize> {
        if self.peers.len() >= INSTANCES {
            let at = self
                .peers
                .iter()
                .position(|peer| matches!(peer.message, Message::Plaintext))?;
            self.peers.remove(at);
        }
        self.peers.push(Peer::new(id, from));
        self.peers.len().checked_sub(1)
    }

    pub(super) fn establish(&mut self, env: &mut Env<'_>, at: usize, done: Done) {
        let Some(peer) = self.peers.get_mut(at) else {
            return;
        };
        let fingerprint = done.key.fingerprint();
        let mut session = Session::new(done.keypair, done.theirs, done.their_keyid, env.random);
        let mut refreshed = false;
        if let Message::Private(before) = std::mem::replace(&mut peer.message, Message::Plaintext) {
            refreshed = peer.fingerprint == Some(fingerprint);
            session.succeed(*before);
        }
        peer.message = Message::Private(Box::new(session));
        peer.fingerprint = Some(fingerprint);
        peer.ssid = done.ssid;
        peer.first_half = done.first_half;
        peer.last_sent = Some(env.now);
        peer.last_keyid = 0;
        peer.ended = None;
        let stopped = peer.check.reset();
        let (instance, version) = (peer.id.clone(), peer.id.version());
        self.waiting = None;
        self.tag_refused = false;
        let peers = &self.peers;
        let unread = self.unproven.take(|known| {
            *known == instance
                || (known.version() == 2 && version == 2)
                || !peers.iter().any(|peer| peer.id == *known)
        });
        if let Some(event) = stopped {
            self.events.push_back(Event::Smp {
                instance: instance.clone(),
                event,
            });
        }
        self.events.push_back(Event::Established {
            instance,
            fingerprint,
            version,
            refreshed,
            unread,
        });
    }
}
