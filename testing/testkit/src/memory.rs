//! What stands in the writable memory of a process.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

/// How much is looked at in one go, in bytes.
const PIECE: usize = 1024 * 1024;

/// Bytes to look for, kept so that looking does not find the list itself.
#[derive(Clone)]
pub struct Hidden(Vec<u8>);

impl Hidden {
    /// The caller wipes its own copy.
    pub fn new(bytes: &[u8]) -> Self {
        Self(bytes.iter().map(|byte| !byte).collect())
    }

    fn count_in(&self, memory: &[u8]) -> usize {
        let Some((first, rest)) = self.0.split_first() else {
            return 0;
        };
        let first = !first;
        let mut count = 0;
        let mut left = memory;
        while let Some(at) = left.iter().position(|byte| *byte == first) {
            left = left.get(at + 1..).unwrap_or_default();
            let same = left
                .get(..rest.len())
                .is_some_and(|found| found.iter().zip(rest).all(|(a, b)| *a == !*b));
            count += usize::from(same);
        }
        count
    }
}

/// How often each stands in the writable memory of a process: its number, or `self`.
///
/// # Errors
///
/// When the process is gone, or may not be looked at: one that is not dumpable only by root, and by itself.
pub fn occurrences(process: &str, hidden: &[Hidden]) -> io::Result<Vec<usize>> {
    let maps = std::fs::read_to_string(format!("/proc/{process}/maps"))?;
    let memory = File::open(format!("/proc/{process}/mem"))?;
    let overlap = hidden.iter().map(|h| h.0.len()).max().unwrap_or(0);
    let mut counts = vec![0; hidden.len()];
    let mut piece = vec![0; PIECE + overlap];
    let own = piece.as_ptr_range();
    let (own_start, own_end) = (own.start as u64, own.end as u64);
    for line in maps.lines() {
        let Some((start, end)) = writable(line) else {
            continue;
        };
        let mut at = start;
        while at < end {
            let length = usize::try_from(end - at).unwrap_or(PIECE).min(PIECE);
            let wanted = usize::try_from(end - at)
                .unwrap_or(PIECE)
                .min(length + overlap.saturating_sub(1));
            // What is being looked at stands in this very buffer.
            let is_own = process == "self" && at < own_end && at + (wanted as u64) > own_start;
            if !is_own {
                let read = memory
                    .read_at(piece.get_mut(..wanted).unwrap_or_default(), at)
                    .unwrap_or(0);
                for (count, hidden) in counts.iter_mut().zip(hidden) {
                    *count += hidden.count_in(piece.get(..read).unwrap_or_default());
                }
                piece.fill(0);
            }
            at += length as u64;
        }
    }
    Ok(counts)
}

/// The range of a line of `/proc/…/maps`, if the process can write there.
fn writable(line: &str) -> Option<(u64, u64)> {
    let mut parts = line.split_whitespace();
    let (range, rights) = (parts.next()?, parts.next()?);
    if !rights.starts_with("rw") || line.ends_with("[vvar]") {
        return None;
    }
    let (start, end) = range.split_once('-')?;
    Some((
        u64::from_str_radix(start, 16).ok()?,
        u64::from_str_radix(end, 16).ok()?,
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_in_memory_is_found_and_what_was_wiped_is_not() {
        let mut text: Vec<u8> = (b'a'..=b'z').rev().collect();
        let hidden = [Hidden::new(&text)];
        let found = occurrences("self", &hidden).unwrap();
        assert!(found[0] > 0);
        text.fill(0);
        std::hint::black_box(&text);
        assert!(occurrences("self", &hidden).unwrap()[0] < found[0]);
    }
}
