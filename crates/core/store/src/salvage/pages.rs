//! The pages of a database, read one by one (SQLite's file format §1.5 and §2): what a damaged page
//! leads to is found without it.

use std::collections::HashSet;

use rusqlite::types::Value;

/// Bytes of a page.
pub(super) const PAGE: usize = 4096;
/// Of these, SQLCipher keeps its initialisation vector and authentication code in the last.
pub(super) const RESERVED: usize = 80;
const USABLE: usize = PAGE - RESERVED;
/// No row of ours is longer.
const MOST_PAYLOAD: usize = 64 * 1024 * 1024;

const TABLE_LEAF: u8 = 0x0d;
const TABLE_INTERIOR: u8 = 0x05;
const INDEX_LEAF: u8 = 0x0a;
const INDEX_INTERIOR: u8 = 0x02;

/// The pages in the clear; those that could not be read are zeros.
pub(super) struct Pages<'a>(pub &'a [u8]);

/// A row as it lies in the file.
pub(super) struct Raw {
    /// Absent in tables without row ids.
    pub rowid: Option<i64>,
    pub values: Vec<Value>,
}

impl<'a> Pages<'a> {
    pub fn count(&self) -> u32 {
        u32::try_from(self.0.len() / PAGE).unwrap_or(u32::MAX)
    }

    /// Pages are numbered from 1.
    fn page(&self, number: u32) -> Option<&'a [u8]> {
        let at = usize::try_from(number.checked_sub(1)?)
            .ok()?
            .checked_mul(PAGE)?;
        self.0.get(at..at.checked_add(PAGE)?)
    }

    pub fn is_lost(&self, number: u32) -> bool {
        self.page(number)
            .is_none_or(|page| page.iter().all(|byte| *byte == 0))
    }

    pub fn is_table_leaf(&self, number: u32) -> bool {
        self.page(number)
            .is_some_and(|page| page.first() == Some(&TABLE_LEAF))
    }

    /// All pages of a tree with rows on them, as far as they can be reached; `seen` learns all.
    pub fn tree(&self, root: u32, seen: &mut HashSet<u32>) -> Vec<u32> {
        let mut rows = Vec::new();
        let mut open = vec![root];
        while let Some(number) = open.pop() {
            let Some(node) = Node::read(self, number) else {
                continue;
            };
            if !seen.insert(number) {
                continue;
            }
            if node.kind != TABLE_INTERIOR {
                rows.push(number);
            }
            open.extend(node.children());
        }
        rows
    }

    /// The rows on one page; those that do not read are left out.
    pub fn rows(&self, number: u32) -> Vec<Raw> {
        let Some(node) = Node::read(self, number) else {
            return Vec::new();
        };
        node.cells()
            .filter_map(|cell| self.row(&node, cell))
            .collect()
    }

    fn row(&self, node: &Node<'a>, cell: usize) -> Option<Raw> {
        let mut at = cell;
        if node.kind == INDEX_INTERIOR {
            at += 4;
        }
        let length = usize::try_from(varint(node.page, &mut at)?).ok()?;
        if length > MOST_PAYLOAD {
            return None;
        }
        let (rowid, most) = match node.kind {
            TABLE_LEAF => (Some(varint(node.page, &mut at)?.cast_signed()), USABLE - 35),
            INDEX_LEAF | INDEX_INTERIOR => (None, (USABLE - 12) * 64 / 255 - 23),
            _ => return None,
        };
        let payload = self.payload(node.page, at, length, most)?;
        Some(Raw {
            rowid,
            values: record(&payload)?,
        })
    }

    /// A payload and what of it lies on further pages.
    fn payload(&self, page: &[u8], at: usize, length: usize, most: usize) -> Option<Vec<u8>> {
        if length <= most {
            return page.get(at..at.checked_add(length)?).map(<[u8]>::to_vec);
        }
        let least = (USABLE - 12) * 32 / 255 - 23;
        let fitting = least + (length - least) % (USABLE - 4);
        let local = if fitting <= most { fitting } else { least };
        let mut payload = page.get(at..at.checked_add(local)?)?.to_vec();
        let mut next = number(page, at + local)?;
        while payload.len() < length {
            // A lost page would read as text of zeros.
            let page = self.page(next).filter(|_| !self.is_lost(next))?;
            let part = (length - payload.len()).min(USABLE - 4);
            payload.extend_from_slice(page.get(4..4 + part)?);
            next = number(page, 0)?;
            if next == 0 && payload.len() < length {
                return None;
            }
        }
        Some(payload)
    }
}

/// A page of a tree.
struct Node<'a> {
    page: &'a [u8],
    kind: u8,
    /// Where its header begins: after the file's on page 1.
    header: usize,
}

impl<'a> Node<'a> {
    fn read(pages: &Pages<'a>, number: u32) -> Option<Self> {
        let page = pages.page(number)?;
        let header = if number == 1 { 100 } else { 0 };
        let kind = *page.get(header)?;
        let known = [TABLE_LEAF, TABLE_INTERIOR, INDEX_LEAF, INDEX_INTERIOR];
        known.contains(&kind).then_some(Self { page, kind, header })
    }

    fn is_leaf(&self) -> bool {
        matches!(self.kind, TABLE_LEAF | INDEX_LEAF)
    }

    /// Where each cell begins.
    fn cells(&self) -> impl Iterator<Item = usize> + use<'a> {
        let page = self.page;
        let count = short(page, self.header + 3).unwrap_or(0);
        let first = self.header + if self.is_leaf() { 8 } else { 12 };
        (0..count).filter_map(move |n| short(page, first + 2 * n))
    }

    fn children(&self) -> Vec<u32> {
        if self.is_leaf() {
            return Vec::new();
        }
        self.cells()
            .filter_map(|cell| number(self.page, cell))
            .chain(number(self.page, self.header + 8))
            .collect()
    }
}

/// The values of a record.
fn record(payload: &[u8]) -> Option<Vec<Value>> {
    let mut at = 0;
    let header = usize::try_from(varint(payload, &mut at)?).ok()?;
    if header > payload.len() {
        return None;
    }
    let mut body = header;
    let mut values = Vec::new();
    while at < header {
        let kind = varint(payload, &mut at)?;
        let mut take = |length: usize| {
            let part = payload.get(body..body.checked_add(length)?)?;
            body += length;
            Some(part)
        };
        values.push(match kind {
            0 => Value::Null,
            1..=6 => {
                let length = [1, 2, 3, 4, 6, 8].get(usize::try_from(kind).ok()? - 1)?;
                Value::Integer(integer(take(*length)?))
            }
            7 => Value::Real(f64::from_be_bytes(take(8)?.try_into().ok()?)),
            8 => Value::Integer(0),
            9 => Value::Integer(1),
            12.. => {
                let part = take(usize::try_from((kind - 12) / 2).ok()?)?;
                if kind % 2 == 0 {
                    Value::Blob(part.to_vec())
                } else {
                    Value::Text(std::str::from_utf8(part).ok()?.to_owned())
                }
            }
            _ => return None,
        });
    }
    Some(values)
}

/// Two's complement, the highest byte first.
fn integer(bytes: &[u8]) -> i64 {
    let negative = bytes.first().is_some_and(|byte| byte & 0x80 != 0);
    let start = if negative { -1 } else { 0 };
    bytes
        .iter()
        .fold(start, |value, byte| (value << 8) | i64::from(*byte))
}

fn short(page: &[u8], at: usize) -> Option<usize> {
    let bytes = page.get(at..at.checked_add(2)?)?;
    Some(usize::from(u16::from_be_bytes(bytes.try_into().ok()?)))
}

fn number(page: &[u8], at: usize) -> Option<u32> {
    let bytes = page.get(at..at.checked_add(4)?)?;
    Some(u32::from_be_bytes(bytes.try_into().ok()?))
}

fn varint(bytes: &[u8], at: &mut usize) -> Option<u64> {
    let mut value = 0_u64;
    for n in 0..9 {
        let byte = *bytes.get(*at)?;
        *at += 1;
        if n == 8 {
            return Some((value << 8) | u64::from(byte));
        }
        value = (value << 7) | u64::from(byte & 0x7f);
        if byte & 0x80 == 0 {
            break;
        }
    }
    Some(value)
}
