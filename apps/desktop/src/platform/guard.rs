//! The profile is locked before the computer sleeps (S-STORE-08).

/// The part of a system that can hold up its sleep.
pub(super) trait Sleep {
    /// Holds the sleep up for as long as it lives; the system waits some seconds at most.
    type Delay;

    /// Asks that the next sleep waits; absent where the system does not let us.
    fn delay(&mut self) -> Option<Self::Delay>;
}

/// Keeps a delay at hand while the computer is awake, and hands it to whoever locks.
pub(super) struct Guard<S: Sleep, L> {
    sleep: S,
    delay: Option<S::Delay>,
    lock: L,
}

impl<S: Sleep, L: Fn(Option<S::Delay>)> Guard<S, L> {
    /// `lock` locks the profile, and drops the delay only when that is done.
    pub fn new(mut sleep: S, lock: L) -> Self {
        let delay = sleep.delay();
        Self { sleep, delay, lock }
    }

    /// The computer is about to sleep, or has woken.
    pub fn sleeps(&mut self, about_to: bool) {
        if about_to {
            (self.lock)(self.delay.take());
        } else if self.delay.is_none() {
            self.delay = self.sleep.delay();
        }
    }

    /// The desktop asks its session to lock.
    pub fn session_locks(&self) {
        (self.lock)(None);
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};
    use std::rc::Rc;

    use super::*;

    /// A system that counts the delays that hold it up.
    #[derive(Clone, Default)]
    struct Fake(Rc<Cell<u32>>);

    struct Delay(Rc<Cell<u32>>);

    impl Drop for Delay {
        fn drop(&mut self) {
            self.0.set(self.0.get() - 1);
        }
    }

    impl Sleep for Fake {
        type Delay = Delay;

        fn delay(&mut self) -> Option<Delay> {
            self.0.set(self.0.get() + 1);
            Some(Delay(self.0.clone()))
        }
    }

    #[test]
    fn s_store_08_the_sleep_waits_until_the_profile_is_locked() {
        let system = Fake::default();
        let locking = RefCell::new(Vec::new());
        let mut guard = Guard::new(system.clone(), |delay| locking.borrow_mut().push(delay));
        assert_eq!(system.0.get(), 1, "before anything happens");
        guard.sleeps(true);
        assert_eq!(locking.borrow().len(), 1);
        assert_eq!(system.0.get(), 1, "it is being locked");
        locking.borrow_mut().clear();
        assert_eq!(system.0.get(), 0, "locked: the computer may sleep");
        guard.sleeps(false);
        guard.sleeps(false);
        assert_eq!(system.0.get(), 1, "ready for the next time, once");
        guard.sleeps(true);
        assert_eq!(locking.borrow().len(), 1);
    }

    #[test]
    fn s_store_08_a_session_that_locks_does_too_and_holds_nothing_up() {
        let system = Fake::default();
        let locked = Cell::new(0);
        let guard = Guard::new(system.clone(), |delay: Option<Delay>| {
            assert!(delay.is_none());
            locked.set(locked.get() + 1);
        });
        guard.session_locks();
        assert_eq!((locked.get(), system.0.get()), (1, 1));
    }
}
