//! Sotto: the window.
#![cfg_attr(windows, windows_subsystem = "windows")]

use std::process::ExitCode;

use slint::ComponentHandle;
use sotto_desktop::{Shell, platform};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(words) => {
            eprintln!("{words}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), String> {
    platform::choose_renderer()?;
    let cannot = |error: slint::PlatformError| format!("No window can be opened here: {error}");
    let shell = Shell::new().map_err(cannot)?;
    platform::bundle_emoji();
    #[cfg(feature = "demo")]
    demo(&shell);
    shell.window().show().map_err(cannot)?;
    slint::run_event_loop().map_err(cannot)
}

/// Shows invented people: `--demo`, with `--dark`, `--arabic`, `--empty`, `--private`, `--people=N`, `--messages=N`, `--scale=N`, `--open=N`.
#[cfg(feature = "demo")]
fn demo(shell: &std::rc::Rc<Shell>) {
    use sotto_api::view::{Settings, Theme};
    use sotto_desktop::demo::{Demo, Scene};

    let has = |name: &str| std::env::args().any(|argument| argument == format!("--{name}"));
    let figure = |name: &str| {
        std::env::args()
            .find_map(|argument| argument.strip_prefix(&format!("--{name}=")).map(str::to_owned))
            .and_then(|figure| figure.parse::<u32>().ok())
            .unwrap_or_default()
    };
    let scene = Scene {
        empty: has("empty"),
        arabic: has("arabic"),
        private: has("private"),
        people: figure("people"),
        messages: figure("messages"),
    };
    let settings = Settings {
        theme: if has("dark") { Theme::Dark } else { Theme::Light },
        language: if has("arabic") { "ar".into() } else { "en".into() },
        scale: u16::try_from(figure("scale").max(100)).unwrap_or(100),
        high_contrast: has("strong"),
        ..Settings::default()
    };
    let now = jiff::Timestamp::now().as_millisecond();
    shell.attach(std::sync::Arc::new(Demo::new(scene, now, settings)));
    let (width, height) = (figure("width"), figure("height"));
    if width > 0 && height > 0 {
        shell.window().window().set_size(slint::PhysicalSize::new(width, height));
    }
    let open = figure("open");
    if open > 0 {
        shell.window().global::<sotto_desktop::ui::People>().invoke_activated(i32::try_from(open).unwrap_or(1));
    }
}
