//! How the program is built (S-PROC-04, S-PROC-05).
#![cfg(target_os = "linux")]

use std::path::Path;

use sotto_testkit::elf;

const DOCUMENT: &str = include_str!("../../../docs/hardening.md");

#[test]
fn s_proc_04_the_program_is_built_to_withstand() {
    let program = elf::read(Path::new(env!("CARGO_BIN_EXE_sotto"))).expect("it is a program");
    assert!(program.position_independent, "{program:?}");
    assert!(program.read_only_relocations, "{program:?}");
    assert!(program.bound_at_start, "{program:?}");
    assert!(!program.executable_stack, "{program:?}");
    assert!(!program.writable_code, "{program:?}");
    assert!(!program.text_relocations, "{program:?}");
    assert!(program.search_paths.is_empty(), "{program:?}");
    assert!(program.stack_protector, "{program:?}");
}

#[test]
fn s_proc_05_every_library_that_is_loaded_at_the_start_is_listed() {
    let program = elf::read(Path::new(env!("CARGO_BIN_EXE_sotto"))).expect("it is a program");
    assert!(!program.libraries.is_empty());
    for library in program.libraries {
        let stem = library.split(".so").next().unwrap_or_default();
        assert!(
            DOCUMENT.contains(&format!("`{stem}`")),
            "{library} is not in docs/hardening.md"
        );
    }
}
