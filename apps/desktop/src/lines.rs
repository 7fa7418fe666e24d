use std::any::Any;
use std::cell::RefCell;

use slint::{Model, ModelNotify, ModelTracker};

use crate::model::{Change, Keyed, changes};

/// A list for the window over plain lines: a row is made only when it is shown, and a change
/// touches only the rows that differ.
pub struct Lines<L, R> {
    lines: RefCell<Vec<L>>,
    show: Box<dyn Fn(&L) -> R>,
    notify: ModelNotify,
}

impl<L: Keyed + 'static, R: 'static> Lines<L, R> {
    /// An empty list whose rows are made by `show`.
    pub fn new(show: impl Fn(&L) -> R + 'static) -> Self {
        Self {
            lines: RefCell::default(),
            show: Box::new(show),
            notify: ModelNotify::default(),
        }
    }

    /// Replaces the lines. All steps name places in the new list, so it can be put in place first.
    pub fn set(&self, new: Vec<L>) {
        let steps = changes(&self.lines.borrow(), &new);
        self.lines.replace(new);
        for step in steps {
            match step {
                Change::Changed(at) => self.notify.row_changed(at),
                Change::Removed(at, count) => self.notify.row_removed(at, count),
                Change::Added(at, count) => self.notify.row_added(at, count),
            }
        }
    }

    /// Makes all rows anew: a picture arrived, the language changed.
    pub fn refresh(&self) {
        for at in 0..self.lines.borrow().len() {
            self.notify.row_changed(at);
        }
    }

    /// How many lines there are.
    pub fn len(&self) -> usize {
        self.lines.borrow().len()
    }

    /// What `read` finds in the lines.
    pub fn with<T>(&self, read: impl FnOnce(&[L]) -> T) -> T {
        read(&self.lines.borrow())
    }
}

impl<L: Keyed + 'static, R: 'static> Model for Lines<L, R> {
    type Data = R;

    fn row_count(&self) -> usize {
        self.len()
    }

    fn row_data(&self, row: usize) -> Option<R> {
        self.lines.borrow().get(row).map(&self.show)
    }

    fn model_tracker(&self) -> &dyn ModelTracker {
        &self.notify
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}
