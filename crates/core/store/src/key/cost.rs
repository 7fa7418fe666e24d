//! What a guess at the passphrase costs, fitted to the machine.

use std::time::Duration;

use argon2::Params;
use serde::{Deserialize, Serialize};

use super::KeyError;

/// Cost of a guess (RFC 9106). Stored with each slot, so that it can be raised.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cost {
    pub memory_kib: u32,
    pub passes: u32,
    pub lanes: u32,
}

impl Cost {
    /// The least: the second choice of RFC 9106 §4 with one lane, because the implementation uses
    /// one thread.
    pub(super) const LEAST: Self = Self {
        memory_kib: 64 * 1024,
        passes: 3,
        lanes: 1,
    };
    /// A key file that asks for more than this is not from us, and would only stop the program.
    const MOST: Self = Self {
        memory_kib: 1024 * 1024,
        passes: 256,
        lanes: 4,
    };
    /// Memory times passes, in KiB: passes are many only where memory is little.
    const MOST_WORK: u64 = 16 * 1024 * 1024;

    pub(super) fn params(self) -> Result<Params, KeyError> {
        let damaged = KeyError::Damaged {
            detail: "its cost is out of range",
        };
        if self.memory_kib > Self::MOST.memory_kib
            || self.passes > Self::MOST.passes
            || self.lanes > Self::MOST.lanes
            || self.work() > Self::MOST_WORK
        {
            return Err(damaged);
        }
        Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).map_err(|_| damaged)
    }

    fn work(self) -> u64 {
        u64::from(self.memory_kib) * u64::from(self.passes)
    }
}

/// How a cost is fitted to this machine (S-STORE-01): by the time that the derivation itself takes.
#[derive(Clone, Copy)]
pub(crate) struct Pace {
    /// Where fitting begins, and what no slot stays below.
    pub(super) least: Cost,
    /// What counts as the time of a derivation at a cost; tests put their own machine here.
    pub(super) spent: fn(Cost, Duration) -> Duration,
}

impl Pace {
    /// This machine.
    pub(crate) const REAL: Self = Self {
        least: Cost::LEAST,
        spent: |_, elapsed| elapsed,
    };

    /// Does a derivation and takes its time.
    pub(super) fn time<T>(
        self,
        cost: Cost,
        derive: impl FnOnce() -> Result<T, KeyError>,
    ) -> Result<(T, Duration), KeyError> {
        let start = spent_here();
        let derived = derive()?;
        let elapsed = spent_here().saturating_sub(start);
        Ok((derived, (self.spent)(cost, elapsed)))
    }

    /// The cost to take instead of one whose derivation took so long; absent when it is enough.
    ///
    /// Never lower than before. The passes alone grow, and stop where opening would take longer than
    /// [`LONGEST`].
    pub(super) fn raised(self, cost: Cost, took: Duration) -> Option<Cost> {
        let memory_kib = cost.memory_kib.max(self.least.memory_kib);
        let lanes = cost.lanes.max(self.least.lanes);
        let mut passes = cost.passes.max(self.least.passes);
        // With other memory the time says nothing; the next opening measures again.
        if took < SHORTEST && memory_kib == cost.memory_kib {
            let took = took.as_micros().max(1);
            let fitting = |time: Duration| {
                let passes = u128::from(cost.passes) * time.as_micros() / took;
                u32::try_from(passes).unwrap_or(u32::MAX)
            };
            let most = u32::try_from(Cost::MOST_WORK / u64::from(memory_kib.max(1)))
                .unwrap_or(u32::MAX)
                .min(Cost::MOST.passes)
                .min(fitting(LONGEST));
            passes = fitting(AIM).saturating_add(1).min(most).max(passes);
        }
        let raised = Cost {
            memory_kib,
            passes,
            lanes,
        };
        (raised != cost).then_some(raised)
    }
}

/// What a guess costs at least.
const SHORTEST: Duration = Duration::from_millis(300);
/// What is aimed at, so that a quicker moment of the same machine is still enough.
const AIM: Duration = Duration::from_millis(360);
/// What opening takes at most.
const LONGEST: Duration = Duration::from_secs(1);

/// Processor time of this thread so far: other programs at work must not make a guess look dearer than it is.
#[cfg(unix)]
fn spent_here() -> Duration {
    let now = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::try_from(now).unwrap_or_default()
}

/// Elsewhere the clock on the wall has to do.
#[cfg(not(unix))]
fn spent_here() -> Duration {
    static START: std::sync::LazyLock<std::time::Instant> =
        std::sync::LazyLock::new(std::time::Instant::now);
    START.elapsed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(per_pass: Duration) -> Cost {
        let mut cost = Cost::LEAST;
        let mut rounds = 0;
        while let Some(raised) = Pace::REAL.raised(cost, per_pass * cost.passes) {
            cost = raised;
            rounds += 1;
            assert!(rounds < 4, "it settles");
        }
        cost
    }

    #[test]
    fn s_store_01_passes_grow_until_a_guess_takes_300_ms_and_opening_no_more_than_a_second() {
        for per_pass in [2, 5, 10, 23, 40, 80, 99, 100, 101, 120, 200, 299, 333, 900] {
            let per_pass = Duration::from_millis(per_pass);
            let cost = fitted(per_pass);
            let takes = per_pass * cost.passes;
            assert!(takes >= SHORTEST, "{per_pass:?}: {takes:?}");
            assert!(
                takes <= LONGEST || cost.passes == Cost::LEAST.passes,
                "{per_pass:?}: {takes:?}"
            );
            assert_eq!(cost.memory_kib, 64 * 1024);
            cost.params().expect("it can be opened again");
        }
    }

    #[test]
    fn s_store_01_a_cost_is_never_lowered_and_has_a_bound() {
        let dear = Cost {
            passes: 40,
            ..Cost::LEAST
        };
        assert_eq!(Pace::REAL.raised(dear, Duration::from_secs(9)), None);
        let most = Pace::REAL
            .raised(Cost::LEAST, Duration::ZERO)
            .expect("raised");
        assert_eq!(most.passes, Cost::MOST.passes);
        most.params().expect("it can be opened again");
        let small = Cost {
            memory_kib: 64,
            passes: 1,
            lanes: 1,
        };
        let raised = Pace::REAL.raised(small, Duration::from_secs(1));
        assert_eq!(raised, Some(Cost::LEAST), "little memory is never enough");
        let huge = Cost {
            memory_kib: 1024 * 1024,
            passes: 17,
            lanes: 1,
        };
        assert!(huge.params().is_err(), "hours of work are refused");
    }
}
