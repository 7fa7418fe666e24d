//! Sotto.
slint::include_modules!();
fn main() { Gallery::new().unwrap().run().unwrap(); }
