//! The keys of data messages: rotation, counters, revealed MAC keys (OTR v3, *Data Message*).

use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use crate::Random;
use crate::crypto::{aes_ctr, first, h1, h2, hmac1, same, sha1};
use crate::encoding::{DecodeError, Reader, Writer};
use crate::group::{DhKeypair, Element};
use crate::wire::{Data, Header};

/// MAC keys kept for the next message of ours; more than a peer can make honestly.
const REVEALED: usize = 256;

/// The keys between one key pair of ours and one key of the peer.
#[derive(Zeroize, ZeroizeOnDrop)]
struct Pair {
    ours: u32,
    theirs: u32,
    send_aes: [u8; 16],
    send_mac: [u8; 20],
    receive_aes: [u8; 16],
    receive_mac: [u8; 20],
    extra: [u8; 32],
    /// The counter of the last message sent and read; 0 before the first.
    sent: u64,
    received: u64,
}

/// Why a data message was not read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unread {
    /// Seen before, or older than what was seen: drop it.
    Replay,
    /// Not for these keys, or changed on its way.
    Unreadable,
}

/// What a data message held.
pub(crate) struct Opened {
    pub(crate) plain: Zeroizing<Vec<u8>>,
    /// The extra symmetric key of the keys it came with.
    pub(crate) extra: Zeroizing<[u8; 32]>,
}

/// An encrypted message, and the extra symmetric key of the keys it was encrypted with.
type Sealed = (Zeroizing<Vec<u8>>, Zeroizing<[u8; 32]>);

/// The keys of an established session.
pub(crate) struct Session {
    our_keyid: u32,
    current: DhKeypair,
    previous: DhKeypair,
    their_keyid: u32,
    their_current: Element,
    their_previous: Option<Element>,
    pairs: Vec<Pair>,
    reveal: Zeroizing<Vec<u8>>,
}

impl Session {
    /// The session after a key exchange with these keys; `ours` gets key id 1.
    pub(crate) fn new(
        ours: DhKeypair,
        theirs: Element,
        their_keyid: u32,
        random: Random<'_>,
    ) -> Self {
        Self {
            our_keyid: 2,
            previous: ours,
            current: DhKeypair::generate(random),
            their_keyid,
            their_current: theirs,
            their_previous: None,
            pairs: Vec::new(),
            reveal: Zeroizing::default(),
        }
    }

    /// Takes over the MAC keys that a session before this one still has to reveal: its receiving is over.
    pub(crate) fn succeed(&mut self, mut before: Self) {
        before.retire(|_| true);
        self.reveal = std::mem::take(&mut before.reveal);
    }

    fn pair(&mut self, ours: u32, theirs: u32) -> Option<&mut Pair> {
        if let Some(at) = self
            .pairs
            .iter()
            .position(|pair| pair.ours == ours && pair.theirs == theirs)
        {
            return self.pairs.get_mut(at);
        }
        let keypair = if ours == self.our_keyid {
            &self.current
        } else if ours.checked_add(1) == Some(self.our_keyid) {
            &self.previous
        } else {
            return None;
        };
        let element = if theirs == self.their_keyid {
            self.their_current
        } else if theirs.checked_add(1) == Some(self.their_keyid) {
            self.their_previous?
        } else {
            return None;
        };
        let shared = keypair.shared(&element);
        let high = above(&keypair.public, &element);
        let (send, receive) = if high { (1, 2) } else { (2, 1) };
        let (send, receive) = (h1(send, &shared), h1(receive, &shared));
        let (send_aes, receive_aes) = (first(&*send), first(&*receive));
        self.pairs.push(Pair {
            ours,
            theirs,
            send_aes,
            send_mac: sha1(&send_aes),
            receive_aes,
            receive_mac: sha1(&receive_aes),
            extra: *h2(0xff, &shared),
            sent: 0,
            received: 0,
        });
        self.pairs.last_mut()
    }

    /// The id of our key that the next message is encrypted under.
    pub(crate) fn keyid(&self) -> u32 {
        self.our_keyid.saturating_sub(1)
    }

    /// Encrypts a message; `None` when the counter has come to its end.
    pub(crate) fn seal(
        &mut self,
        header: Header,
        flags: u8,
        mut plain: Zeroizing<Vec<u8>>,
    ) -> Option<Sealed> {
        let (ours, theirs) = (self.our_keyid.checked_sub(1)?, self.their_keyid);
        let next = self.current.public;
        let pair = self.pair(ours, theirs)?;
        pair.sent = pair.sent.checked_add(1)?;
        aes_ctr(&pair.send_aes, pair.sent, &mut plain);
        let mut writer = Writer::new();
        header.write(&mut writer);
        writer.u8(flags).u32(ours).u32(theirs).mpi(&next.to_mpi());
        writer.bytes(&pair.sent.to_be_bytes()).data(&plain);
        let mac = hmac1(&pair.send_mac, writer.as_slice());
        let extra = Zeroizing::new(pair.extra);
        writer.bytes(&mac).data(&self.reveal);
        self.reveal = Zeroizing::default();
        Some((writer.finish(), extra))
    }

    /// Whether a message carries the MAC of this session.
    pub(crate) fn owns(&mut self, data: &Data<'_>) -> bool {
        self.pair(data.recipient_keyid, data.sender_keyid)
            .is_some_and(|pair| same(&hmac1(&pair.receive_mac, data.covered), &data.mac))
    }

    /// Decrypts a message and moves on to the keys it acknowledges and brings.
    pub(crate) fn open(&mut self, data: &Data<'_>, random: Random<'_>) -> Result<Opened, Unread> {
        if data.sender_keyid == 0 || data.recipient_keyid == 0 {
            return Err(Unread::Unreadable);
        }
        let old = data.sender_keyid.saturating_add(1) < self.their_keyid
            || data.recipient_keyid.saturating_add(1) < self.our_keyid;
        let Some(pair) = self.pair(data.recipient_keyid, data.sender_keyid) else {
            return Err(if old {
                Unread::Replay
            } else {
                Unread::Unreadable
            });
        };
        if !same(&hmac1(&pair.receive_mac, data.covered), &data.mac) {
            return Err(Unread::Unreadable);
        }
        if data.counter <= pair.received {
            return Err(Unread::Replay);
        }
        pair.received = data.counter;
        let mut plain = Zeroizing::new(data.encrypted.to_vec());
        aes_ctr(&pair.receive_aes, data.counter, &mut plain);
        let extra = Zeroizing::new(pair.extra);
        if data.recipient_keyid == self.our_keyid {
            let fresh = DhKeypair::generate(random);
            self.previous = std::mem::replace(&mut self.current, fresh);
            let gone = self.our_keyid.saturating_sub(1);
            self.our_keyid = self.our_keyid.saturating_add(1);
            self.retire(|pair| pair.ours <= gone);
        }
        if data.sender_keyid == self.their_keyid {
            self.their_previous = Some(std::mem::replace(&mut self.their_current, data.next));
            let gone = self.their_keyid.saturating_sub(1);
            self.their_keyid = self.their_keyid.saturating_add(1);
            self.retire(|pair| pair.theirs <= gone);
        }
        Ok(Opened { plain, extra })
    }

    /// Forgets pairs; the receiving MAC keys that were used go out with the next message (S-OTR-11).
    fn retire(&mut self, gone: impl Fn(&Pair) -> bool) {
        for pair in self
            .pairs
            .iter()
            .filter(|pair| gone(pair) && pair.received > 0)
        {
            if self.reveal.len() < REVEALED * 20 {
                let mut longer = Zeroizing::new(Vec::with_capacity(self.reveal.len() + 20));
                longer.extend_from_slice(&self.reveal);
                longer.extend_from_slice(&pair.receive_mac);
                self.reveal = longer;
            }
        }
        self.pairs.retain(|pair| !gone(pair));
    }

    #[cfg(test)]
    pub(crate) fn receiving_macs(&self) -> Vec<[u8; 20]> {
        self.pairs.iter().map(|pair| pair.receive_mac).collect()
    }

    /// Writes the keys for the store.
    pub(crate) fn write(&self, writer: &mut Writer) {
        writer.u32(self.our_keyid);
        writer
            .bytes(&*self.current.to_bytes())
            .bytes(&*self.previous.to_bytes());
        writer
            .u32(self.their_keyid)
            .mpi(&self.their_current.to_mpi());
        match &self.their_previous {
            Some(element) => writer.u8(1).mpi(&element.to_mpi()),
            None => writer.u8(0),
        };
        writer.data(&self.reveal);
        writer.u8(u8::try_from(self.pairs.len()).unwrap_or(0));
        for pair in &self.pairs {
            writer
                .u32(pair.ours)
                .u32(pair.theirs)
                .bytes(&pair.send_aes)
                .bytes(&pair.send_mac);
            writer
                .bytes(&pair.receive_aes)
                .bytes(&pair.receive_mac)
                .bytes(&pair.extra);
            writer
                .bytes(&pair.sent.to_be_bytes())
                .bytes(&pair.received.to_be_bytes());
        }
    }

    /// Reads what [`write`](Self::write) wrote.
    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, DecodeError> {
        let our_keyid = reader.u32()?;
        let mut keypair =
            || DhKeypair::from_bytes(reader.bytes(40)?).map_err(|_| DecodeError::TooLarge);
        let (current, previous) = (keypair()?, keypair()?);
        let their_keyid = reader.u32()?;
        let element = |reader: &mut Reader<'_>| {
            Element::from_mpi(reader.mpi()?).map_err(|_| DecodeError::TooLarge)
        };
        let their_current = element(reader)?;
        let their_previous = if reader.u8()? == 1 {
            Some(element(reader)?)
        } else {
            None
        };
        let reveal = Zeroizing::new(reader.data()?.to_vec());
        let mut pairs = Vec::new();
        for _ in 0..reader.u8()?.min(8) {
            pairs.push(Pair {
                ours: reader.u32()?,
                theirs: reader.u32()?,
                send_aes: reader.fixed()?,
                send_mac: reader.fixed()?,
                receive_aes: reader.fixed()?,
                receive_mac: reader.fixed()?,
                extra: reader.fixed()?,
                sent: u64::from_be_bytes(reader.fixed()?),
                received: u64::from_be_bytes(reader.fixed()?),
            });
        }
        Ok(Self {
            our_keyid,
            current,
            previous,
            their_keyid,
            their_current,
            their_previous,
            pairs,
            reveal,
        })
    }
}

/// Whether one public key is the larger number.
pub(crate) fn above(ours: &Element, theirs: &Element) -> bool {
    let (ours, theirs) = (ours.to_mpi(), theirs.to_mpi());
    (ours.len(), &*ours) > (theirs.len(), &*theirs)
}
