//! The text format of Prometheus, version 0.0.4.

use std::fmt::{Display, Write};

/// What a family of samples measures.
#[derive(Clone, Copy)]
pub(super) enum Kind {
    Counter,
    Gauge,
    Histogram,
}

/// One family: its description and its samples.
pub(super) struct Text {
    name: String,
    text: String,
    samples: usize,
}

impl Text {
    pub(super) fn new(name: &str, kind: Kind, help: &str) -> Self {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        Self {
            name: name.to_owned(),
            text: format!("# HELP {name} {help}\n# TYPE {name} {kind}\n"),
            samples: 0,
        }
    }

    pub(super) fn sample(&mut self, labels: &[(&str, &str)], value: impl Display) {
        self.suffixed("", labels, value);
    }

    /// A sample whose name is the family's with `suffix`, as histograms have them.
    pub(super) fn suffixed(&mut self, suffix: &str, labels: &[(&str, &str)], value: impl Display) {
        self.samples += 1;
        self.text.push_str(&self.name);
        self.text.push_str(suffix);
        for (index, (name, value)) in labels.iter().enumerate() {
            self.text.push(if index == 0 { '{' } else { ',' });
            self.text.push_str(name);
            self.text.push_str("=\"");
            escape(value, &mut self.text);
            self.text.push('"');
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        // Writing to a String does not fail.
        let _ = writeln!(self.text, " {value}");
    }

    /// Returns `None` if there is no sample: then the family is left out.
    pub(super) fn if_any(self) -> Option<Self> {
        (self.samples > 0).then_some(self)
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) fn as_str(&self) -> &str {
        &self.text
    }
}

fn escape(value: &str, out: &mut String) {
    for character in value.chars() {
        match character {
            '\\' => out.push_str("\\\\"),
            '"' => out.push_str("\\\""),
            '\n' => out.push_str("\\n"),
            other => out.push(other),
        }
    }
}
