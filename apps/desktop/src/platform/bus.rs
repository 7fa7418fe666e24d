//! What the desktop says over D-Bus. Where there is no bus, none of it happens, and all else works (R-SYS-03).

use std::thread;

use zbus::blocking::fdo::DBusProxy;
use zbus::blocking::{Connection, MessageIterator};
use zbus::zvariant::{OwnedFd, OwnedObjectPath, OwnedValue};
use zbus::{MatchRule, Message, message::Type};

use super::guard::{Guard, Sleep};

const WATCHER: &str = "org.kde.StatusNotifierWatcher";
const LOGIN: &str = "org.freedesktop.login1";
const LOGIN_PATH: &str = "/org/freedesktop/login1";
const MANAGER: &str = "org.freedesktop.login1.Manager";
const SESSION: &str = "org.freedesktop.login1.Session";

/// Whether the desktop has a tray now. Waits for the desktop's answer.
pub(super) fn has_tray() -> bool {
    let ask = || -> zbus::Result<bool> {
        let bus = Connection::session()?;
        let answer = bus.call_method(
            Some(WATCHER),
            "/StatusNotifierWatcher",
            Some("org.freedesktop.DBus.Properties"),
            "Get",
            &(WATCHER, "IsStatusNotifierHostRegistered"),
        )?;
        let value: OwnedValue = answer.body().deserialize()?;
        Ok(bool::try_from(value)?)
    };
    ask().unwrap_or(false)
}

/// Calls `lock` when the computer is about to sleep, with what holds the sleep up until it is dropped, and when the
/// desktop locks its session.
pub(super) fn watch(lock: impl Fn(Option<OwnedFd>) + Send + 'static) {
    // A system that makes no thread for it has no bus either.
    let _ = thread::Builder::new().name("sleep".into()).spawn(|| {
        // Ends with the bus: then the desktop tells nothing any more.
        let _ = listen(lock);
    });
}

fn listen(lock: impl Fn(Option<OwnedFd>)) -> zbus::Result<()> {
    let bus = Connection::system()?;
    let names = DBusProxy::new(&bus)?;
    let signal = |path: &str, interface: &'static str, member: &'static str| {
        MatchRule::builder()
            .msg_type(Type::Signal)
            .sender(LOGIN)?
            .path(path.to_owned())?
            .interface(interface)?
            .member(member)
            .map(|rule| rule.build().to_owned())
    };
    names.add_match_rule(signal(LOGIN_PATH, MANAGER, "PrepareForSleep")?)?;
    let session = own_session(&bus).ok();
    if let Some(session) = &session {
        names.add_match_rule(signal(session.as_str(), SESSION, "Lock")?)?;
    }
    let mut guard = Guard::new(Logind(bus.clone()), lock);
    for message in MessageIterator::from(&bus) {
        let message = message?;
        if let Some(about_to) = prepares(&message) {
            guard.sleeps(about_to);
        } else if locks(&message, session.as_ref()) {
            guard.session_locks();
        }
    }
    Ok(())
}

/// The session of this process; none for one that runs outside of any.
fn own_session(bus: &Connection) -> zbus::Result<OwnedObjectPath> {
    let answer = bus.call_method(
        Some(LOGIN),
        LOGIN_PATH,
        Some(MANAGER),
        "GetSessionByPID",
        &std::process::id(),
    )?;
    answer.body().deserialize()
}

/// Whether the computer is about to sleep, if the message says so or the contrary.
fn prepares(message: &Message) -> Option<bool> {
    is(message, MANAGER, "PrepareForSleep")
        .then(|| message.body().deserialize().ok())
        .flatten()
}

fn locks(message: &Message, session: Option<&OwnedObjectPath>) -> bool {
    is(message, SESSION, "Lock")
        && message.header().path().map(|path| path.as_str())
            == session.map(|session| session.as_str())
}

fn is(message: &Message, interface: &str, member: &str) -> bool {
    let header = message.header();
    header.message_type() == Type::Signal
        && header.interface().is_some_and(|it| it == interface)
        && header.member().is_some_and(|it| it == member)
}

struct Logind(Connection);

impl Sleep for Logind {
    type Delay = OwnedFd;

    fn delay(&mut self) -> Option<OwnedFd> {
        let answer = self.0.call_method(
            Some(LOGIN),
            LOGIN_PATH,
            Some(MANAGER),
            "Inhibit",
            &("sleep", "Sotto", "The profile is locked first", "delay"),
        );
        answer.ok()?.body().deserialize().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn signal(path: &str, interface: &str, member: &str) -> Message {
        Message::signal(path, interface, member)
            .unwrap()
            .build(&true)
            .unwrap()
    }

    #[test]
    fn s_store_08_the_words_of_the_system_are_understood() {
        assert_eq!(
            prepares(&signal(LOGIN_PATH, MANAGER, "PrepareForSleep")),
            Some(true)
        );
        assert_eq!(
            prepares(&signal(LOGIN_PATH, MANAGER, "PrepareForShutdown")),
            None
        );
        let own = OwnedObjectPath::try_from("/org/freedesktop/login1/session/_31").unwrap();
        let lock = |path: &str| locks(&signal(path, SESSION, "Lock"), Some(&own));
        assert!(lock(own.as_str()));
        assert!(
            !lock("/org/freedesktop/login1/session/_32"),
            "of somebody else"
        );
        assert!(!locks(&signal(LOGIN_PATH, SESSION, "Lock"), None));
    }
}
