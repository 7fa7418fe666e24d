use std::fmt;

/// Slow work, away from the engine's thread.
pub struct WorkJob(Box<dyn FnOnce() -> WorkResult + Send>);

impl WorkJob {
    pub(crate) fn new(job: impl FnOnce() -> WorkResult + Send + 'static) -> Self {
        Self(Box::new(job))
    }

    /// Does the work; takes up to seconds.
    pub fn run(self) -> WorkResult {
        (self.0)()
    }
}

impl fmt::Debug for WorkJob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkJob")
    }
}

/// What a [`WorkJob`] found; only the engine looks inside.
pub struct WorkResult(pub(crate) Done);

pub(crate) enum Done {
    /// The job itself failed by a fault of ours.
    Failed,
}

impl fmt::Debug for WorkResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WorkResult")
    }
}
