//! Messages in pieces (OTR v3, *Fragmentation*), within bounds (S-OTR-05).

use std::time::{Duration, Instant};

/// Longest piece, bytes.
const LONGEST_PIECE: usize = 64 * 1024;
/// Longest message, bytes.
pub(crate) const LONGEST_MESSAGE: usize = 1024 * 1024;
/// Messages that may be half here.
const OPEN: usize = 8;
/// How long a message may take to come in.
const LIFE: Duration = Duration::from_secs(300);

/// One piece.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Fragment<'a> {
    /// Sender and receiver tag; `None` in version 2.
    pub(crate) tags: Option<(u32, u32)>,
    pub(crate) index: u16,
    pub(crate) total: u16,
    pub(crate) piece: &'a str,
}

impl<'a> Fragment<'a> {
    pub(crate) fn read(text: &'a str) -> Option<Self> {
        let (tags, rest) = if let Some(rest) = text.strip_prefix("?OTR|") {
            let (sender, rest) = rest.split_once('|')?;
            let (receiver, rest) = rest.split_once(',')?;
            (Some((hex(sender)?, hex(receiver)?)), rest)
        } else {
            (None, text.strip_prefix("?OTR,")?)
        };
        let (index, rest) = rest.split_once(',')?;
        let (total, rest) = rest.split_once(',')?;
        let (piece, rest) = rest.split_once(',')?;
        let (index, total) = (decimal(index)?, decimal(total)?);
        let sound = index >= 1 && index <= total && !piece.is_empty() && rest.trim().is_empty();
        (sound && piece.len() <= LONGEST_PIECE).then_some(Self {
            tags,
            index,
            total,
            piece,
        })
    }
}

fn hex(text: &str) -> Option<u32> {
    let digits = (1..=8).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_hexdigit());
    digits.then(|| u32::from_str_radix(text, 16).ok()).flatten()
}

fn decimal(text: &str) -> Option<u16> {
    let digits = (1..=5).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().ok()).flatten()
}

/// Messages that are half here.
#[derive(Default)]
pub(crate) struct Reassembly(Vec<Open>);

struct Open {
    from: String,
    sender: Option<u32>,
    total: u16,
    have: u16,
    text: String,
    since: Instant,
}

impl Reassembly {
    /// Takes a piece; the whole message once it is there.
    pub(crate) fn take(
        &mut self,
        from: &str,
        fragment: &Fragment<'_>,
        now: Instant,
    ) -> Option<String> {
        self.expire(now);
        let sender = fragment.tags.map(|(sender, _)| sender);
        let at = self
            .0
            .iter()
            .position(|open| open.from == from && open.sender == sender);
        let mut open = match (fragment.index, at) {
            (1, at) => {
                match at {
                    Some(at) => drop(self.0.swap_remove(at)),
                    None if self.0.len() >= OPEN => {
                        let oldest =
                            (0..self.0.len()).min_by_key(|&at| self.0.get(at).map(|o| o.since))?;
                        self.0.swap_remove(oldest);
                    }
                    None => {}
                }
                Open {
                    from: from.to_owned(),
                    sender,
                    total: fragment.total,
                    have: 0,
                    text: String::new(),
                    since: now,
                }
            }
            (_, Some(at)) => self.0.swap_remove(at),
            (_, None) => return None,
        };
        let next = open.total == fragment.total && open.have.checked_add(1) == Some(fragment.index);
        if !next || open.text.len() + fragment.piece.len() > LONGEST_MESSAGE {
            return None;
        }
        open.have = fragment.index;
        open.text.push_str(fragment.piece);
        if open.have == open.total {
            return Some(open.text);
        }
        self.0.push(open);
        None
    }

    /// Forgets what took too long.
    pub(crate) fn expire(&mut self, now: Instant) {
        self.0
            .retain(|open| now.saturating_duration_since(open.since) < LIFE);
    }

    /// When [`expire`](Self::expire) has something to do.
    pub(crate) fn timeout(&self) -> Option<Instant> {
        self.0
            .iter()
            .map(|open| open.since)
            .min()?
            .checked_add(LIFE)
    }
}

/// Cuts an encoded message into bodies of at most `longest` bytes; `None` when that takes more than
/// 65,535 of them.
pub(crate) fn split(
    text: String,
    longest: Option<usize>,
    tags: Option<(u32, u32)>,
) -> Option<Vec<String>> {
    let Some(longest) = longest.map(|longest| longest.max(64)) else {
        return Some(vec![text]);
    };
    if text.len() <= longest {
        return Some(vec![text]);
    }
    let around = if tags.is_some() { 36 } else { 18 };
    let pieces: Vec<&str> = text
        .as_bytes()
        .chunks(longest.checked_sub(around)?.min(LONGEST_PIECE))
        .map(std::str::from_utf8)
        .collect::<Result<_, _>>()
        .ok()?;
    let total = u16::try_from(pieces.len()).ok()?;
    let number = |(index, piece): (u16, &str)| match tags {
        Some((sender, receiver)) => {
            format!("?OTR|{sender:08x}|{receiver:08x},{index:05},{total:05},{piece},")
        }
        None => format!("?OTR,{index:05},{total:05},{piece},"),
    };
    Some((1..=total).zip(pieces).map(number).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn start() -> Instant {
        #[allow(
            clippy::disallowed_methods,
            reason = "a virtual clock begins at some instant"
        )]
        Instant::now()
    }

    #[test]
    fn a_message_survives_being_cut() {
        let text = format!("?OTR:{}.", "abcd".repeat(700));
        for tags in [None, Some((0x100, 0x5a73_b2c1))] {
            for longest in [64, 140, 300, 1000, 5000] {
                let bodies = split(text.clone(), Some(longest), tags).unwrap();
                assert!(bodies.iter().all(|body| body.len() <= longest));
                let mut open = Reassembly::default();
                let mut whole = None;
                for body in &bodies {
                    whole = match Fragment::read(body) {
                        Some(fragment) => open.take("a", &fragment, start()),
                        None => Some(body.clone()),
                    };
                }
                assert_eq!(whole.as_deref(), Some(text.as_str()));
            }
        }
    }

    #[test]
    fn s_otr_05_pieces_are_bounded() {
        for text in [
            "?OTR,2,1,x,",
            "?OTR,0,1,x,",
            "?OTR,65536,65536,x,",
            "?OTR|00000123|00000456,99999,99999,abc,",
            "?OTR,1,2,,",
            "?OTR,1,2,x",
            "?OTR|123456789|1,1,2,x,",
            "?OTR,+1,2,x,",
        ] {
            assert_eq!(Fragment::read(text), None, "{text}");
        }
        assert_eq!(
            Fragment::read(&format!("?OTR,1,2,{},", "x".repeat(LONGEST_PIECE + 1))),
            None
        );
        let mut open = Reassembly::default();
        let now = start();
        for from in 0..100 {
            let text = "?OTR,1,65535,x,";
            assert_eq!(
                open.take(&from.to_string(), &Fragment::read(text).unwrap(), now),
                None
            );
        }
        assert_eq!(open.0.len(), OPEN);
        let piece = "x".repeat(LONGEST_PIECE);
        for index in 1..=40 {
            let text = format!("?OTR,{index},65535,{piece},");
            open.take("big", &Fragment::read(&text).unwrap(), now);
        }
        assert!(open.0.iter().all(|open| open.text.len() <= LONGEST_MESSAGE));
        assert!(open.timeout().is_some());
        open.expire(now + LIFE);
        assert!(open.0.is_empty());
    }
}
