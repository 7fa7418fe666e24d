use std::time::{Duration, Instant};

/// Slows guessing down after the fifth wrong passphrase (S-STORE-04): 1 s, 2 s, 4 s … at most 30 s.
///
/// It adds to the cost of each guess, which is in [`super::UnlockJob`].
#[derive(Debug, Default)]
pub struct UnlockThrottle {
    wrong: u32,
    until: Option<Instant>,
}

impl UnlockThrottle {
    /// Guesses without a delay.
    pub const FREE: u32 = 5;

    /// How long to wait before the next guess; absent when it may be made now.
    pub fn wait(&self, now: Instant) -> Option<Duration> {
        self.until
            .and_then(|until| until.checked_duration_since(now))
            .filter(|wait| !wait.is_zero())
    }

    /// A guess was wrong.
    pub fn wrong(&mut self, now: Instant) {
        self.wrong = self.wrong.saturating_add(1);
        if let Some(doublings) = self.wrong.checked_sub(Self::FREE) {
            let seconds = 1_u64 << doublings.min(5);
            self.until = Some(now + Duration::from_secs(seconds.min(30)));
        }
    }

    /// The profile was opened.
    pub fn opened(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_store_04_the_sixth_guess_and_later_ones_wait() {
        let mut now = Instant::now();
        let mut throttle = UnlockThrottle::default();
        let mut waits = Vec::new();
        for _ in 0..12 {
            let wait = throttle.wait(now).unwrap_or_default();
            waits.push(wait.as_secs());
            now += wait;
            throttle.wrong(now);
        }
        assert_eq!(waits, [0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 30, 30]);
        throttle.opened();
        assert_eq!(throttle.wait(now), None);
    }
}
