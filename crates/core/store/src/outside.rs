//! New files outside the profile: ours alone, and under their name only when they are whole and on the medium.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufWriter};
#[cfg(unix)]
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// Bytes that are gathered before they are written.
const BUFFER: usize = 256 * 1024;

/// Writes a new file of mode 0600. After an error there is none; a program that is killed leaves a `….part` beside it.
///
/// # Errors
///
/// `AlreadyExists` when something has its name; whatever `work` or the system says.
pub(crate) fn write_new(
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
        done => {
            done?;
            return sync_folder(file);
        }
    }
    if fs::symlink_metadata(file).is_ok() {
        return Err(io::ErrorKind::AlreadyExists.into());
    }
    fs::rename(part, file)?;
    sync_folder(file)
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
