use std::env;
use std::path::{Path, PathBuf};

use crate::found::Program;

/// Where a program usually keeps its things; absent if there is nothing of it.
///
/// Jitsi: `~/.jitsi` or, as long as that is missing, `~/.sip-communicator`; on Windows `%APPDATA%\Jitsi` or
/// `%APPDATA%\SIP Communicator`. Pidgin: `$PURPLEHOME/.purple`, `~/.purple`, `$XDG_DATA_HOME/purple`, or
/// `%APPDATA%\.purple`. Flatpak's folders are looked at last.
pub fn usual_folder(program: Program) -> Option<PathBuf> {
    candidates(program, &|name| env::var_os(name).map(PathBuf::from))
        .into_iter()
        .find(|path| path.is_dir())
}

fn candidates(program: Program, variable: &dyn Fn(&str) -> Option<PathBuf>) -> Vec<PathBuf> {
    let set = |name: &str| variable(name).filter(|path| path.is_absolute());
    let home = set("HOME").or_else(|| set("USERPROFILE"));
    let in_home = |names: &[&str]| -> Vec<PathBuf> {
        home.iter()
            .flat_map(|home: &PathBuf| names.iter().map(move |name| home.join(Path::new(name))))
            .collect()
    };
    let roaming = set("APPDATA");
    let in_roaming = |names: &[&str]| -> Vec<PathBuf> {
        roaming
            .iter()
            .flat_map(|folder| names.iter().map(move |name| folder.join(name)))
            .collect()
    };
    match program {
        Program::Jitsi => {
            let mut places = in_roaming(&["Jitsi", "SIP Communicator"]);
            places.extend(in_home(&[
                ".jitsi",
                ".sip-communicator",
                "Library/Application Support/Jitsi",
                ".var/app/org.jitsi.jitsi/.jitsi",
            ]));
            places
        }
        Program::Pidgin => {
            let mut places: Vec<PathBuf> = set("PURPLEDIR").into_iter().collect();
            places.extend(set("PURPLEHOME").map(|folder| folder.join(".purple")));
            places.extend(in_roaming(&[".purple"]));
            places.extend(in_home(&[".purple"]));
            places.extend(set("XDG_DATA_HOME").map(|folder| folder.join("purple")));
            places.extend(in_home(&[
                ".local/share/purple",
                ".var/app/im.pidgin.Pidgin/data/purple",
                ".var/app/im.pidgin.Pidgin/.purple",
            ]));
            places
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with(
        variables: &'static [(&'static str, &'static str)],
    ) -> impl Fn(&str) -> Option<PathBuf> {
        move |name| {
            variables
                .iter()
                .find(|(known, _)| *known == name)
                .map(|(_, value)| PathBuf::from(value))
        }
    }

    #[test]
    fn the_folder_that_a_variable_names_comes_first() {
        let places = candidates(
            Program::Pidgin,
            &with(&[
                ("HOME", "/home/sara"),
                ("PURPLEDIR", "/stick/purple"),
                ("XDG_DATA_HOME", "/home/sara/data"),
            ]),
        );
        assert_eq!(places.first(), Some(&PathBuf::from("/stick/purple")));
        assert!(places.contains(&PathBuf::from("/home/sara/.purple")));
        assert!(places.contains(&PathBuf::from("/home/sara/data/purple")));
    }

    #[test]
    fn jitsi_is_looked_for_before_its_older_name() {
        let places = candidates(Program::Jitsi, &with(&[("HOME", "/home/sara")]));
        assert_eq!(places.first(), Some(&PathBuf::from("/home/sara/.jitsi")));
        assert_eq!(
            places.get(1),
            Some(&PathBuf::from("/home/sara/.sip-communicator"))
        );
    }

    #[test]
    fn a_relative_folder_counts_for_nothing() {
        let places = candidates(Program::Jitsi, &with(&[("HOME", "home")]));
        assert!(places.is_empty());
    }
}
