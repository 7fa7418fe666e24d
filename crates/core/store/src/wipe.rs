//! Memory that SQLite gives back is wiped first (S-STORE-08, S-STORE-10).
//!
//! SQLite keeps pages of the profile in the clear while it works. `PRAGMA cipher_memory_security` would wipe them too,
//! but it also locks every allocation into memory, one system call each, which insertion and search cannot afford.
#![allow(
    unsafe_code,
    reason = "SQLite's allocator is replaced by C functions, and there is no safe interface to do so"
)]

use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::OnceLock;

use rusqlite::ffi::{self, sqlite3_mem_methods};

type Allocate = unsafe extern "C" fn(c_int) -> *mut c_void;
type Free = unsafe extern "C" fn(*mut c_void);
type Size = unsafe extern "C" fn(*mut c_void) -> c_int;

/// SQLite's own functions, which do the work.
struct Own {
    allocate: Allocate,
    free: Free,
    size: Size,
}

static OWN: OnceLock<Option<Own>> = OnceLock::new();

/// Makes SQLite wipe what it frees, from the first call on. To be called before any database is opened; where
/// SQLite is in use already, by code that is not this crate's, it stays as it is.
pub(crate) fn install() {
    OWN.get_or_init(|| {
        let mut methods = sqlite3_mem_methods {
            xMalloc: None,
            xFree: None,
            xRealloc: None,
            xSize: None,
            xRoundup: None,
            xInit: None,
            xShutdown: None,
            pAppData: ptr::null_mut(),
        };
        // SAFETY: SQLite fills in the structure that it is given, and refuses when it is running already.
        let got = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_GETMALLOC, &raw mut methods) };
        if got != ffi::SQLITE_OK {
            return None;
        }
        let own = Own {
            allocate: methods.xMalloc?,
            free: methods.xFree?,
            size: methods.xSize?,
        };
        methods.xMalloc = Some(allocate);
        methods.xFree = Some(free);
        methods.xRealloc = Some(reallocate);
        // SAFETY: SQLite copies the structure. Its other functions are its own, and ours keep their contract. None
        // of them is called before `OWN` is set: nothing is open yet.
        let set = unsafe { ffi::sqlite3_config(ffi::SQLITE_CONFIG_MALLOC, &raw mut methods) };
        (set == ffi::SQLITE_OK).then_some(own)
    });
}

fn own() -> &'static Own {
    OWN.get()
        .and_then(Option::as_ref)
        .expect("these functions are given to SQLite together with its own")
}

unsafe extern "C" fn allocate(size: c_int) -> *mut c_void {
    // SAFETY: SQLite calls it as it would call its own.
    unsafe { (own().allocate)(size) }
}

unsafe extern "C" fn free(memory: *mut c_void) {
    if memory.is_null() {
        return;
    }
    // SAFETY: `memory` came from `allocate` and is at least as long as SQLite's own function says. The call through
    // a pointer that the compiler cannot look behind keeps it from leaving the writing out.
    unsafe {
        let length = usize::try_from((own().size)(memory)).unwrap_or(0);
        ptr::write_bytes(memory.cast::<u8>(), 0, length);
        (own().free)(memory);
    }
}

/// SQLite never asks with a null pointer or for nothing (`sqlite3_mem_methods`).
unsafe extern "C" fn reallocate(memory: *mut c_void, size: c_int) -> *mut c_void {
    // SAFETY: as in `free`; the old block is given up only after its whole length was copied into the longer new one.
    unsafe {
        let before = (own().size)(memory);
        if size <= before {
            return memory;
        }
        let new = (own().allocate)(size);
        if !new.is_null() {
            let length = usize::try_from(before).unwrap_or(0);
            ptr::copy_nonoverlapping(memory.cast::<u8>(), new.cast::<u8>(), length);
            free(memory);
        }
        new
    }
}
