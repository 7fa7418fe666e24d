//! Erasing and expiring, a little at a time, while everything else goes on.

use std::time::{Duration, Instant};

use sotto_api::view::Settings;
use sotto_api::{ApiError, Event, Reply, Timestamp};
use sotto_store::{Store, StoreError};

use super::clock::Clock;
use super::in_days;
use crate::context::{Context, ReplyTo};
use crate::error::Fault;
use crate::io::Now;
use crate::words;

/// Between two pieces of work, so that messages get their turn.
const PAUSE: Duration = Duration::from_millis(10);
/// After a piece that could not be done, for example on a full disk.
const PAUSE_AFTER_FAULT: Duration = Duration::from_secs(60);
/// Expiry is looked after at least so often: the computer may have slept, or its clock been set.
const LONGEST: Duration = Duration::from_secs(3600);
/// And at most so often.
const SHORTEST: Duration = Duration::from_secs(60);
/// Messages of one piece.
const PIECE: u32 = 200;

/// What is still to be erased, and who waits for it.
#[derive(Default)]
pub(crate) struct Care {
    due: Option<Instant>,
    /// Something went since shells were last told.
    erased: bool,
    /// Something went from the file that may stand in its log.
    overwritten: bool,
    clock: Clock,
    waiting: Vec<(ReplyTo, Reply)>,
}

/// What one piece of work came to.
enum Piece {
    Erased,
    Tidied,
    /// There is nothing more to do; `next` says when there may be.
    Done {
        next: Option<Duration>,
        /// Absent when the clock is not sure.
        now: Option<Timestamp>,
    },
}

impl Care {
    /// Something may be to be done: at the start, and when what holds has changed.
    pub fn wake(&mut self, now: Instant) {
        self.due = Some(now + PAUSE);
    }

    /// Something goes that must not stay in the file's log either, for example a password.
    pub fn overwritten(&mut self, now: Instant) {
        self.overwritten = true;
        self.wake(now);
    }

    /// Answers when everything that was begun is gone from the file.
    pub fn answer_when_erased(&mut self, now: Instant, to: ReplyTo, reply: Reply) {
        self.erased = true;
        self.waiting.push((to, reply));
        self.wake(now);
    }

    /// Whoever asked was answered otherwise.
    pub fn forget(&mut self, to: ReplyTo) {
        self.waiting.retain(|(waits, _)| *waits != to);
    }

    pub fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// Does one piece of work. Outside any transaction.
    pub fn handle_timeout(&mut self, cx: &mut Context) {
        let now = cx.now.instant;
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        match self.work(cx) {
            Ok(due) => self.due = due.map(|wait| now + wait),
            Err(error) => {
                tracing::warn!(%error, "what is to be erased could not be");
                self.due = Some(now + PAUSE_AFTER_FAULT);
                let error = ApiError::from(Fault::from(error));
                self.refuse(cx, &error);
            }
        }
    }

    fn work(&mut self, cx: &mut Context) -> Result<Option<Duration>, StoreError> {
        if !self.waiting.is_empty() {
            // A backup that is being written would hold what goes, and keeps the file from being written: it is given up.
            cx.store.thaw()?;
        }
        match self.piece(cx.store, cx.settings, cx.now)? {
            Piece::Erased => self.erased = true,
            Piece::Tidied => self.overwritten = true,
            Piece::Done { next, now } => {
                if self.erased || self.overwritten {
                    cx.store.checkpoint()?;
                    self.overwritten = false;
                }
                let days = in_days(cx.settings.expiry);
                if cx.store.remains_step(now, days)? {
                    return Ok(Some(PAUSE));
                }
                if std::mem::take(&mut self.erased) {
                    cx.changes.push(Event::HistoryErased);
                    cx.changes.contacts();
                }
                for (to, reply) in std::mem::take(&mut self.waiting) {
                    cx.answer(to, Ok(reply));
                }
                return Ok(next);
            }
        }
        Ok(Some(PAUSE))
    }

    /// The profile closes: what was begun goes on at the next start.
    pub fn close(&mut self, cx: &mut Context) {
        self.refuse(cx, &words::closing());
    }

    fn refuse(&mut self, cx: &mut Context, error: &ApiError) {
        for (to, _) in std::mem::take(&mut self.waiting) {
            cx.answer(to, Err(error.clone()));
        }
    }

    fn piece(&mut self, store: &Store, settings: &Settings, now: Now) -> Result<Piece, StoreError> {
        if store.is_erasing()? {
            store.erase_step()?;
            return Ok(Piece::Erased);
        }
        let days = in_days(settings.expiry);
        let time = Timestamp(now.unix_ms);
        let is_sure = self.clock.is_sure(store, now)?;
        if is_sure && store.expire(days, time, PIECE)? > 0 {
            return Ok(Piece::Erased);
        }
        if store.tidy()? {
            return Ok(Piece::Tidied);
        }
        let mut next = (store.remains()? > 0).then_some(LONGEST);
        if store.can_expire(days)? {
            let wait = match store.expires_next(days)? {
                Some(at) if is_sure => {
                    Duration::from_millis(u64::try_from(at.0 - time.0).unwrap_or(0))
                }
                _ => LONGEST,
            };
            next = Some(wait.clamp(SHORTEST, LONGEST));
        }
        let now = is_sure.then_some(time);
        Ok(Piece::Done { next, now })
    }
}
