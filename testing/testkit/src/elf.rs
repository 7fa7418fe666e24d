//! How a program for Linux is built, as its file says (ELF, 64 bits, little-endian).

use std::io;
use std::path::Path;

const PT_LOAD: u32 = 1;
const PT_DYNAMIC: u32 = 2;
const PT_GNU_STACK: u32 = 0x6474_e551;
const PT_GNU_RELRO: u32 = 0x6474_e552;

const PF_X: u32 = 1;
const PF_W: u32 = 2;

const DT_NEEDED: u64 = 1;
const DT_STRTAB: u64 = 5;
const DT_STRSZ: u64 = 10;
const DT_RPATH: u64 = 15;
const DT_TEXTREL: u64 = 22;
const DT_BIND_NOW: u64 = 24;
const DT_RUNPATH: u64 = 29;
const DT_FLAGS: u64 = 30;
const DT_FLAGS_1: u64 = 0x6fff_fffb;

const DF_TEXTREL: u64 = 4;
const DF_BIND_NOW: u64 = 8;
const DF_1_NOW: u64 = 1;
const DF_1_PIE: u64 = 0x0800_0000;

/// What a program's file says of itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Program {
    /// It can be loaded anywhere.
    pub position_independent: bool,
    /// What the loader filled in is read-only afterwards (RELRO) …
    pub read_only_relocations: bool,
    /// … all of it, since all is filled in at the start.
    pub bound_at_start: bool,
    /// Its stack can be run, or nothing says that it cannot.
    pub executable_stack: bool,
    /// A part of it can be both written and run.
    pub writable_code: bool,
    /// The loader writes into its code.
    pub text_relocations: bool,
    /// Folders where its libraries are looked for besides the system's (RPATH, RUNPATH).
    pub search_paths: Vec<String>,
    /// The libraries that it is linked with.
    pub libraries: Vec<String>,
    /// C code in it watches its stack (`-fstack-protector`).
    pub stack_protector: bool,
}

/// Reads a program's file.
///
/// # Errors
/// When it cannot be read, or is no such program.
pub fn read(path: &Path) -> io::Result<Program> {
    parse(&std::fs::read(path)?).ok_or_else(|| io::ErrorKind::InvalidData.into())
}

struct Segment {
    kind: u32,
    flags: u32,
    offset: usize,
    address: u64,
    in_file: u64,
}

fn parse(file: &[u8]) -> Option<Program> {
    if !file.starts_with(b"\x7fELF\x02\x01") {
        return None;
    }
    let segments = segments(file)?;
    let stack = segments.iter().find(|s| s.kind == PT_GNU_STACK);
    let mut program = Program {
        read_only_relocations: segments.iter().any(|s| s.kind == PT_GNU_RELRO),
        executable_stack: stack.is_none_or(|s| s.flags & PF_X != 0),
        writable_code: segments
            .iter()
            .any(|s| s.kind == PT_LOAD && s.flags & (PF_W | PF_X) == PF_W | PF_X),
        ..Program::default()
    };
    let dynamic = dynamic(file, &segments)?;
    let value = |tag: u64| dynamic.iter().find(|(t, _)| *t == tag).map(|(_, v)| *v);
    let flags = value(DT_FLAGS).unwrap_or(0);
    let flags_1 = value(DT_FLAGS_1).unwrap_or(0);
    program.position_independent = half(file, 16)? == 3 && flags_1 & DF_1_PIE != 0;
    program.bound_at_start =
        value(DT_BIND_NOW).is_some() || flags & DF_BIND_NOW != 0 || flags_1 & DF_1_NOW != 0;
    program.text_relocations = value(DT_TEXTREL).is_some() || flags & DF_TEXTREL != 0;

    let start = place(&segments, value(DT_STRTAB)?)?;
    let size = usize::try_from(value(DT_STRSZ)?).ok()?;
    let names = file.get(start..start.checked_add(size)?)?;
    let name = |at: u64| {
        let rest = names.get(usize::try_from(at).ok()?..)?;
        let end = rest.iter().position(|byte| *byte == 0)?;
        String::from_utf8(rest.get(..end)?.to_vec()).ok()
    };
    for (tag, at) in &dynamic {
        match *tag {
            DT_NEEDED => program.libraries.push(name(*at)?),
            DT_RPATH | DT_RUNPATH => program.search_paths.push(name(*at)?),
            _ => {}
        }
    }
    program.stack_protector = names
        .split(|byte| *byte == 0)
        .any(|name| name == b"__stack_chk_fail");
    Some(program)
}

fn segments(file: &[u8]) -> Option<Vec<Segment>> {
    let table = usize::try_from(long(file, 32)?).ok()?;
    let size = usize::from(half(file, 54)?);
    (0..usize::from(half(file, 56)?))
        .map(|n| {
            let at = table.checked_add(n.checked_mul(size)?)?;
            Some(Segment {
                kind: word(file, at)?,
                flags: word(file, at + 4)?,
                offset: usize::try_from(long(file, at + 8)?).ok()?,
                address: long(file, at + 16)?,
                in_file: long(file, at + 32)?,
            })
        })
        .collect()
}

/// Tags and values of the dynamic section.
fn dynamic(file: &[u8], segments: &[Segment]) -> Option<Vec<(u64, u64)>> {
    let segment = segments.iter().find(|s| s.kind == PT_DYNAMIC)?;
    let length = usize::try_from(segment.in_file).ok()?;
    let bytes = file.get(segment.offset..segment.offset.checked_add(length)?)?;
    let (entries, _) = bytes.as_chunks::<16>();
    let pairs = entries
        .iter()
        .map(|entry| Some((long(entry, 0)?, long(entry, 8)?)));
    pairs
        .take_while(|pair| pair.is_none_or(|(tag, _)| tag != 0))
        .collect()
}

/// Where in the file an address of the program stands.
fn place(segments: &[Segment], address: u64) -> Option<usize> {
    segments.iter().filter(|s| s.kind == PT_LOAD).find_map(|s| {
        let inside = address.checked_sub(s.address)?;
        let inside = (inside < s.in_file).then_some(inside)?;
        s.offset.checked_add(usize::try_from(inside).ok()?)
    })
}

fn half(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn word(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}

fn long(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(*bytes.get(at..)?.first_chunk()?))
}
