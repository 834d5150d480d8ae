//! Figures, and the targets that ratios between them must meet.

use std::io::Write;

/// What was measured, and what was wanted.
#[derive(Default)]
pub(crate) struct Report {
    figures: Vec<(String, String)>,
    targets: Vec<Target>,
}

struct Target {
    what: String,
    measured: f64,
    wanted: Wanted,
}

/// On which side of a number a ratio must be.
#[derive(Clone, Copy)]
pub(crate) enum Wanted {
    /// This or more.
    AtLeast(f64),
    /// This or less.
    AtMost(f64),
}

impl Report {
    /// Notes a figure.
    pub(crate) fn figure(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        testkit::say(&format!("{what}: {value}"));
        self.figures.push((what, value));
    }

    /// Notes a measured ratio and its target.
    pub(crate) fn target(&mut self, what: impl Into<String>, measured: f64, wanted: Wanted) {
        self.targets.push(Target {
            what: what.into(),
            measured,
            wanted,
        });
    }

    /// Whether every target is met.
    pub(crate) fn targets_met(&self) -> bool {
        self.targets.iter().all(Target::is_met)
    }

    /// Prints all to stdout.
    pub(crate) fn print(&self) {
        let mut out = std::io::stdout().lock();
        for (what, value) in &self.figures {
            let _ = writeln!(out, "{what:<60} {value}");
        }
        for target in &self.targets {
            let (sign, bound) = match target.wanted {
                Wanted::AtLeast(bound) => ("at least", bound),
                Wanted::AtMost(bound) => ("at most", bound),
            };
            let word = if target.is_met() { "met" } else { "MISSED" };
            let _ = writeln!(
                out,
                "{:<60} {:.2} ({sign} {bound}: {word})",
                target.what, target.measured
            );
        }
    }
}

impl Target {
    fn is_met(&self) -> bool {
        match self.wanted {
            Wanted::AtLeast(bound) => self.measured >= bound,
            Wanted::AtMost(bound) => self.measured <= bound,
        }
    }
}
