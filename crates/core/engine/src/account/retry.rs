use std::time::{Duration, Instant};

/// The first try after a loss comes within a second (R-NET-03).
const FIRST: Duration = Duration::from_millis(800);
/// Then 2, 4 … seconds, never more than this.
const LONGEST: Duration = Duration::from_secs(60);
/// A connection that held for so long was a good one: the next loss starts from the beginning.
const PROVEN: Duration = Duration::from_secs(30);

/// When to try again after a connection was lost.
#[derive(Debug, Default)]
pub(crate) struct Retry {
    failures: u32,
    online_since: Option<Instant>,
}

impl Retry {
    /// Signed in.
    pub fn online(&mut self, now: Instant) {
        self.online_since = Some(now);
    }

    /// The network came back, or the person asked: start from the beginning.
    pub fn reset(&mut self) {
        self.failures = 0;
    }

    /// The connection was lost or not made: how long to wait. `random` is any byte: the wait is
    /// shortened by up to a quarter, so that the clients of a server that restarts do not come at once.
    pub fn lost(&mut self, now: Instant, random: u8) -> Duration {
        let held = self.online_since.take();
        if held.is_some_and(|since| now.saturating_duration_since(since) >= PROVEN) {
            self.failures = 0;
        }
        let wait = match self.failures {
            0 => FIRST,
            n => Duration::from_secs(1 << n.min(6)).min(LONGEST),
        };
        self.failures = self.failures.saturating_add(1);
        wait - wait.mul_f64(f64::from(random) / 1024.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn r_net_03_waits_grow_from_under_a_second_to_a_minute() {
        let now = Instant::now();
        let mut retry = Retry::default();
        let waits: Vec<u64> = (0..9)
            .map(|_| retry.lost(now, 0).as_millis() as u64)
            .collect();
        assert_eq!(
            waits,
            [
                800, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000, 60_000
            ]
        );
        retry.reset();
        assert_eq!(retry.lost(now, 0), FIRST);
    }

    #[test]
    fn jitter_only_shortens_and_by_at_most_a_quarter() {
        let now = Instant::now();
        for byte in 0..=255 {
            let wait = Retry::default().lost(now, byte);
            assert!(wait <= FIRST && wait >= FIRST.mul_f64(0.75), "{wait:?}");
        }
    }

    #[test]
    fn a_server_that_drops_every_fresh_connection_is_not_stormed() {
        let mut now = Instant::now();
        let mut retry = Retry::default();
        let mut last = Duration::ZERO;
        for _ in 0..7 {
            retry.online(now);
            now += Duration::from_secs(1);
            last = retry.lost(now, 0);
        }
        assert_eq!(last, LONGEST);
        retry.online(now);
        now += Duration::from_secs(31);
        assert_eq!(retry.lost(now, 0), FIRST);
    }
}
