//! Whether this computer's clock may decide what has expired.
//!
//! A clock that was set ahead would let everything expire within seconds, and nothing brings it back. So a leap
//! is not believed at once: neither since the program last ran, nor, besides the time that went by, while it runs.
//! Once the clock has gone on for a day from there it is believed, since somebody who did not use the program for
//! long has such a leap too. Until then nothing expires; what is erased by hand goes as ever.

use std::time::Instant;

use serde::{Deserialize, Serialize};
use sotto_store::{Store, StoreError};

use crate::io::Now;

/// Setting: what is known about the clock.
const CLOCK: &str = "history.clock";
const HOUR: i64 = 3_600_000;
const DAY: i64 = 24 * HOUR;
/// The longest leap that is believed at once, in milliseconds. A computer may sleep, and people be away.
const LEAP: i64 = 10 * DAY;

/// What was seen of the clock.
#[derive(Default)]
pub(crate) struct Clock {
    saved: Option<Seen>,
    looked: Option<(Instant, Seen)>,
}

/// In milliseconds since 1970.
#[derive(Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Seen {
    /// The last time that was believed.
    believed: i64,
    /// When the clock had leapt, and the last time that was seen since.
    leapt: Option<(i64, i64)>,
}

impl Clock {
    /// Whether the time is to be believed.
    pub fn is_sure(&mut self, store: &Store, now: Now) -> Result<bool, StoreError> {
        let before = match self.looked {
            Some((at, seen)) => {
                let passed = now.instant.saturating_duration_since(at).as_millis();
                Some((seen, i64::try_from(passed).unwrap_or(i64::MAX)))
            }
            None => {
                self.saved = store.setting(CLOCK)?;
                self.saved.map(|seen| (seen, 0))
            }
        };
        let seen = match before {
            Some((seen, passed)) => seen.next(passed, now.unix_ms),
            None => Seen::believed(now.unix_ms),
        };
        self.looked = Some((now.instant, seen));
        if self.saved.is_none_or(|saved| saved.differs(&seen)) {
            store.setting_set(CLOCK, &seen)?;
            self.saved = Some(seen);
        }
        Ok(seen.leapt.is_none())
    }
}

impl Seen {
    fn believed(now: i64) -> Self {
        Self {
            believed: now,
            leapt: None,
        }
    }

    fn next(self, passed: i64, now: i64) -> Self {
        let reaches =
            |from: i64| now <= from.saturating_add(passed).saturating_add(LEAP) && now >= from;
        // Set back, or gone on.
        if now < self.believed || reaches(self.believed) {
            return Self::believed(now);
        }
        match self.leapt {
            Some((since, last)) if reaches(last) => {
                if now.saturating_sub(since) >= DAY {
                    Self::believed(now)
                } else {
                    Self {
                        leapt: Some((since, now)),
                        ..self
                    }
                }
            }
            _ => Self {
                leapt: Some((now, now)),
                ..self
            },
        }
    }

    /// Enough to be written down.
    fn differs(&self, new: &Self) -> bool {
        self.leapt.is_some() != new.leapt.is_some()
            || self.last().abs_diff(new.last()) >= HOUR.unsigned_abs()
            || self.leapt.map(|(since, _)| since) != new.leapt.map(|(since, _)| since)
    }

    fn last(&self) -> i64 {
        self.leapt.map_or(self.believed, |(_, last)| last)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// What a program says that looks at these hours since the beginning by the clock, and by another that nobody
    /// sets. Absent: it is started anew.
    fn says(looks: &[Option<(i64, u64)>]) -> Vec<bool> {
        let store = Store::in_memory().expect("a store");
        let begin = Instant::now();
        let mut clock = Clock::default();
        let mut said = Vec::new();
        for look in looks {
            match look {
                None => clock = Clock::default(),
                Some((hours, passed)) => {
                    let now = Now {
                        instant: begin + Duration::from_secs(passed * 3600),
                        unix_ms: 1_700_000_000_000 + hours * HOUR,
                    };
                    said.push(clock.is_sure(&store, now).expect("it says"));
                }
            }
        }
        said
    }

    #[test]
    fn time_that_passes_is_believed_however_long_the_program_runs_or_rests() {
        assert_eq!(
            says(&[Some((0, 0)), Some((9_000, 9_000)), None, Some((9_230, 0))]),
            [true, true, true]
        );
        // Asleep, the computer's other clock may stand.
        assert_eq!(says(&[Some((0, 0)), Some((200, 1))]), [true, true]);
        assert_eq!(says(&[Some((0, 0)), Some((-900, 1))]), [true, true], "back");
    }

    #[test]
    fn a_leap_is_believed_once_the_clock_has_gone_on_for_a_day() {
        for start in [false, true] {
            let mut looks = vec![Some((0, 0))];
            looks.extend(start.then_some(None));
            looks.extend([
                Some((900, 1)),
                Some((901, 2)),
                Some((923, 24)),
                Some((924, 25)),
            ]);
            assert_eq!(says(&looks), [true, false, false, false, true]);
        }
        let over_starts = [
            Some((0, 0)),
            None,
            Some((900, 0)),
            None,
            Some((912, 0)),
            None,
            Some((925, 0)),
        ];
        assert_eq!(says(&over_starts), [true, false, false, true]);
    }

    #[test]
    fn a_clock_that_was_set_right_again_is_believed_and_another_leap_is_not() {
        assert_eq!(
            says(&[
                Some((0, 0)),
                Some((9_000, 1)),
                Some((2, 2)),
                Some((9_000, 3))
            ]),
            [true, false, true, false]
        );
        assert_eq!(
            says(&[Some((0, 0)), Some((900, 1)), Some((9_900, 30))]),
            [true, false, false]
        );
    }
}
