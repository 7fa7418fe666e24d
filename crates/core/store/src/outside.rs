//! New files outside the profile: ours alone, and under their name only when they are whole and on the medium.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// Why there is no new file, or why it may not stay.
#[derive(Debug)]
pub(crate) enum Unwritten {
    /// There is none.
    Not(io::Error),
    /// It is there, whole and on the medium, but the system could not make its name last: a power cut may take it.
    MayVanish(io::Error),
}

/// Writes a new file of mode 0600. A program that is killed leaves a `….part` beside it.
///
/// # Errors
///
/// `AlreadyExists` when something has its name; whatever `work` or the system says.
pub(crate) fn write_new(
    file: &Path,
    work: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> Result<(), Unwritten> {
    write_new_with(file, work, sync_folder)
}

fn write_new_with(
    file: &Path,
    work: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
    sync_folder: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<(), Unwritten> {
    write_whole(file, work).map_err(Unwritten::Not)?;
    match sync_folder(file) {
        // Sticks and network drives whose folders cannot be asked, and folders that are not ours to read.
        Err(error)
            if matches!(
                error.kind(),
                io::ErrorKind::InvalidInput
                    | io::ErrorKind::Unsupported
                    | io::ErrorKind::PermissionDenied
            ) =>
        {
            Ok(())
        }
        done => done.map_err(Unwritten::MayVanish),
    }
}

fn write_whole(
    file: &Path,
    work: impl FnOnce(&mut BufWriter<File>) -> io::Result<()>,
) -> io::Result<()> {
    if fs::symlink_metadata(file).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    let part = part(file)?;
    let written = (|| {
        let mut out = BufWriter::with_capacity(BUFFER, create(&part)?);
        work(&mut out)?;
        let out = out.into_inner().map_err(io::IntoInnerError::into_error)?;
        out.sync_all()?;
        place(&part, file)
    })();
    if written.is_err() {
        fs::remove_file(&part).ok();
    }
    written
}

/// A name beside the file that nobody else has.
fn part(file: &Path) -> io::Result<PathBuf> {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).map_err(io::Error::other)?;
    let tail: String = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    let mut name = file.file_name().unwrap_or_default().to_owned();
    name.push(format!(".{tail}.part"));
    Ok(file.with_file_name(name))
}

fn create(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    options.mode(0o600);
    options.write(true).create_new(true).open(path)
}

/// Gives a finished file its name, unless something has it.
fn place(part: &Path, file: &Path) -> io::Result<()> {
    #[cfg(target_os = "linux")]
    match rustix::fs::renameat_with(
        rustix::fs::CWD,
        part,
        rustix::fs::CWD,
        file,
        rustix::fs::RenameFlags::NOREPLACE,
    ) {
        // A file system that cannot promise it.
        Err(rustix::io::Errno::INVAL | rustix::io::Errno::NOSYS) => {}
        done => return Ok(done?),
    }
    if fs::symlink_metadata(file).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(part, file)
}

fn sync_folder(file: &Path) -> io::Result<()> {
    if cfg!(unix)
        && let Some(folder) = file
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
    {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn write(file: &Path, fault: Option<io::ErrorKind>) -> Result<(), Unwritten> {
        write_new_with(
            file,
            |out| out.write_all(b"whole"),
            |_| fault.map_or(Ok(()), |kind| Err(kind.into())),
        )
    }

    #[test]
    fn a_folder_that_could_not_be_synced_does_not_make_a_file_that_is_there_look_absent() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        let done = write(&file, Some(io::ErrorKind::Other));
        assert!(matches!(done, Err(Unwritten::MayVanish(_))), "{done:?}");
        assert_eq!(fs::read(&file).expect("it is there"), b"whole");
        let done = write(&file, None);
        assert!(matches!(done, Err(Unwritten::Not(_))), "{done:?}");
        for (n, cannot_be_asked) in [io::ErrorKind::InvalidInput, io::ErrorKind::Unsupported]
            .into_iter()
            .enumerate()
        {
            let file = folder.path().join(format!("other-{n}"));
            write(&file, Some(cannot_be_asked)).expect("it is written");
        }
    }

    #[test]
    fn what_could_not_be_written_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        let done = write_new(&file, |_| Err(io::ErrorKind::StorageFull.into()));
        assert!(matches!(done, Err(Unwritten::Not(_))), "{done:?}");
        assert_eq!(fs::read_dir(folder.path()).expect("it lists").count(), 0);
    }
}
