//! Times the start of desktop programs as a person sees it, and what they cost while idle.
//!
//! `bench-window RUNS NAME=COMMAND [NAME=COMMAND …]`, with `DISPLAY` set to an X server without a window manager
//! (Xvfb will do). The programs take turns, so that the state of the machine touches all of them alike.
//!
//! Printed per program, as minimum / median / maximum over the runs:
//!
//! - `mapped`: from exec to the first top-level window of at least 100 × 100 being mapped, in milliseconds;
//! - `painted`: from exec to the first thing drawn in that window (the X DAMAGE extension), in milliseconds;
//! - `ready`: from exec to the moment from which on its event loop answers at once (a `_NET_WM_PING` is answered within
//!   50 ms, again and again for 1.5 s after `painted`): what is typed from then on is taken, in milliseconds;
//! - `cpu`: processor time of the process tree by then, 1.5 s included, in milliseconds (a step is 10);
//! - `pss`: proportional set size of the whole process tree 6 s after that, in MiB (`/proc/PID/smaps_rollup`);
//! - `idle`: processor time of the process tree over the 5 s that follow, in per cent of one core.
//!
//! A program ends by SIGTERM to the process that was started here.

use std::error::Error;
use std::fs;
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::damage::{ConnectionExt as _, ReportLevel};
use x11rb::protocol::xproto::{
    Atom, ChangeWindowAttributesAux, ClientMessageEvent, ConnectionExt as _, EventMask, MapState,
    Window,
};
use x11rb::rust_connection::RustConnection;

const GIVE_UP: Duration = Duration::from_secs(60);
/// For how long after the first drawing the event loop is asked.
const ASKING: Duration = Duration::from_millis(1500);
/// Between two questions.
const PAUSE: Duration = Duration::from_millis(10);
/// A program that has not answered by then does not know the question.
const NO_ANSWER: Duration = Duration::from_secs(10);
/// An answer that takes longer is one that a person waits for.
const AT_ONCE: Duration = Duration::from_millis(50);
const SETTLE: Duration = Duration::from_secs(6);
const IDLE: Duration = Duration::from_secs(5);

type Result<T> = std::result::Result<T, Box<dyn Error>>;

#[derive(Default)]
struct Figures {
    mapped: Vec<f64>,
    painted: Vec<f64>,
    ready: Vec<f64>,
    cpu: Vec<f64>,
    pss: Vec<f64>,
    idle: Vec<f64>,
}

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1);
    let runs: usize = arguments
        .next()
        .ok_or("usage: bench-window RUNS NAME=COMMAND …")?
        .parse()?;
    let programs: Vec<(String, String)> = arguments
        .map(|a| {
            a.split_once('=')
                .map(|(n, c)| (n.to_owned(), c.to_owned()))
                .ok_or("a program is NAME=COMMAND")
        })
        .collect::<std::result::Result<_, _>>()?;
    let (connection, screen) = x11rb::connect(None)?;
    let root = connection
        .setup()
        .roots
        .get(screen)
        .ok_or("no such screen")?
        .root;
    connection.damage_query_version(1, 1)?.reply()?;
    let watch = ChangeWindowAttributesAux::new().event_mask(EventMask::SUBSTRUCTURE_NOTIFY);
    connection.change_window_attributes(root, &watch)?.check()?;

    let atoms = Atoms {
        protocols: connection
            .intern_atom(false, b"WM_PROTOCOLS")?
            .reply()?
            .atom,
        ping: connection
            .intern_atom(false, b"_NET_WM_PING")?
            .reply()?
            .atom,
    };
    let display = Display {
        connection,
        root,
        atoms,
    };
    let mut figures: Vec<Figures> = programs.iter().map(|_| Figures::default()).collect();
    for _ in 0..runs {
        for ((name, command), figures) in programs.iter().zip(&mut figures) {
            measure(&display, name, command, figures)?;
        }
    }
    println!(
        "{:<16} {:>20} {:>20} {:>20} {:>20} {:>22} {:>18}",
        "program", "mapped ms", "painted ms", "ready ms", "cpu ms", "pss MiB", "idle %"
    );
    for ((name, _), f) in programs.iter().zip(&figures) {
        println!(
            "{name:<16} {:>20} {:>20} {:>20} {:>20} {:>22} {:>18}",
            spread(&f.mapped, 0),
            spread(&f.painted, 0),
            spread(&f.ready, 0),
            spread(&f.cpu, 0),
            spread(&f.pss, 1),
            spread(&f.idle, 1)
        );
    }
    Ok(())
}

struct Atoms {
    protocols: Atom,
    ping: Atom,
}

struct Display {
    connection: RustConnection,
    root: Window,
    atoms: Atoms,
}

fn measure(display: &Display, name: &str, command: &str, figures: &mut Figures) -> Result<()> {
    let Display {
        connection, root, ..
    } = display;
    while connection.poll_for_event()?.is_some() {}
    let started = Instant::now();
    let mut child = Command::new("sh")
        .args(["-c", &format!("exec {command}")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()?;
    let mut window = None;
    loop {
        if started.elapsed() > GIVE_UP {
            stop(&mut child)?;
            return Err(format!("{name}: no window within {GIVE_UP:?}").into());
        }
        let Some(event) = connection.poll_for_event()? else {
            sleep(Duration::from_micros(200));
            continue;
        };
        match event {
            Event::CreateNotify(e) if e.parent == *root => {
                // Reported from creation on, so that what is drawn right after mapping is not missed.
                let damage = connection.generate_id()?;
                let _ = connection.damage_create(damage, e.window, ReportLevel::RAW_RECTANGLES)?;
                connection.flush()?;
            }
            Event::MapNotify(e) if window.is_none() && is_large(connection, e.window) => {
                figures.mapped.push(started.elapsed().as_secs_f64() * 1e3);
                window = Some(e.window);
            }
            Event::DamageNotify(e) if Some(e.drawable) == window => {
                figures.painted.push(started.elapsed().as_secs_f64() * 1e3);
                break;
            }
            _ => {}
        }
    }
    if let Some(window) = window
        && let Some(ready) = answers_from(display, window, started)?
    {
        figures.ready.push(ready.as_secs_f64() * 1e3);
    }
    let tree = process_tree(child.id());
    let spent: u64 = tree.iter().map(|pid| ticks(*pid)).sum();
    figures.cpu.push(spent as f64 * 10.0);
    sleep(SETTLE);
    let tree = process_tree(child.id());
    figures
        .pss
        .push(tree.iter().map(|pid| pss_kib(*pid)).sum::<u64>() as f64 / 1024.0);
    let before: u64 = tree.iter().map(|pid| ticks(*pid)).sum();
    sleep(IDLE);
    let after: u64 = tree.iter().map(|pid| ticks(*pid)).sum();
    figures
        .idle
        .push((after.saturating_sub(before)) as f64 / IDLE.as_secs_f64());
    stop(&mut child)
}

/// The moment of the first answer after which no answer was late, since `started`; absent when none came.
fn answers_from(display: &Display, window: Window, started: Instant) -> Result<Option<Duration>> {
    let Display {
        connection,
        root,
        atoms,
    } = display;
    let begun = Instant::now();
    let mut ready = None;
    while begun.elapsed() < ASKING {
        let asked = Instant::now();
        let data = [atoms.ping, 0, window, 0, 0];
        let question = ClientMessageEvent::new(32, window, atoms.protocols, data);
        connection.send_event(false, window, EventMask::NO_EVENT, question)?;
        connection.flush()?;
        loop {
            match connection.poll_for_event()? {
                Some(Event::ClientMessage(e)) if e.window == *root => break,
                Some(_) => {}
                None if asked.elapsed() > NO_ANSWER => return Ok(ready),
                None => sleep(Duration::from_micros(200)),
            }
        }
        if ready.is_none() || asked.elapsed() > AT_ONCE {
            ready = Some(started.elapsed());
        }
        sleep(PAUSE);
    }
    Ok(ready)
}

fn is_large(connection: &RustConnection, window: Window) -> bool {
    let size = connection
        .get_geometry(window)
        .ok()
        .and_then(|c| c.reply().ok());
    let state = connection
        .get_window_attributes(window)
        .ok()
        .and_then(|c| c.reply().ok());
    size.is_some_and(|g| g.width >= 100 && g.height >= 100)
        && state.is_some_and(|a| a.map_state == MapState::VIEWABLE)
}

/// Ends the program started here, and only that; waits until it is gone.
fn stop(child: &mut Child) -> Result<()> {
    Command::new("kill")
        .args(["-TERM", &child.id().to_string()])
        .status()?;
    let asked = Instant::now();
    while child.try_wait()?.is_none() {
        if asked.elapsed() > Duration::from_secs(5) {
            child.kill()?;
        }
        sleep(Duration::from_millis(20));
    }
    Ok(())
}

fn process_tree(root: u32) -> Vec<u32> {
    let mut tree = vec![root];
    let mut next = 0;
    while let Some(&pid) = tree.get(next) {
        let children =
            fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap_or_default();
        tree.extend(
            children
                .split_whitespace()
                .filter_map(|c| c.parse::<u32>().ok()),
        );
        next += 1;
    }
    tree
}

fn pss_kib(pid: u32) -> u64 {
    fs::read_to_string(format!("/proc/{pid}/smaps_rollup"))
        .unwrap_or_default()
        .lines()
        .find_map(|l| {
            l.strip_prefix("Pss:")?
                .trim()
                .strip_suffix("kB")?
                .trim()
                .parse()
                .ok()
        })
        .unwrap_or(0)
}

/// User and system time in clock ticks, of which Linux has 100 a second.
fn ticks(pid: u32) -> u64 {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let fields: Vec<&str> = stat
        .rsplit_once(')')
        .map_or("", |(_, rest)| rest)
        .split_whitespace()
        .collect();
    [11, 12]
        .iter()
        .filter_map(|i| fields.get(*i)?.parse::<u64>().ok())
        .sum()
}

fn spread(values: &[f64], digits: usize) -> String {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    match (sorted.first(), sorted.get(sorted.len() / 2), sorted.last()) {
        (Some(low), Some(mid), Some(high)) => {
            format!("{low:.digits$} / {mid:.digits$} / {high:.digits$}")
        }
        _ => "-".to_owned(),
    }
}
