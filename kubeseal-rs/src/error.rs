//! What a command says when it fails: what, on what, why, and what to do next.

use std::error::Error;
use std::fmt;
use std::io;
use std::path::Path;

/// Why a command failed. It never holds a secret value.
#[derive(Debug)]
pub(crate) struct CommandError {
    /// What failed, and on what.
    message: String,
    /// Why.
    source: Option<Box<dyn Error + Send + Sync>>,
    /// What to do next, a sentence each.
    hints: Vec<String>,
    /// The file that the error is about. Empty if the message names it.
    file: Option<String>,
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
            file: None,
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

    /// Says which file the error is about, unless the message does. The first word counts: who failed knows best.
    pub(crate) fn of(mut self, file: &Path) -> Self {
        let name = file.display().to_string();
        let is_named = self.line().contains(&name);
        self.file
            .get_or_insert(if is_named { String::new() } else { name });
        self
    }

    fn file(&self) -> Option<&String> {
        self.file.as_ref().filter(|name| !name.is_empty())
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

    /// The error and its hints as scripts know it from sops: its words begin the first line, and the file comes last.
    pub(crate) fn bare(&self) -> String {
        let file = self.file().map(|file| format!("\nfile: {file}"));
        self.line() + &self.shown_hints() + &file.unwrap_or_default()
    }

    fn shown_hints(&self) -> String {
        let hints = self.hints.iter().map(|hint| format!("\nhint: {hint}"));
        hints.collect()
    }
}

impl fmt::Display for CommandError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let line = self.line();
        // Some of the words that scripts know begin so themselves.
        let line = ["Error: ", "error: "]
            .iter()
            .find_map(|word| line.strip_prefix(word))
            .unwrap_or(&line);
        let file = self.file().map(|file| format!("{file}: "));
        let file = file.unwrap_or_default();
        write!(f, "error: {file}{line}{}", self.shown_hints())
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
    fn the_file_is_named_once() {
        let path = Path::new("f.yaml");
        let error = CommandError::new("sops metadata not found")
            .hint("it is not encrypted")
            .of(path);
        assert_eq!(
            error.to_string(),
            "error: f.yaml: sops metadata not found\nhint: it is not encrypted"
        );
        assert_eq!(
            error.bare(),
            "sops metadata not found\nhint: it is not encrypted\nfile: f.yaml"
        );
        let error = CommandError::new("Error: cannot operate on non-existent file \"f.yaml\"");
        let error = error.of(path);
        assert_eq!(
            error.to_string(),
            "error: cannot operate on non-existent file \"f.yaml\""
        );
        assert_eq!(
            error.bare(),
            "Error: cannot operate on non-existent file \"f.yaml\""
        );
        let error = error.of(Path::new("other.yaml"));
        assert!(!error.bare().contains("other.yaml"));
    }

    #[test]
    fn system_errors_have_no_number() {
        let full = io::Error::from_raw_os_error(28);
        assert_eq!(io_reason(&full), "no space left on device");
    }
}
