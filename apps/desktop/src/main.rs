//! Sotto.
slint::include_modules!();
fn main() { AppWindow::new().unwrap().run().unwrap(); }
