//! What a desktop can do: fonts, renderer, links.

#[cfg(target_os = "linux")]
mod bus;
#[cfg(any(target_os = "linux", test))]
mod guard;

use std::process::{Command, Stdio};
use std::sync::Arc;

use slint::fontique_011::{fontique, shared_collection};

/// Noto Emoji, without colour: the software renderer cannot draw coloured glyphs.
static EMOJI: &[u8] = include_bytes!("../fonts/NotoEmoji-Regular.ttf");

/// Chooses the renderer before the first window: software, which is quick and small everywhere,
/// or the GPU's where one really is there. `SOTTO_RENDERER=software|gpu` decides otherwise.
///
/// # Errors
/// When no window system can be reached; the message is for people.
pub fn choose_renderer() -> Result<(), String> {
    let wish = std::env::var("SOTTO_RENDERER").ok();
    let gpu = match wish.as_deref() {
        Some("gpu") => true,
        Some(_) => false,
        None => has_gpu(),
    };
    let select = |name: &str| {
        slint::BackendSelector::new()
            .backend_name("winit".into())
            .renderer_name(name.into())
            .select()
    };
    if gpu && select("femtovg").is_ok() {
        return Ok(());
    }
    select("software").map_err(|error| format!("No window can be opened here: {error}"))
}

/// Whether a GPU with a driver of its own draws here. Drivers of virtual machines do not count:
/// drawing there is done by the processor, four times slower than our own renderer does it.
#[cfg(target_os = "linux")]
fn has_gpu() -> bool {
    const REAL: [&str; 12] = [
        "i915", "xe", "amdgpu", "radeon", "nouveau", "nvidia", "panfrost", "panthor", "lima",
        "msm", "v3d", "asahi",
    ];
    let Ok(cards) = std::fs::read_dir("/sys/class/drm") else {
        return false;
    };
    cards
        .filter_map(Result::ok)
        .filter(|card| card.file_name().to_string_lossy().starts_with("renderD"))
        .filter_map(|card| std::fs::read_link(card.path().join("device/driver")).ok())
        .any(|driver| {
            driver
                .file_name()
                .is_some_and(|name| REAL.contains(&name.to_string_lossy().as_ref()))
        })
}

/// Elsewhere the software renderer is the one that was tried.
#[cfg(not(target_os = "linux"))]
fn has_gpu() -> bool {
    false
}

/// Makes the bundled font the one that draws emoji. To be called once, after the first window is made.
///
/// The families that fill gaps come before the emoji family in a search, and the system puts its
/// coloured font there too; so ours leads them all. Noto Sans is named everywhere and comes first.
pub fn bundle_emoji() {
    let mut collection = shared_collection();
    let ours: Vec<_> = collection
        .register_fonts(fontique::Blob::new(Arc::new(EMOJI)), None)
        .into_iter()
        .map(|(family, _)| family)
        .collect();
    for generic in [
        fontique::GenericFamily::SansSerif,
        fontique::GenericFamily::SystemUi,
        fontique::GenericFamily::Emoji,
    ] {
        let rest: Vec<_> = match generic {
            fontique::GenericFamily::Emoji => Vec::new(),
            _ => collection.generic_families(generic).collect(),
        };
        collection.set_generic_families(generic, ours.iter().copied().chain(rest));
    }
}

/// Whether the desktop has a tray now. Waits for the desktop's answer.
pub fn has_tray() -> bool {
    #[cfg(target_os = "linux")]
    {
        bus::has_tray()
    }
    // Elsewhere the system itself has one.
    #[cfg(not(target_os = "linux"))]
    {
        cfg!(any(windows, target_os = "macos"))
    }
}

/// Calls `lock`, on a thread of its own, when the computer is about to sleep or the desktop locks its session. What
/// `lock` is given holds the sleep up until it is dropped. Only Linux tells so far.
pub fn before_sleep(lock: impl Fn(Box<dyn Send>) + Send + 'static) {
    #[cfg(target_os = "linux")]
    bus::watch(move |delay| lock(Box::new(delay)));
    #[cfg(not(target_os = "linux"))]
    drop(lock);
}

/// Hands a link to the system's browser: as one argument, never through a shell.
///
/// # Errors
/// When the system has nothing to open links with; the message is for people.
pub fn open_link(target: &str) -> Result<(), String> {
    #[cfg(windows)]
    let mut command = {
        let mut command = Command::new("rundll32.exe");
        command.arg("url.dll,FileProtocolHandler");
        command
    };
    #[cfg(target_os = "macos")]
    let mut command = Command::new("open");
    #[cfg(not(any(windows, target_os = "macos")))]
    let mut command = Command::new("xdg-open");

    // A link begins with its scheme, so it can be no option of the program that opens it.
    let scheme = target.split(':').next().unwrap_or_default();
    if !["http", "https", "mailto", "xmpp", "sip", "sips", "geo"].contains(&scheme) {
        return Err("Sotto does not open links of this kind.".into());
    }
    let mut child = command
        .arg(target)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .map_err(|_| {
            "This computer has no program that opens links. Copy it instead.".to_owned()
        })?;
    // Nobody waits for the browser, but the system must be able to forget the one that opened it.
    std::thread::spawn(move || drop(child.wait()));
    Ok(())
}

/// Starts this program once more, over another profile.
///
/// # Errors
/// When the system cannot; the message is for people.
pub fn start_with(profile: &std::path::Path) -> Result<(), String> {
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    Command::new(program)
        .arg("--profile")
        .arg(profile)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .spawn()
        .map(drop)
        .map_err(|error| format!("Sotto could not be started again: {error}"))
}

/// The language the system asks for, as a tag such as `ar` or `pt-BR`; empty when it asks for none.
pub fn system_language() -> String {
    ["LC_ALL", "LC_MESSAGES", "LANG"]
        .iter()
        .filter_map(|name| std::env::var(name).ok())
        .find(|value| !value.is_empty())
        .map(|value| {
            value
                .split(['.', '@'])
                .next()
                .unwrap_or_default()
                .replace('_', "-")
        })
        .filter(|value| value != "C" && value != "POSIX")
        .unwrap_or_default()
}

/// Whether a language is written from right to left.
pub fn is_right_to_left(language: &str) -> bool {
    let first = language.split('-').next().unwrap_or_default();
    ["ar", "fa", "he", "ur", "ps", "ckb", "sd", "ug", "yi", "dv"].contains(&first)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn s_ui_02_only_known_kinds_of_links_are_opened() {
        assert!(open_link("file:///etc/passwd").is_err());
        assert!(open_link("javascript:alert(1)").is_err());
        assert!(open_link("--help").is_err());
    }

    #[test]
    fn scripts_know_their_direction() {
        assert!(is_right_to_left("fa-IR"));
        assert!(!is_right_to_left("pt-BR"));
        assert!(!is_right_to_left(""));
    }
}
