/// No core file and no other process of the same user looking into this one's memory (S-STORE-09).
///
/// Where the system does not know these switches, the program runs without them.
#[cfg(target_os = "linux")]
pub(crate) fn process() {
    use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    if setrlimit(Resource::Core, none).is_err() {
        tracing::warn!("core files could not be switched off");
    }
    if set_dumpable_behavior(DumpableBehavior::NotDumpable).is_err() {
        tracing::warn!("tracing by other processes could not be switched off");
    }
}

/// Nothing to switch here.
#[cfg(not(target_os = "linux"))]
pub(crate) fn process() {}
