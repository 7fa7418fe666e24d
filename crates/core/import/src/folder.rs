//! The other program's folder: what is in it, without following a link and without taking more than is bounded.

use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufRead, BufReader, Read};
#[cfg(unix)]
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use zeroize::Zeroizing;

use crate::LONGEST_RECORD;
use crate::found::{Problem, ScanError};

/// The largest file of settings, contacts or keys that is read, in bytes.
const LARGEST_SETTINGS: u64 = 16 * 1024 * 1024;
/// How many files and folders are looked at.
const MOST_ENTRIES: usize = 1_000_000;

/// A file of the other program's, and how it was when it was looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceFile {
    pub(crate) path: PathBuf,
    pub(crate) stamp: Stamp,
}

impl SourceFile {
    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Its size in bytes.
    pub fn bytes(&self) -> u64 {
        self.stamp.length
    }

    /// Opens it, if it is still the file that was looked at. A file that grew since is another one.
    pub(crate) fn open(&self) -> io::Result<File> {
        let file = options().read(true).open(&self.path)?;
        if Stamp::of(&file.metadata()?)? != self.stamp {
            return Err(io::Error::other("the file was changed meanwhile"));
        }
        Ok(file)
    }
}

/// By what a file is known again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stamp {
    length: u64,
    modified: Option<std::time::SystemTime>,
    #[cfg(unix)]
    node: (u64, u64),
}

impl Stamp {
    /// Refused for what is no plain file.
    pub fn of(metadata: &Metadata) -> io::Result<Self> {
        if !metadata.is_file() {
            return Err(io::Error::other("it is not a plain file"));
        }
        Ok(Self {
            length: metadata.len(),
            modified: metadata.modified().ok(),
            #[cfg(unix)]
            node: (metadata.dev(), metadata.ino()),
        })
    }
}

/// Opens neither a link nor, waiting for its other end, a pipe.
pub(crate) fn options() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    {
        use rustix::fs::OFlags;
        options.custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
    }
    options
}

/// One look at a folder; collects what cannot be taken.
pub(crate) struct Folder {
    root: PathBuf,
    entries: usize,
    problems: Vec<Problem>,
}

impl Folder {
    pub fn open(path: &Path) -> Result<Self, ScanError> {
        let root = match path.canonicalize() {
            Ok(root) if root.is_dir() => root,
            Ok(_) => return Err(ScanError::NoFolder),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return Err(ScanError::NoFolder);
            }
            Err(error) => return Err(error.into()),
        };
        Ok(Self {
            root,
            entries: 0,
            problems: Vec::new(),
        })
    }

    pub fn root(&self) -> &Path {
        &self.root
    }

    pub fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    /// Adds a problem; what is counted is added up.
    pub fn problem(&mut self, problem: Problem) {
        use Problem as P;
        /// More than anybody reads.
        const MOST: usize = 200;
        let count = match &problem {
            P::CodesUnclear { count }
            | P::Rooms { count }
            | P::OtherConversations { count }
            | P::ConversationsUnclear { count }
            | P::RecordsUnreadable { count }
            | P::Links { count } => *count,
            _ => {
                if self.problems.len() < MOST && !self.problems.contains(&problem) {
                    self.problems.push(problem);
                }
                return;
            }
        };
        if count == 0 {
            return;
        }
        for known in &mut self.problems {
            match (known, &problem) {
                (P::CodesUnclear { count: sum }, P::CodesUnclear { .. })
                | (P::Rooms { count: sum }, P::Rooms { .. })
                | (P::OtherConversations { count: sum }, P::OtherConversations { .. })
                | (P::ConversationsUnclear { count: sum }, P::ConversationsUnclear { .. })
                | (P::RecordsUnreadable { count: sum }, P::RecordsUnreadable { .. })
                | (P::Links { count: sum }, P::Links { .. }) => {
                    *sum = sum.saturating_add(count);
                    return;
                }
                _ => {}
            }
        }
        self.problems.push(problem);
    }

    /// A file's name within the folder, to be shown.
    pub fn name(&self, path: &Path) -> String {
        path.strip_prefix(&self.root)
            .unwrap_or(path)
            .to_string_lossy()
            .into_owned()
    }

    /// Whether something of this name is there.
    pub fn has(&self, name: &str) -> bool {
        fs::symlink_metadata(self.root.join(name)).is_ok()
    }

    /// Folders and files in a folder, each in the order of their names. A folder that is not there is empty.
    pub fn list(&mut self, path: &Path) -> Listing {
        let mut listing = Listing::default();
        let entries = match fs::symlink_metadata(path) {
            Ok(found) if found.is_dir() => fs::read_dir(path),
            Ok(_) => {
                self.problem(Problem::Links { count: 1 });
                return listing;
            }
            Err(_) => return listing,
        };
        let Ok(entries) = entries else {
            let name = self.name(path);
            self.problem(Problem::FileUnreadable { name });
            return listing;
        };
        for entry in entries.flatten() {
            if self.entries >= MOST_ENTRIES {
                self.problem(Problem::TooMany);
                break;
            }
            self.entries += 1;
            // Of a link it tells that it is one.
            let Ok(kind) = entry.file_type() else {
                continue;
            };
            if kind.is_dir() {
                listing.folders.push(entry.path());
            } else if kind.is_file() {
                listing.files.push(entry.path());
            } else if kind.is_symlink() {
                self.problem(Problem::Links { count: 1 });
            }
        }
        listing.folders.sort_unstable();
        listing.files.sort_unstable();
        listing
    }

    /// A file as it is now; absent if it is not there or cannot be looked at.
    pub fn source(&mut self, path: &Path) -> Option<SourceFile> {
        let found = fs::symlink_metadata(path).ok()?;
        if found.file_type().is_symlink() {
            self.problem(Problem::Links { count: 1 });
            return None;
        }
        let stamp = Stamp::of(&found).ok()?;
        Some(SourceFile {
            path: path.to_owned(),
            stamp,
        })
    }

    /// The whole of a file of settings; absent if it is not there. What cannot be read is a problem.
    pub fn read(&mut self, name: &str) -> Option<(SourceFile, Zeroizing<Vec<u8>>)> {
        let source = self.source(&self.root.join(name))?;
        if source.bytes() > LARGEST_SETTINGS {
            self.problem(Problem::FileTooLarge { name: name.into() });
            return None;
        }
        // Sized once, so that no copy of a password is left behind by growing.
        let size = usize::try_from(source.bytes()).unwrap_or_default();
        let mut bytes = Zeroizing::new(Vec::with_capacity(size.saturating_add(1)));
        let read = source
            .open()
            .and_then(|file| file.take(source.bytes()).read_to_end(&mut bytes));
        if read.is_err() {
            self.problem(Problem::FileUnreadable { name: name.into() });
            return None;
        }
        Some((source, bytes))
    }
}

#[derive(Default)]
pub(crate) struct Listing {
    pub folders: Vec<PathBuf>,
    pub files: Vec<PathBuf>,
}

/// The last part of a path as text; absent where it is none.
pub(crate) fn file_name(path: &Path) -> Option<&str> {
    path.file_name().and_then(OsStr::to_str)
}

/// Lines of a file, without their ends. One that is longer than [`LONGEST_RECORD`] comes as `TooLong`.
pub(crate) struct Lines {
    file: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
}

pub(crate) enum Line {
    Text(String),
    TooLong,
}

impl Lines {
    pub fn new(file: Box<dyn Read + Send>) -> Self {
        Self {
            file: BufReader::new(file),
            line: Vec::new(),
        }
    }

    pub fn next(&mut self) -> io::Result<Option<Line>> {
        self.line.clear();
        let mut too_long = false;
        let mut any = false;
        loop {
            let buffer = match self.file.fill_buf() {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                buffer => buffer?,
            };
            if buffer.is_empty() {
                break;
            }
            any = true;
            let end = buffer.iter().position(|byte| *byte == b'\n');
            let (part, used) = match end {
                Some(end) => (buffer.get(..end).unwrap_or_default(), end + 1),
                None => (buffer, buffer.len()),
            };
            if self.line.len() + part.len() > LONGEST_RECORD {
                too_long = true;
                self.line.clear();
            } else if !too_long {
                self.line.extend_from_slice(part);
            }
            self.file.consume(used);
            if end.is_some() {
                break;
            }
        }
        if !any {
            return Ok(None);
        }
        if too_long {
            return Ok(Some(Line::TooLong));
        }
        if self.line.last() == Some(&b'\r') {
            self.line.pop();
        }
        let text = String::from_utf8_lossy(&self.line).into_owned();
        Ok(Some(Line::Text(text)))
    }
}

/// A file's bytes as text; wiped when it goes. What is not UTF-8 is replaced.
pub(crate) fn text(bytes: &[u8]) -> Zeroizing<String> {
    Zeroizing::new(String::from_utf8_lossy(bytes).into_owned())
}
