use std::sync::Arc;

use super::*;

#[test]
fn s_store_16_no_level_shows_a_password_a_text_or_an_address() {
    let text = logged(LevelFilter::TRACE, || {
        let secret = "canary-1";
        let bytes: &[u8] = b"canary-2";
        tracing::error!(password = secret, body = %"canary-3", "one");
        tracing::warn!(xml = ?"<body>canary-4</body>", bytes, "two");
        tracing::info!(error = %"no such contact: canary-5@a.example/canary-6 canary-7", "three");
        tracing::debug!("{} was sent to {}", "\"canary-8\"", "canary-9@a.example");
        tracing::trace!(fault = "bad text 'canary-10' at “canary-11", "four");
        tracing::trace!(target: "rustls::client", "canary-12");
        tracing::trace!(target: "hickory_resolver", error = "canary-13", "five");
        tracing::trace!(cause = %"(canary-14@a.example)\u{a0}\ncanary-15@b.example", "six");
    });
    assert!(!text.contains("canary"), "{text}");
    for expected in ["password=…", "bytes=…", "error=no such contact: …", "six"] {
        assert!(text.contains(expected), "{expected:?} is missing in {text}");
    }
    assert_eq!(text.lines().count(), 6);
}

#[test]
fn what_helps_is_shown() {
    let text = logged(LevelFilter::DEBUG, || {
        tracing::warn!(link = 7, first = true, error = %"it's broken", "a link ended");
        tracing::trace!("more than was asked for");
    });
    assert!(
        text.ends_with(
            " WARN  sotto_runtime::log::tests: a link ended link=7 first=true error=it's broken\n"
        ),
        "{text}"
    );
    assert_eq!(text.lines().count(), 1);
}

#[test]
fn a_value_is_cut_and_cannot_forge_a_line() {
    let text = logged(LevelFilter::TRACE, || {
        tracing::error!(error = %"x\nERROR sotto: forged".to_owned(), "one");
        tracing::error!(error = %"y".repeat(100_000), "two");
    });
    assert_eq!(text.lines().count(), 2);
    assert!(text.len() < 1000);
}

#[test]
fn without_being_asked_nothing_is_logged() {
    assert_eq!(logged(LevelFilter::OFF, || tracing::error!("one")), "");
}

#[derive(Clone, Default)]
struct Memory(Arc<Mutex<Vec<u8>>>);

impl Write for Memory {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What `run` logs.
fn logged(level: LevelFilter, run: impl FnOnce()) -> String {
    let memory = Memory::default();
    let layer = Redacted::new(level, memory.clone());
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), run);
    let bytes = memory.0.lock().unwrap().clone();
    String::from_utf8(bytes).unwrap()
}
