//! Data messages, in and out (OTR v3, *Data Message*, *Type/Length/Value Records*).

use zeroize::Zeroizing;

use super::limits::Act;
use super::{Conversation, MINUTE, Message, Peer};
use crate::config::Env;
use crate::encoding::{Reader, Tlv, Writer};
use crate::event::{Event, SendError, TextRef, TransmitKind};
use crate::instance::InstanceId;
use crate::keys::Unread;
use crate::wire::{DATA, Data, IGNORE_UNREADABLE};

/// The longest text that [`Conversation::send`] takes, bytes.
pub const LONGEST_TEXT: usize = 256 * 1024;

pub(super) const DISCONNECTED: u16 = 1;
const EXTRA_KEY: u16 = 8;

impl Conversation {
    /// Encrypts a text for one instance.
    ///
    /// # Errors
    /// Nothing is queued then; see [`SendError`].
    pub fn send(
        &mut self,
        env: &mut Env<'_>,
        instance: &InstanceId,
        text: &str,
    ) -> Result<(), SendError> {
        let at = self.find(instance).ok_or(SendError::UnknownInstance)?;
        if text.len() > LONGEST_TEXT {
            return Err(SendError::TooLong);
        }
        // A zero byte would end the text.
        self.transmit_data(env, at, 0, &text.replace('\0', ""), &[], true)
            .map(drop)
    }

    /// As [`send`](Self::send), and remembers the text by the caller's name for it until the next session, whose
    /// [`Event::Established`] reports it: at most 100 texts and 256 KiB of them, the newest.
    ///
    /// # Errors
    /// As [`send`](Self::send).
    pub fn send_named(
        &mut self,
        env: &mut Env<'_>,
        instance: &InstanceId,
        text: &str,
        name: TextRef,
    ) -> Result<(), SendError> {
        let peer = self.find(instance).and_then(|at| self.peers.get(at));
        let under = peer.and_then(Peer::next_key);
        self.send(env, instance, text)?;
        if let Some((fingerprint, key)) = under {
            self.unproven
                .push((instance, fingerprint), key, text.len(), name);
        }
        Ok(())
    }

    /// Tells the peer to use the extra symmetric key for `use_`, and gives it (OTR v3, TLV type 8).
    ///
    /// # Errors
    /// As [`send`](Self::send); [`SendError::TooLong`] above 65,531 bytes of `data`.
    pub fn extra_key(
        &mut self,
        env: &mut Env<'_>,
        instance: &InstanceId,
        use_: u32,
        data: &[u8],
    ) -> Result<Zeroizing<[u8; 32]>, SendError> {
        let at = self.find(instance).ok_or(SendError::UnknownInstance)?;
        let mut value = Writer::new();
        value.u32(use_).bytes(data);
        let record = Tlv::new(EXTRA_KEY, value.finish());
        self.transmit_data(env, at, IGNORE_UNREADABLE, "", &[record], false)
    }

    /// Queues a data message; the extra key of the keys it was encrypted with.
    pub(super) fn transmit_data(
        &mut self,
        env: &mut Env<'_>,
        at: usize,
        flags: u8,
        text: &str,
        records: &[Tlv],
        message: bool,
    ) -> Result<Zeroizing<[u8; 32]>, SendError> {
        let own_tag = self.own_tag;
        let peer = self.peers.get_mut(at).ok_or(SendError::UnknownInstance)?;
        let header = peer.header(own_tag, DATA);
        let session = match &mut peer.message {
            Message::Private(session) => session,
            Message::Plaintext => return Err(SendError::NotPrivate),
            Message::Finished => return Err(SendError::Finished),
        };
        let mut plain = Writer::new();
        plain.bytes(text.as_bytes());
        if !records.is_empty() {
            plain.u8(0);
        }
        for record in records {
            record.write(&mut plain).map_err(|_| SendError::TooLong)?;
        }
        let keyid = session.keyid();
        let (bytes, extra) = session
            .seal(header, flags, plain.finish())
            .ok_or(SendError::NotPrivate)?;
        peer.last_sent = Some(env.now);
        peer.last_keyid = keyid;
        let to = Some(peer.address.clone());
        if self.transmit(env, header, to, &bytes, TransmitKind::Data { message }) {
            Ok(extra)
        } else {
            Err(SendError::TooLong)
        }
    }

    /// A data message came in.
    pub(super) fn data(
        &mut self,
        env: &mut Env<'_>,
        from: &str,
        id: InstanceId,
        whole: &[u8],
        body: Reader<'_>,
    ) {
        let flags = Data::flags(body.clone());
        let Some(data) = Data::read(whole, body) else {
            return self.unreadable(env, from, id, flags);
        };
        let Some(at) = self.addressee(&id, &data) else {
            return self.unreadable(env, from, id, flags);
        };
        let Some(peer) = self.peers.get_mut(at) else {
            return;
        };
        let Message::Private(session) = &mut peer.message else {
            return;
        };
        let opened = match session.open(&data, env.random) {
            Ok(opened) => opened,
            Err(Unread::Replay) => return,
            Err(Unread::Unreadable) => return self.unreadable(env, from, id, flags),
        };
        peer.address = from.to_owned();
        let instance = peer.id.clone();
        // The peer knows this key of ours from a message that was encrypted under the one before it.
        self.unproven
            .proved(&instance, data.recipient_keyid.saturating_sub(1));
        let idle = peer
            .last_sent
            .is_none_or(|last| env.now.saturating_duration_since(last) >= MINUTE);
        let end = opened.plain.iter().position(|byte| *byte == 0);
        let (text, records) = match end.and_then(|end| opened.plain.split_at_checked(end)) {
            Some((text, records)) => (text, records.get(1..).unwrap_or_default()),
            None => (&**opened.plain, &[][..]),
        };
        if !text.is_empty() {
            let text = String::from_utf8_lossy(text).into_owned();
            self.events.push_back(Event::Message {
                instance: instance.clone(),
                text,
            });
        }
        let said = !text.is_empty();
        let mut reader = Reader::new(records);
        while let Ok(record) = Tlv::read(&mut reader) {
            self.record(env, at, &instance, record, &opened.extra);
        }
        if said && idle {
            // A heartbeat, so that keys move on although only one side writes.
            let _ = self.transmit_data(env, at, IGNORE_UNREADABLE, "", &[], false);
        }
    }

    /// The session a message belongs to; in version 2 the MAC decides when the address is new.
    fn addressee(&mut self, id: &InstanceId, data: &Data<'_>) -> Option<usize> {
        let own = self
            .find(id)
            .filter(|&at| self.peers.get(at).is_some_and(|peer| peer.private()));
        if own.is_some() || id.version() == 3 {
            return own;
        }
        self.peers
            .iter_mut()
            .position(|peer| match &mut peer.message {
                Message::Private(session) if peer.id.version() == 2 => session.owns(data),
                _ => false,
            })
    }

    pub(super) fn record(
        &mut self,
        env: &mut Env<'_>,
        at: usize,
        instance: &InstanceId,
        record: Tlv,
        extra: &[u8; 32],
    ) {
        match record.kind {
            DISCONNECTED => {
                let Some(peer) = self.peers.get_mut(at).filter(|peer| peer.private()) else {
                    return;
                };
                peer.message = Message::Finished;
                let stopped = peer.check.reset();
                if let Some(event) = stopped {
                    self.events.push_back(Event::Smp {
                        instance: instance.clone(),
                        event,
                    });
                }
                self.events.push_back(Event::Ended {
                    instance: instance.clone(),
                });
            }
            2..=7 => self.check(env, at, record),
            EXTRA_KEY => {
                let Some((use_, data)) = record.value.split_first_chunk::<4>() else {
                    return;
                };
                self.events.push_back(Event::ExtraKey {
                    instance: instance.clone(),
                    use_: u32::from_be_bytes(*use_),
                    data: data.to_vec(),
                    key: Zeroizing::new(*extra),
                });
            }
            _ => {}
        }
    }

    /// Reports a message that could not be read, tells its sender, and begins a new session where that may be.
    fn unreadable(&mut self, env: &mut Env<'_>, from: &str, id: InstanceId, flags: u8) {
        if flags & IGNORE_UNREADABLE != 0 {
            return;
        }
        let instance = self.find(&id).map(|_| id.clone());
        let told = self.limits.take(from, Act::Complain, env.now);
        self.events.push_back(Event::Unreadable { instance, told });
        if told {
            self.events.push_back(Event::Transmit {
                to: Some(from.to_owned()),
                text: "?OTR Error: You sent an encrypted message that could not be read."
                    .to_owned(),
                kind: TransmitKind::Error,
            });
        }
        self.begin_again(env, from, id);
    }
}
