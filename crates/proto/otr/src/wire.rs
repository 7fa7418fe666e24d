//! The encoded messages (OTR v3, *Format of messages*; OTR v2 has no instance tags).

use zeroize::Zeroizing;

use crate::encoding::{DecodeError, Reader, Writer, base64_decode, base64_encode};
use crate::group::Element;

pub(crate) const DH_COMMIT: u8 = 0x02;
pub(crate) const DATA: u8 = 0x03;
pub(crate) const DH_KEY: u8 = 0x0a;
pub(crate) const REVEAL_SIGNATURE: u8 = 0x11;
pub(crate) const SIGNATURE: u8 = 0x12;

/// What stands before every encoded message.
pub(crate) const PREFIX: &str = "?OTR:";

/// What every message begins with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    /// 2 or 3.
    pub(crate) version: u8,
    pub(crate) kind: u8,
    /// The tag of the sender; 0 in version 2.
    pub(crate) sender: u32,
    /// The tag of the receiver; 0 in version 2 and where it is not known yet.
    pub(crate) receiver: u32,
}

impl Header {
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Option<Self>, DecodeError> {
        let version = match reader.u16()? {
            2 => 2,
            3 => 3,
            _ => return Ok(None),
        };
        let kind = reader.u8()?;
        let (sender, receiver) = if version == 3 {
            (reader.u32()?, reader.u32()?)
        } else {
            (0, 0)
        };
        Ok(Some(Self {
            version,
            kind,
            sender,
            receiver,
        }))
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u16(u16::from(self.version)).u8(self.kind);
        if self.version == 3 {
            writer.u32(self.sender).u32(self.receiver);
        }
    }
}

/// The bytes of an encoded message.
pub(crate) fn decode(text: &str) -> Option<Zeroizing<Vec<u8>>> {
    let body = text.strip_prefix(PREFIX)?;
    let (body, _) = body.split_once('.')?;
    base64_decode(body).ok()
}

/// An encoded message of these bytes.
pub(crate) fn encode(bytes: &[u8]) -> String {
    format!("{PREFIX}{}.", base64_encode(bytes))
}

/// DH-Commit Message.
pub(crate) struct DhCommit<'a> {
    pub(crate) encrypted_gx: &'a [u8],
    pub(crate) hashed_gx: [u8; 32],
}

impl<'a> DhCommit<'a> {
    pub(crate) fn read(mut reader: Reader<'a>) -> Option<Self> {
        let encrypted_gx = reader.data().ok()?;
        let hashed_gx = reader.data().ok()?.try_into().ok()?;
        // An encrypted number of the group is at most 196 bytes; other lengths cannot be one.
        (encrypted_gx.len() <= 260 && reader.is_empty()).then_some(Self {
            encrypted_gx,
            hashed_gx,
        })
    }
}

/// Signature Message, and the second part of the Reveal Signature Message.
pub(crate) struct Signed<'a> {
    pub(crate) encrypted: &'a [u8],
    pub(crate) mac: [u8; 20],
}

impl<'a> Signed<'a> {
    pub(crate) fn read(mut reader: Reader<'a>) -> Option<Self> {
        let encrypted = reader.data().ok()?;
        let mac = reader.fixed().ok()?;
        (encrypted.len() <= 4_096 && reader.is_empty()).then_some(Self { encrypted, mac })
    }
}

/// Data Message.
pub(crate) struct Data<'a> {
    pub(crate) sender_keyid: u32,
    pub(crate) recipient_keyid: u32,
    pub(crate) next: Element,
    pub(crate) counter: u64,
    pub(crate) encrypted: &'a [u8],
    /// Everything the MAC covers, from the version on.
    pub(crate) covered: &'a [u8],
    pub(crate) mac: [u8; 20],
}

/// The flag: no error message if this cannot be read.
pub(crate) const IGNORE_UNREADABLE: u8 = 0x01;

impl<'a> Data<'a> {
    /// Reads what follows the header; `whole` is the message from the version on.
    pub(crate) fn read(whole: &'a [u8], mut reader: Reader<'a>) -> Option<Self> {
        reader.u8().ok()?;
        let sender_keyid = reader.u32().ok()?;
        let recipient_keyid = reader.u32().ok()?;
        let next = Element::from_mpi(reader.mpi().ok()?).ok()?;
        let counter = u64::from_be_bytes(reader.fixed().ok()?);
        let encrypted = reader.data().ok()?;
        let covered = whole.get(..whole.len().checked_sub(reader.rest().len())?)?;
        let mac = reader.fixed().ok()?;
        reader.data().ok()?;
        reader.is_empty().then_some(Self {
            sender_keyid,
            recipient_keyid,
            next,
            counter,
            encrypted,
            covered,
            mac,
        })
    }

    /// The flags of a message that may be too damaged to read further.
    pub(crate) fn flags(mut reader: Reader<'a>) -> u8 {
        reader.u8().unwrap_or(0)
    }
}
