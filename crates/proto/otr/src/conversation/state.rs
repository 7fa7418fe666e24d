//! What survives a restart.

use std::cell::Cell;

use zeroize::Zeroizing;

use super::unproven::Unproven;
use super::{Conversation, INSTANCES, Message, Peer};
use crate::Fingerprint;
use crate::encoding::{DecodeError, Reader, Writer};
use crate::event::StateError;
use crate::instance::{InstanceId, InstanceTag};
use crate::keys::Session;
use crate::smp::Smp;

/// The version of the form written here; the one before lacks what [`Conversation::read_texts`] reads.
const VERSION: u8 = 2;
const WITHOUT_TEXTS: u8 = 1;

impl Conversation {
    /// Everything but time limits, half-read fragments and running key exchanges.
    ///
    /// Store it together with what was queued: a message sent from older bytes would use a counter twice.
    pub fn to_bytes(&self) -> Zeroizing<Vec<u8>> {
        let mut writer = Writer::new();
        writer.u8(VERSION).u32(self.own_tag.get());
        writer
            .u8(u8::from(self.tag_sent.get()))
            .u8(u8::from(self.tag_refused));
        writer.u8(u8::try_from(self.peers.len()).unwrap_or(0));
        for peer in &self.peers {
            writer
                .data(peer.id.to_string().as_bytes())
                .data(peer.address.as_bytes());
            match &peer.fingerprint {
                Some(fingerprint) => writer.u8(1).bytes(fingerprint.as_bytes()),
                None => writer.u8(0),
            };
            writer.bytes(&peer.ssid).u8(u8::from(peer.first_half));
            match &peer.message {
                Message::Plaintext => drop(writer.u8(0)),
                Message::Private(session) => session.write(writer.u8(1)),
                Message::Finished => drop(writer.u8(2)),
            }
            writer.data(&peer.check.smp.to_bytes());
        }
        for peer in &self.peers {
            writer.u32(peer.last_keyid);
        }
        self.unproven.write(&mut writer);
        writer.finish()
    }

    /// Reads what [`to_bytes`](Self::to_bytes) wrote.
    ///
    /// # Errors
    /// See [`StateError`].
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, StateError> {
        let mut reader = Reader::new(bytes);
        let texts = match reader.u8() {
            Ok(VERSION) => true,
            Ok(WITHOUT_TEXTS) => false,
            Ok(version) => return Err(StateError::Version(version)),
            Err(_) => return Err(StateError::Damaged),
        };
        Self::read(reader, texts).map_err(|_| StateError::Damaged)
    }

    fn read(mut reader: Reader<'_>, texts: bool) -> Result<Self, DecodeError> {
        let own_tag = InstanceTag::new(reader.u32()?).ok_or(DecodeError::TooLarge)?;
        let mut conversation = Self::new(own_tag);
        conversation.tag_sent = Cell::new(reader.u8()? == 1);
        conversation.tag_refused = reader.u8()? == 1;
        let count = usize::from(reader.u8()?);
        if count > INSTANCES {
            return Err(DecodeError::TooLarge);
        }
        for _ in 0..count {
            let id: InstanceId = text(&mut reader)?
                .parse()
                .map_err(|_| DecodeError::TooLarge)?;
            let mut peer = Peer::new(id, text(&mut reader)?);
            if reader.u8()? == 1 {
                peer.fingerprint = Some(Fingerprint::from_bytes(reader.fixed()?));
            }
            peer.ssid = reader.fixed()?;
            peer.first_half = reader.u8()? == 1;
            peer.message = match reader.u8()? {
                0 => Message::Plaintext,
                1 => Message::Private(Box::new(Session::read(&mut reader)?)),
                2 => Message::Finished,
                _ => return Err(DecodeError::TooLarge),
            };
            peer.check.smp = Smp::from_bytes(reader.data()?).map_err(|_| DecodeError::TooLarge)?;
            conversation.peers.push(peer);
        }
        if texts {
            conversation.read_texts(&mut reader)?;
        }
        reader.finish()?;
        Ok(conversation)
    }

    fn read_texts(&mut self, reader: &mut Reader<'_>) -> Result<(), DecodeError> {
        for peer in &mut self.peers {
            peer.last_keyid = reader.u32()?;
        }
        self.unproven = Unproven::read(reader)?;
        Ok(())
    }
}

fn text<'a>(reader: &mut Reader<'a>) -> Result<&'a str, DecodeError> {
    std::str::from_utf8(reader.data()?).map_err(|_| DecodeError::TooLarge)
}
