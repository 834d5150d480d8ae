//! What a command says when it fails: what, on what, why, and what to do next.

use std::error::Error;
use std::fmt;
use std::io;

/// Why a command failed. It never holds a secret value.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// What failed, and on what.
    message: String,
    /// Why.
    source: Option<Box<dyn Error + Send + Sync>>,
    /// What to do next, a sentence each.
    hints: Vec<String>,
    /// The process's exit code.
    pub(crate) exit_code: u8,
}

impl CommandError {
    /// An error with exit code 1.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            source: None,
            hints: Vec::new(),
            exit_code: 1,
        }
    }

    /// Adds the reason.
    pub(crate) fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Adds a next step.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Sets the exit code.
    pub(crate) fn code(mut self, exit_code: u8) -> Self {
        self.exit_code = exit_code;
        self
    }

    /// Puts a place in front of the message, such as a file's name.
    pub(crate) fn at(mut self, place: impl fmt::Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// The error in one line, with its reasons.
    pub(crate) fn line(&self) -> String {
        let mut line = self.message.clone();
        let mut next = self.source.as_deref().map(|source| source as &dyn Error);
        while let Some(reason) = next {
            let text = match reason.downcast_ref::<io::Error>() {
                Some(error) => io_reason(error),
                None => reason.to_string(),
            };
            if !line.ends_with(&text) {
                line.push_str(": ");
                line.push_str(&text);
            }
            next = reason.source();
        }
        line
    }

    /// The error and its hints, without a word before it.
    pub(crate) fn bare(&self) -> String {
        let hints = self.hints.iter().map(|hint| format!("\nhint: {hint}"));
        self.line() + &hints.collect::<String>()
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "error: {}", self.bare())
    }
}

/// An error of the system as the original and its users' scripts know it: lower case, without a number.
pub(crate) fn io_reason(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::NotFound => "no such file or directory".to_owned(),
        io::ErrorKind::PermissionDenied => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory => "is a directory".to_owned(),
        _ => {
            let text = error.to_string();
            let text = text.split(" (os error").next().unwrap_or_default();
            let mut chars = text.chars();
            let first = chars.next().map(|c| c.to_lowercase().to_string());
            first.unwrap_or_default() + chars.as_str()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_one_line_and_its_hints() {
        let missing = io::Error::from_raw_os_error(2);
        let error = CommandError::new("cannot open cert.pem")
            .because(missing)
            .hint("fetch it with --fetch-cert");
        assert_eq!(
            error.to_string(),
            "error: cannot open cert.pem: no such file or directory\nhint: fetch it with --fetch-cert"
        );
    }

    #[test]
    fn system_errors_have_no_number() {
        let full = io::Error::from_raw_os_error(28);
        assert_eq!(io_reason(&full), "no space left on device");
    }
}
