//! Own texts of which nothing shows yet that the peer has read them.
//!
//! A peer that lost its session cannot read what goes on being encrypted for it, and the network says that
//! all arrived. So the texts of a session are remembered by the caller's names for them until the next session
//! begins. Of those before the message from which the peer knows the key that it uses (OTR v3, *Key
//! Management*), only the network can have lost one.

use std::collections::VecDeque;

use crate::Fingerprint;
use crate::encoding::{DecodeError, Reader, Writer};
use crate::event::{TextRef, Unread};
use crate::instance::InstanceId;

/// Texts and bytes of them that are remembered in one conversation.
const MOST_TEXTS: usize = 100;
const MOST_BYTES: usize = 256 * 1024;

/// Own texts without a proof, in the order they were sent.
#[derive(Default)]
pub(super) struct Unproven {
    texts: VecDeque<Text>,
}

struct Text {
    instance: InstanceId,
    fingerprint: Fingerprint,
    /// The id of our key it was encrypted under.
    keyid: u32,
    /// Nothing else of this session was encrypted under that key before.
    first: bool,
    overtaken: bool,
    bytes: usize,
    name: TextRef,
}

impl Unproven {
    /// Remembers a text; the oldest give way where there are too many.
    pub(super) fn push(
        &mut self,
        (instance, fingerprint): (&InstanceId, Fingerprint),
        (keyid, first): (u32, bool),
        bytes: usize,
        name: TextRef,
    ) {
        self.texts.push_back(Text {
            instance: instance.clone(),
            fingerprint,
            keyid,
            first,
            overtaken: false,
            bytes,
            name,
        });
        let mut total: usize = self.texts.iter().map(|text| text.bytes).sum();
        while self.texts.len() > MOST_TEXTS || total > MOST_BYTES {
            let Some(gone) = self.texts.pop_front() else {
                return;
            };
            total = total.saturating_sub(gone.bytes);
        }
    }

    /// An instance has read something that was encrypted under this key of ours, so nothing that was sent
    /// before it is still on its way.
    pub(super) fn proved(&mut self, instance: &InstanceId, keyid: u32) {
        for text in &mut self.texts {
            let before = text.keyid < keyid || (text.keyid == keyid && text.first);
            text.overtaken |= text.instance == *instance && before;
        }
    }

    /// Takes out the texts for the instances that `which` says.
    pub(super) fn take(&mut self, mut which: impl FnMut(&InstanceId) -> bool) -> Vec<Unread> {
        let (taken, kept) = std::mem::take(&mut self.texts)
            .into_iter()
            .partition(|text| which(&text.instance));
        self.texts = kept;
        let taken: VecDeque<Text> = taken;
        taken
            .into_iter()
            .map(|text| Unread {
                text: text.name,
                fingerprint: text.fingerprint,
                overtaken: text.overtaken,
            })
            .collect()
    }

    /// Forgets the texts that `keep` does not want. Whether there were any.
    pub(super) fn retain(&mut self, mut keep: impl FnMut(TextRef) -> bool) -> bool {
        let before = self.texts.len();
        self.texts.retain(|text| keep(text.name));
        self.texts.len() != before
    }

    /// When the oldest text was sent.
    pub(super) fn oldest(&self) -> Option<u64> {
        self.texts.iter().map(|text| text.name.at).min()
    }

    pub(super) fn write(&self, writer: &mut Writer) {
        writer.u32(u32::try_from(self.texts.len()).unwrap_or(0));
        for text in &self.texts {
            writer
                .data(text.instance.to_string().as_bytes())
                .bytes(text.fingerprint.as_bytes())
                .u32(text.keyid)
                .u8(u8::from(text.first) | u8::from(text.overtaken) << 1)
                .u32(u32::try_from(text.bytes).unwrap_or(u32::MAX))
                .bytes(&text.name.id.to_be_bytes())
                .bytes(&text.name.at.to_be_bytes());
        }
    }

    pub(super) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let count = usize::try_from(reader.u32()?).map_err(|_| DecodeError::TooLarge)?;
        if count > MOST_TEXTS {
            return Err(DecodeError::TooLarge);
        }
        let mut texts = VecDeque::new();
        for _ in 0..count {
            let id = std::str::from_utf8(reader.data()?).map_err(|_| DecodeError::TooLarge)?;
            let instance = id.parse().map_err(|_| DecodeError::TooLarge)?;
            let fingerprint = Fingerprint::from_bytes(reader.fixed()?);
            let keyid = reader.u32()?;
            let marks = reader.u8()?;
            texts.push_back(Text {
                instance,
                fingerprint,
                keyid,
                first: marks & 1 != 0,
                overtaken: marks & 2 != 0,
                bytes: usize::try_from(reader.u32()?).map_err(|_| DecodeError::TooLarge)?,
                name: TextRef {
                    id: u64::from_be_bytes(reader.fixed()?),
                    at: u64::from_be_bytes(reader.fixed()?),
                },
            });
        }
        Ok(Self { texts })
    }
}
