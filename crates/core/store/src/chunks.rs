//! Long streams of bytes under seal, a chunk at a time, so that memory stays bounded.
//!
//! STREAM (Hoang, Reyhanitabar, Rogaway, Vizár 2015): the nonce of each chunk is a random prefix, the chunk's number, and
//! whether it is the last. So no chunk can be changed, moved, doubled or left out, and a stream that was cut off shows.

use std::io::{self, Read, Write};

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

/// Bytes in the clear in every chunk but the last.
pub(crate) const CHUNK: usize = 64 * 1024;
/// What sealing adds to a chunk, in bytes.
pub(crate) const TAG: usize = 16;
/// Length of the random part of the nonces, in bytes.
pub(crate) const PREFIX: usize = 19;

/// Seals or opens chunks in their order. A key and a prefix are used for one stream only.
pub(crate) struct Chunks {
    cipher: XChaCha20Poly1305,
    prefix: [u8; PREFIX],
    next: u32,
    /// What is bound to every chunk: the head of the file.
    head: Vec<u8>,
}

impl Chunks {
    pub(crate) fn new(key: &[u8; 32], prefix: [u8; PREFIX], head: Vec<u8>) -> Self {
        Self {
            cipher: XChaCha20Poly1305::new(key.into()),
            prefix,
            next: 0,
            head,
        }
    }

    /// The next chunk, sealed.
    pub(crate) fn seal(&mut self, plain: &[u8], last: bool) -> io::Result<Vec<u8>> {
        let nonce = self.nonce(last)?;
        let payload = Payload {
            msg: plain,
            aad: &self.head,
        };
        self.cipher
            .encrypt(&nonce, payload)
            .map_err(|_| io::ErrorKind::OutOfMemory.into())
    }

    /// The next chunk, opened. `InvalidData` when it is not what was sealed at this place.
    pub(crate) fn open(&mut self, sealed: &[u8], last: bool) -> io::Result<Zeroizing<Vec<u8>>> {
        let nonce = self.nonce(last)?;
        let payload = Payload {
            msg: sealed,
            aad: &self.head,
        };
        self.cipher
            .decrypt(&nonce, payload)
            .map(Zeroizing::new)
            .map_err(|_| io::ErrorKind::InvalidData.into())
    }

    fn nonce(&mut self, last: bool) -> io::Result<XNonce> {
        let number = self.next;
        // 256 TiB; a number is never used twice.
        self.next = number.checked_add(1).ok_or(io::ErrorKind::FileTooLarge)?;
        let mut nonce = [0; 24];
        let (prefix, rest) = nonce.split_at_mut(PREFIX);
        prefix.copy_from_slice(&self.prefix);
        let (counter, flag) = rest.split_at_mut(4);
        counter.copy_from_slice(&number.to_be_bytes());
        flag.copy_from_slice(&[u8::from(last)]);
        Ok(XNonce::from(nonce))
    }
}

/// Seals everything that `from` gives. `proceed` is asked before each chunk; `Interrupted` when it says no.
pub(crate) fn seal_all(
    mut chunks: Chunks,
    from: &mut impl Read,
    to: &mut impl Write,
    mut proceed: impl FnMut() -> bool,
) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut next = vec![0; CHUNK];
    let mut length = fill(from, &mut chunk)?;
    loop {
        if !proceed() {
            return Err(io::ErrorKind::Interrupted.into());
        }
        let next_length = if length < CHUNK {
            0
        } else {
            fill(from, &mut next)?
        };
        let last = next_length == 0;
        let plain = chunk.get(..length).unwrap_or_default();
        to.write_all(&chunks.seal(plain, last)?)?;
        if last {
            return Ok(());
        }
        std::mem::swap(&mut chunk, &mut next);
        length = next_length;
    }
}

/// Opens everything that `from` gives. `InvalidData` when it was changed or cut off: what was written to `to` by then
/// must not be used.
pub(crate) fn open_all(
    mut chunks: Chunks,
    from: &mut impl Read,
    to: &mut impl Write,
) -> io::Result<()> {
    let mut sealed = vec![0; CHUNK + TAG];
    let mut next = vec![0; CHUNK + TAG];
    let mut length = fill(from, &mut sealed)?;
    loop {
        let next_length = if length < sealed.len() {
            0
        } else {
            fill(from, &mut next)?
        };
        let last = next_length == 0;
        let chunk = sealed.get(..length).unwrap_or_default();
        to.write_all(&chunks.open(chunk, last)?)?;
        if last {
            return Ok(());
        }
        std::mem::swap(&mut sealed, &mut next);
        length = next_length;
    }
}

/// Reads until the buffer is full or there is nothing more; how much it was.
pub(crate) fn fill(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut length = 0;
    while let Some(room) = buffer.get_mut(length..).filter(|room| !room.is_empty()) {
        match from.read(room) {
            Ok(0) => break,
            Ok(count) => length += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunks() -> Chunks {
        Chunks::new(&[7; 32], [3; PREFIX], b"head".to_vec())
    }

    fn sealed(plain: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        seal_all(chunks(), &mut &plain[..], &mut out, || true).expect("it seals");
        out
    }

    fn opened(sealed: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        open_all(chunks(), &mut &sealed[..], &mut out).map(|()| out)
    }

    fn plain(length: usize) -> Vec<u8> {
        (0..length).map(|at| (at % 251) as u8).collect()
    }

    #[test]
    fn streams_of_every_length_come_back_whole() {
        for length in [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK, 3 * CHUNK + 5] {
            let plain = plain(length);
            assert_eq!(
                opened(&sealed(&plain)).expect("it opens"),
                plain,
                "{length}"
            );
        }
    }

    #[test]
    fn s_store_17_a_stream_that_is_cut_off_anywhere_does_not_open() {
        let whole = sealed(&plain(2 * CHUNK));
        for cut in [
            0,
            1,
            TAG,
            CHUNK,
            CHUNK + TAG,
            CHUNK + TAG + 1,
            whole.len() - 1,
        ] {
            assert!(opened(&whole[..cut]).is_err(), "{cut}");
        }
        let longer = [whole.as_slice(), &[0]].concat();
        assert!(opened(&longer).is_err());
    }

    #[test]
    fn s_store_17_chunks_cannot_be_moved_doubled_or_left_out() {
        let whole = sealed(&plain(3 * CHUNK));
        let parts: Vec<&[u8]> = whole.chunks(CHUNK + TAG).collect();
        assert_eq!(parts.len(), 3);
        for order in [
            &[0, 2][..],
            &[1, 0, 2],
            &[0, 0, 1, 2],
            &[0, 1, 1],
            &[0, 1],
            &[2],
        ] {
            let mixed: Vec<u8> = order.iter().flat_map(|at| parts[*at].to_vec()).collect();
            assert!(opened(&mixed).is_err(), "{order:?}");
        }
    }

    #[test]
    fn s_store_17_a_flipped_bit_or_another_head_does_not_open() {
        let whole = sealed(&plain(CHUNK + 100));
        for at in (0..whole.len()).step_by(977) {
            let mut bent = whole.clone();
            bent[at] ^= 1;
            assert!(opened(&bent).is_err(), "{at}");
        }
        let mut out = Vec::new();
        let other = Chunks::new(&[7; 32], [3; PREFIX], b"Head".to_vec());
        assert!(open_all(other, &mut &whole[..], &mut out).is_err());
    }

    #[test]
    fn it_stops_when_it_is_told_to() {
        let mut left = 2;
        let mut out = Vec::new();
        let stopped = seal_all(chunks(), &mut &plain(9 * CHUNK)[..], &mut out, || {
            left -= 1;
            left > 0
        });
        assert_eq!(
            stopped.expect_err("told").kind(),
            io::ErrorKind::Interrupted
        );
        assert!(opened(&out).is_err());
    }
}
