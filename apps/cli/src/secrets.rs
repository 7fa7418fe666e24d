//! Where secrets come from: the terminal, or lines of standard input. Never from arguments.

use std::io::{self, IsTerminal, Write};

use sotto_api::Secret;
use zeroize::Zeroizing;

use crate::failure::{Done, Failure};

/// Asks a person, or reads what a script says in their place.
pub trait Asker {
    /// A secret, typed once.
    ///
    /// # Errors
    /// When nobody can be asked.
    fn secret(&mut self, prompt: &str) -> Done<Secret>;

    /// A new secret. A person types it twice; a script gives it once.
    ///
    /// # Errors
    /// When nobody can be asked, or the person gives up.
    fn new_secret(&mut self, prompt: &str) -> Done<Secret>;

    /// An answer that may be seen; `None` when nobody can be asked.
    ///
    /// # Errors
    /// When reading fails.
    fn line(&mut self, prompt: &str) -> Done<Option<String>>;

    /// Whether a person is there to be asked.
    fn interactive(&self) -> bool;
}

/// Asks at the terminal.
#[derive(Debug)]
pub struct Terminal;

impl Asker for Terminal {
    fn secret(&mut self, prompt: &str) -> Done<Secret> {
        match rpassword::prompt_password(format!("{prompt}: ")) {
            Ok(text) => Ok(Secret::new(text)),
            Err(error) => Err(Failure::Usage(format!(
                "{prompt} is needed, and there is no terminal to ask at ({error}). Use --password-stdin."
            ))),
        }
    }

    fn new_secret(&mut self, prompt: &str) -> Done<Secret> {
        loop {
            let first = self.secret(prompt)?;
            let second = self.secret(&format!("{prompt}, once more"))?;
            if first == second {
                return Ok(first);
            }
            eprintln!("The two were not the same. Try again.");
        }
    }

    fn line(&mut self, prompt: &str) -> Done<Option<String>> {
        if !self.interactive() {
            return Ok(None);
        }
        eprint!("{prompt} ");
        io::stderr()
            .flush()
            .map_err(|e| Failure::Io(e.to_string()))?;
        let mut text = String::new();
        let count = io::stdin()
            .read_line(&mut text)
            .map_err(|e| Failure::Io(format!("The answer could not be read: {e}.")))?;
        Ok((count > 0).then(|| text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn interactive(&self) -> bool {
        io::stdin().is_terminal() && io::stderr().is_terminal()
    }
}

/// Reads one secret a line; asks nothing else.
#[derive(Debug)]
pub struct Lines<F> {
    read_line: F,
}

impl<F: FnMut(&mut String) -> io::Result<usize>> Lines<F> {
    /// Reads with `read_line`, which appends a line and gives its length, 0 at the end. What lies behind the
    /// line stays where it is, for `send` to read a message from the same input.
    pub fn new(read_line: F) -> Self {
        Self { read_line }
    }
}

impl<F: FnMut(&mut String) -> io::Result<usize>> Asker for Lines<F> {
    fn secret(&mut self, prompt: &str) -> Done<Secret> {
        let mut text = Zeroizing::new(String::new());
        let count = (self.read_line)(&mut text)
            .map_err(|e| Failure::Io(format!("Standard input could not be read: {e}.")))?;
        if count == 0 {
            return Err(Failure::Usage(format!(
                "{prompt} is needed, and standard input has no line for it."
            )));
        }
        Ok(Secret::new(text.trim_end_matches(['\r', '\n']).to_owned()))
    }

    fn new_secret(&mut self, prompt: &str) -> Done<Secret> {
        self.secret(prompt)
    }

    fn line(&mut self, _prompt: &str) -> Done<Option<String>> {
        Ok(None)
    }

    fn interactive(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use std::io::BufRead;

    use super::*;

    #[test]
    fn secrets_are_read_one_a_line_in_order() {
        let mut lines = lines_of(b"first one\r\n second \n\n");
        assert_eq!(lines.secret("A").unwrap().expose(), "first one");
        assert_eq!(lines.new_secret("B").unwrap().expose(), " second ");
        assert!(lines.secret("C").unwrap().is_empty());
        assert_eq!(
            lines.secret("The passphrase").unwrap_err(),
            Failure::Usage(
                "The passphrase is needed, and standard input has no line for it.".into()
            )
        );
    }

    #[test]
    fn a_script_is_never_asked_for_anything_else() {
        let mut lines = lines_of(b"secret\n");
        assert_eq!(lines.line("Name?").unwrap(), None);
        assert_eq!(lines.secret("A").unwrap().expose(), "secret");
    }

    fn lines_of(mut input: &'static [u8]) -> Lines<impl FnMut(&mut String) -> io::Result<usize>> {
        Lines::new(move |text| input.read_line(text))
    }
}
