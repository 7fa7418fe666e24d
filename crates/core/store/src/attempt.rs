use crate::error::{Result, StoreError};
use crate::store::Store;

impl Store {
    /// Runs several statements as one part of a transaction, or as a transaction of their own: when
    /// `work` fails nothing of it is kept, while what was written before stays.
    ///
    /// # Errors
    ///
    /// What `work` gives, or why its part could not be kept.
    pub fn attempt<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce() -> Result<T, E>,
    ) -> Result<T, E> {
        let mark = self.unkept.borrow().mark();
        self.execute("SAVEPOINT attempt", [])?;
        let done = work();
        let kept = match &done {
            Ok(_) => self.execute("RELEASE attempt", []).map(|_| ()),
            // SQLite may have rolled back all by itself (disk full); then there is nothing to undo.
            Err(_) if self.connection.is_autocommit() => Ok(()),
            Err(_) => self
                .execute("ROLLBACK TO attempt", [])
                .and_then(|_| self.execute("RELEASE attempt", []))
                .map(|_| ()),
        };
        if done.is_err() || kept.is_err() {
            self.unkept.borrow_mut().undo_to(mark);
        } else if self.connection.is_autocommit() {
            self.unkept.borrow_mut().settle();
        }
        match (done, kept) {
            (Ok(_), Err(error)) => Err(error.into()),
            (done, _) => done,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failed_attempt_leaves_what_came_before() {
        let store = Store::in_memory().unwrap();
        store.begin().unwrap();
        store.setting_set("before", &1).unwrap();
        let failed: Result<()> = store.attempt(|| {
            store.setting_set("within", &2)?;
            Err(StoreError::NotFound { what: "reason" })
        });
        assert!(failed.is_err());
        store.attempt(|| store.setting_set("after", &3)).unwrap();
        store.commit().unwrap();
        assert_eq!(store.setting::<i64>("before").unwrap(), Some(1));
        assert_eq!(store.setting::<i64>("within").unwrap(), None);
        assert_eq!(store.setting::<i64>("after").unwrap(), Some(3));
    }
}
