//! The key while it is in memory. The one place of this crate with `unsafe`.
#![allow(
    unsafe_code,
    reason = "locking a page in memory and handing a key to SQLCipher without a copy of it in SQL text have no safe interface"
)]

use std::ffi::c_void;
use std::fmt;
use std::ptr::NonNull;

use rusqlite::{Connection, ffi};
use zeroize::{Zeroize, Zeroizing};

use super::KeyError;
use crate::error::{Result, StoreError};

/// The 32 random bytes that seal a store.
///
/// They lie on a page of their own that is not swapped and not dumped where the system allows it
/// (S-STORE-09), and are wiped when dropped (S-STORE-10).
pub struct DatabaseKey {
    page: NonNull<u8>,
    locked: bool,
}

// SAFETY: the page is owned by this value alone; nothing else holds a pointer to it.
unsafe impl Send for DatabaseKey {}

impl DatabaseKey {
    /// Length in bytes.
    pub const LEN: usize = 32;

    /// A new key from the system's random source.
    pub fn random() -> Result<Self, KeyError> {
        let mut bytes = Zeroizing::new([0; Self::LEN]);
        getrandom::fill(bytes.as_mut()).map_err(|_| KeyError::Random)?;
        Ok(Self::from_bytes(&bytes))
    }

    /// Takes a copy of `bytes`; the caller wipes its own.
    pub fn from_bytes(bytes: &[u8; Self::LEN]) -> Self {
        let mut key = Self::zeroed();
        key.bytes_mut().copy_from_slice(bytes);
        key
    }

    /// Whether the system agreed to keep the page out of the swap file.
    pub fn is_locked_in_memory(&self) -> bool {
        self.locked
    }

    pub(crate) fn expose(&self) -> &[u8; Self::LEN] {
        // SAFETY: `page` points at LEN readable bytes that were initialised with zeros and live as long as `self`.
        unsafe { self.page.cast().as_ref() }
    }

    fn bytes_mut(&mut self) -> &mut [u8; Self::LEN] {
        // SAFETY: as in `expose`; `&mut self` makes the access exclusive.
        unsafe { self.page.cast().as_mut() }
    }

    /// Opens the connection's file with this key.
    pub(crate) fn apply(&self, connection: &Connection) -> Result<()> {
        // SQLCipher's raw form: x'…' with 64 hexadecimal digits; anything else would go through PBKDF2.
        let mut literal = Zeroizing::new(Vec::with_capacity(3 + 2 * Self::LEN));
        literal.extend_from_slice(b"x'");
        for byte in self.expose() {
            literal.push(hex_digit(byte >> 4));
            literal.push(hex_digit(byte & 15));
        }
        literal.push(b'\'');
        let length = i32::try_from(literal.len()).unwrap_or(i32::MAX);
        // SAFETY: the handle belongs to an open connection that is borrowed for the call; SQLCipher
        // copies the bytes into memory that it wipes itself.
        let code = unsafe {
            ffi::sqlite3_key(
                connection.handle(),
                literal.as_ptr().cast::<c_void>(),
                length,
            )
        };
        if code != ffi::SQLITE_OK {
            return Err(StoreError::WrongKey);
        }
        Ok(())
    }
}

/// Without a branch or a table look-up that depends on the key (S-STORE-11).
fn hex_digit(nibble: u8) -> u8 {
    // 0 for 0–9, 1 for 10–15.
    let letter = nibble.wrapping_add(6) >> 4;
    b'0' + nibble + letter * 39
}

#[cfg(unix)]
mod page {
    use super::{NonNull, c_void};
    use rustix::mm::{Advice, MapFlags, ProtFlags};

    /// Pages are at least this long.
    const LEN: usize = 4096;

    pub(super) fn allocate() -> Option<(NonNull<u8>, bool)> {
        // SAFETY: an anonymous mapping at an address of the kernel's choice touches no other memory.
        let page = unsafe {
            rustix::mm::mmap_anonymous(
                std::ptr::null_mut(),
                LEN,
                ProtFlags::READ | ProtFlags::WRITE,
                MapFlags::PRIVATE,
            )
        }
        .ok()?;
        // SAFETY: `page` was mapped above with LEN bytes; neither call changes what is in it.
        let locked = unsafe {
            #[cfg(target_os = "linux")]
            rustix::mm::madvise(page, LEN, Advice::LinuxDontDump).ok();
            rustix::mm::mlock(page, LEN).is_ok()
        };
        Some((NonNull::new(page.cast())?, locked))
    }

    pub(super) fn free(page: NonNull<u8>) {
        // SAFETY: it came from `allocate` and is freed once, by `Drop`.
        unsafe { rustix::mm::munmap(page.as_ptr().cast::<c_void>(), LEN) }.ok();
    }
}

#[cfg(not(unix))]
mod page {
    use super::NonNull;

    pub(super) fn allocate() -> Option<(NonNull<u8>, bool)> {
        Some((NonNull::from(Box::leak(Box::new([0_u8; 32]))).cast(), false))
    }

    pub(super) fn free(page: NonNull<u8>) {
        // SAFETY: it came from `Box::leak` in `allocate` and is freed once, by `Drop`.
        drop(unsafe { Box::from_raw(page.cast::<[u8; 32]>().as_ptr()) });
    }
}

impl DatabaseKey {
    fn zeroed() -> Self {
        let (page, locked) =
            page::allocate().expect("one page of memory, as every allocation of this program");
        Self { page, locked }
    }
}

impl Clone for DatabaseKey {
    fn clone(&self) -> Self {
        Self::from_bytes(self.expose())
    }
}

impl Drop for DatabaseKey {
    fn drop(&mut self) {
        self.bytes_mut().zeroize();
        page::free(self.page);
    }
}

impl fmt::Debug for DatabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("DatabaseKey(…)")
    }
}

/// No core dumps, and no reading of this process's memory by others of the same user (S-STORE-09).
/// To be called first thing in `main`.
pub fn harden_process() {
    #[cfg(target_os = "linux")]
    rustix::process::set_dumpable_behavior(rustix::process::DumpableBehavior::NotDumpable).ok();
    #[cfg(unix)]
    {
        let none = rustix::process::Rlimit {
            current: Some(0),
            maximum: Some(0),
        };
        rustix::process::setrlimit(rustix::process::Resource::Core, none).ok();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_store_11_every_byte_is_written_as_two_hexadecimal_digits() {
        for byte in 0..=255_u8 {
            let digits = [hex_digit(byte >> 4), hex_digit(byte & 15)];
            assert_eq!(digits.as_slice(), format!("{byte:02x}").as_bytes());
        }
    }

    #[test]
    fn s_store_16_debug_never_shows_a_key() {
        let key = DatabaseKey::from_bytes(&[0xab; 32]);
        assert_eq!(format!("{key:?}"), "DatabaseKey(…)");
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn s_store_09_the_page_of_a_key_is_locked_and_not_dumped() {
        let key = DatabaseKey::random().expect("random bytes");
        let smaps = std::fs::read_to_string("/proc/self/smaps").expect("proc");
        let start = format!("{:x}-", key.page.as_ptr() as usize);
        let own = smaps
            .split_inclusive("VmFlags:")
            .find(|part| part.lines().any(|line| line.starts_with(&start)));
        assert!(own.is_some(), "the page has a mapping of its own");
        let rest = smaps.split(&start).nth(1).expect("the mapping");
        let flags = rest
            .lines()
            .find(|line| line.starts_with("VmFlags:"))
            .expect("flags");
        assert!(flags.contains(" dd"), "not dumped: {flags}");
        assert_eq!(flags.contains(" lo"), key.is_locked_in_memory(), "{flags}");
    }
}
