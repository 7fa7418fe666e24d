/// Fills a buffer from the system's generator.
///
/// Aborts where the system has no randomness to give: nothing that follows could be safe.
pub(crate) fn fill(buffer: &mut [u8]) {
    if getrandom::fill(buffer).is_err() {
        tracing::error!("the system gives no randomness");
        std::process::abort();
    }
}
