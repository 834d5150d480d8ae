//! Why a hook failed: what, on what, and what to do next.

use std::fmt::{self, Display};

/// Why a hook does not go on.
pub(super) enum Stop {
    /// It was called in a way that it does not know.
    Usage(String),
    /// Something failed.
    Failed(Failure),
}

/// What failed. It never holds a secret value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Failure {
    message: String,
    hints: Vec<String>,
}

impl Failure {
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            hints: Vec::new(),
        }
    }

    /// Adds the reason.
    pub(super) fn because(mut self, reason: impl Display) -> Self {
        self.message += &format!(": {reason}");
        self
    }

    /// Adds a next step.
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }

    /// Puts a place in front, such as a file's name.
    pub(super) fn at(mut self, place: impl Display) -> Self {
        self.message = format!("{place}: {}", self.message);
        self
    }

    /// All of several, one below the other; what was said once is not said again.
    pub(super) fn all(failures: impl IntoIterator<Item = (String, Self)>) -> Option<Self> {
        const SHOWN: usize = 20;
        let mut failures = failures.into_iter();
        let (place, first) = failures.next()?;
        let mut told = vec![(place.clone(), first.clone())];
        let mut all = first.at(place);
        let mut left = 0;
        for (count, (place, failure)) in failures.enumerate() {
            let known = told.iter().find(|(_, told)| *told == failure);
            if count + 1 >= SHOWN {
                left += 1;
            } else if let Some((other, _)) = known {
                all.message += &format!("\nerror: {place}: the same as {other}");
            } else {
                all.message += &format!("\nerror: {place}: {}", failure.message);
                for hint in &failure.hints {
                    if !all.hints.contains(hint) {
                        all.hints.push(hint.clone());
                    }
                }
                told.push((place, failure));
            }
        }
        if left > 0 {
            all.message += &format!("\nerror: {left} more");
        }
        Some(all)
    }
}

impl Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "error: {}", self.message)?;
        self.hints
            .iter()
            .try_for_each(|hint| writeln!(f, "hint: {hint}"))
    }
}

impl From<Failure> for Stop {
    fn from(failure: Failure) -> Self {
        Self::Failed(failure)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_failures_are_told_in_few_words() {
        let failures = |count: usize| {
            (0..count).map(|at| {
                let failure = Failure::new(if at == 1 { "empty" } else { "no key" });
                (format!("f{at}"), failure.hint("set one"))
            })
        };
        let told = |count| Failure::all(failures(count)).map(|all| all.to_string());
        assert_eq!(told(0), None);
        assert_eq!(told(1).unwrap(), "error: f0: no key\nhint: set one\n");
        assert_eq!(
            told(3).unwrap(),
            "error: f0: no key\nerror: f1: empty\nerror: f2: the same as f0\nhint: set one\n"
        );
        assert!(told(30).unwrap().contains("\nerror: 10 more\n"));
    }
}
