use std::alloc::System;

use zeroizing_alloc::ZeroAlloc;

/// Whatever the program gives back of its memory is wiped first, in every program that uses this crate: texts and
/// passwords pass through many hands, and a locked profile leaves none of them behind (S-STORE-08, S-STORE-10).
#[global_allocator]
static WIPES: ZeroAlloc<System> = ZeroAlloc(System);

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
