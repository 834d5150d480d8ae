//! The way to a value, as people type it: `["key"][0]`.

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// The value of a key.
    Key(String),
    /// The item at a place, from 0. Comments count, as in SOPS.
    Index(usize),
}

/// The way from the top of a document to a value. It has a key at least.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Path(Vec<Step>);

/// A text that is no path.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no path: it is written as [\"key\"][0]")]
pub struct PathError(pub String);

impl Path {
    /// Reads keys in quotes of either kind and places, each in brackets.
    pub fn parse(text: &str) -> Result<Self, PathError> {
        let wrong = || PathError(text.to_owned());
        let mut steps = Vec::new();
        let mut rest = text.trim();
        while !rest.is_empty() {
            let inner = rest.strip_prefix('[').ok_or_else(wrong)?;
            let quote = inner.chars().next().filter(|c| matches!(c, '"' | '\''));
            let (step, after) = match quote {
                Some(quote) => {
                    let end = inner
                        .find(&format!("{quote}]"))
                        .filter(|end| *end > 0)
                        .ok_or_else(wrong)?;
                    (Step::Key(inner[1..end].to_owned()), &inner[end + 2..])
                }
                None => {
                    let (index, after) = inner.split_once(']').ok_or_else(wrong)?;
                    let index = index.trim().parse().map_err(|_| wrong())?;
                    (Step::Index(index), after)
                }
            };
            steps.push(step);
            rest = after.trim_start();
        }
        match steps.first() {
            Some(Step::Key(_)) => Ok(Self(steps)),
            _ => Err(wrong()),
        }
    }

    /// The way over these steps, of which the first is a key.
    pub(super) fn of(steps: Vec<Step>) -> Self {
        Self(steps)
    }

    /// Its steps; the first is a key.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_read() {
        let key = |key: &str| Step::Key(key.to_owned());
        let path = Path::parse("[\"a[0]\"] [12]['b\"c']").expect("a path");
        assert_eq!(path.steps(), [key("a[0]"), Step::Index(12), key("b\"c")]);
        for text in [
            "",
            "a",
            "[0]",
            "[\"a\"",
            "[\"a\"]b",
            "[\"a\"][-1]",
            "[\"a\"][x]",
            "[\"]",
            "[a]",
        ] {
            assert!(Path::parse(text).is_err(), "{text}");
        }
    }
}
