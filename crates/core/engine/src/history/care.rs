//! Erasing and expiring, a little at a time, while everything else goes on.

use std::time::{Duration, Instant};

use sotto_api::view::Settings;
use sotto_api::{ApiError, Event, Reply};
use sotto_store::{Store, StoreError};

use super::in_days;
use crate::context::{Context, ReplyTo};
use crate::error::Fault;
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
    waiting: Vec<(ReplyTo, Reply)>,
}

/// What one piece of work came to.
enum Piece {
    Erased,
    Tidied,
    /// There is nothing more to do; `next` says when there may be.
    Done {
        next: Option<Duration>,
    },
}

impl Care {
    /// Something may be to be done: at the start, and when what holds has changed.
    pub fn wake(&mut self, now: Instant) {
        self.due = Some(now + PAUSE);
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
        match piece(cx.store, cx.settings, cx.timestamp())? {
            Piece::Erased => self.erased = true,
            Piece::Tidied => {}
            Piece::Done { next } => {
                if std::mem::take(&mut self.erased) {
                    cx.store.checkpoint()?;
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
}

fn piece(
    store: &Store,
    settings: &Settings,
    now: sotto_api::Timestamp,
) -> Result<Piece, StoreError> {
    if store.is_erasing()? {
        store.erase_step()?;
        return Ok(Piece::Erased);
    }
    let days = in_days(settings.expiry);
    if store.expire(days, now, PIECE)? > 0 {
        return Ok(Piece::Erased);
    }
    if store.tidy()? {
        return Ok(Piece::Tidied);
    }
    let next = if store.can_expire(days)? {
        let wait = match store.expires_next(days)? {
            Some(at) => Duration::from_millis(u64::try_from(at.0 - now.0).unwrap_or(0)),
            None => LONGEST,
        };
        Some(wait.clamp(SHORTEST, LONGEST))
    } else {
        None
    };
    Ok(Piece::Done { next })
}
