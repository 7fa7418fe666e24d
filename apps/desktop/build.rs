//! Compiles the window, bundles fonts, icons and translations into the binary.

use std::path::PathBuf;

fn main() {
    // Tests find elements by their names only when this is compiled in.
    println!("cargo:rerun-if-env-changed=SLINT_EMIT_DEBUG_INFO");
    println!("cargo:rerun-if-changed=lang");
    let demo = std::env::var_os("CARGO_FEATURE_DEMO").is_some();
    let debug = std::env::var("PROFILE").is_ok_and(|profile| profile == "debug");
    let config = slint_build::CompilerConfiguration::new()
        .with_style("fluent".into())
        .with_bundled_translations(PathBuf::from("lang"))
        .with_default_translation_context(slint_build::DefaultTranslationContext::None)
        .embed_resources(slint_build::EmbedResourcesKind::EmbedFiles)
        .with_debug_info(debug);
    let file = if demo {
        "ui/demo.slint"
    } else {
        "ui/app.slint"
    };
    if let Err(error) = slint_build::compile_with_config(file, config) {
        panic!("{error}");
    }
}
