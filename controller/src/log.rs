//! Log lines as Go's slog writes them, text or JSON, to stdout or stderr by level.

use std::fmt::{self, Write as _};
use std::io::{self, Write};

use jiff::Timestamp;
use serde_json::{Map, Value};
use tracing::field::{Field, Visit};
use tracing::level_filters::LevelFilter;
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Metadata, Subscriber};

use crate::args::LogFormat;

/// These write the whole of an answer that they cannot read, sealing keys included, or each failure a second time.
const QUOTING: [&str; 2] = ["kube_client::client", "kube_client::client::builder"];

/// Writes log lines; spans are not used.
pub struct Log {
    /// The least important level that is written.
    pub level: Level,
    /// How a line is written.
    pub format: LogFormat,
    /// Whether lines up to INFO go to stdout instead of stderr.
    pub info_to_stdout: bool,
}

impl Subscriber for Log {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        metadata.is_event() && self.writes(metadata.target(), *metadata.level())
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(self.level.into())
    }

    fn new_span(&self, _: &Attributes<'_>) -> Id {
        Id::from_u64(1)
    }

    fn record(&self, _: &Id, _: &Record<'_>) {}

    fn record_follows_from(&self, _: &Id, _: &Id) {}

    fn event(&self, event: &Event<'_>) {
        let level = *event.metadata().level();
        let mut fields = Fields::default();
        event.record(&mut fields);
        let mut line = match self.format {
            LogFormat::Text => text(Timestamp::now(), level, &fields),
            LogFormat::Json => json(Timestamp::now(), level, fields),
        };
        line.push('\n');
        // A log that cannot be written has nowhere to be complained about.
        let _ = if self.info_to_stdout && level >= Level::INFO {
            io::stdout().write_all(line.as_bytes())
        } else {
            io::stderr().write_all(line.as_bytes())
        };
    }

    fn enter(&self, _: &Id) {}

    fn exit(&self, _: &Id) {}
}

impl Log {
    /// Others' lines are written only where they warn, and those never that may hold what the API server said.
    fn writes(&self, target: &str, level: Level) -> bool {
        let is_ours = target.starts_with("controller");
        level <= self.level && (is_ours || level <= Level::WARN) && !QUOTING.contains(&target)
    }
}

#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, Value)>,
}

impl Fields {
    fn push(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(text)) => self.message = text,
            ("message", other) => self.message = other.to_string(),
            (name, value) => self.others.push((name.trim_start_matches("r#"), value)),
        }
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.push(field, format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.push(field, value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.push(field, value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.push(field, value.into());
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.push(field, value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.push(field, value.into());
    }
}

fn level_name(level: Level) -> &'static str {
    match level {
        Level::ERROR => "ERROR",
        Level::WARN => "WARN",
        Level::INFO => "INFO",
        _ => "DEBUG",
    }
}

fn text(now: Timestamp, level: Level, fields: &Fields) -> String {
    let mut line = format!("time={now:.3} level={} msg=", level_name(level));
    quote(&fields.message, &mut line);
    for (name, value) in &fields.others {
        line.push(' ');
        quote(name, &mut line);
        line.push('=');
        match value {
            Value::String(text) => quote(text, &mut line),
            other => line.push_str(&other.to_string()),
        }
    }
    line
}

/// As it is if it is one plain word, else in double quotes with escapes.
fn quote(text: &str, out: &mut String) {
    let plain = |c: char| c > ' ' && c != '"' && c != '=' && c != '\u{7f}' && !c.is_control();
    if !text.is_empty() && text.chars().all(plain) && !text.contains('\\') {
        out.push_str(text);
        return;
    }
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => {
                // Writing to a String does not fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

fn json(now: Timestamp, level: Level, fields: Fields) -> String {
    let mut object = Map::new();
    object.insert("time".to_owned(), now.to_string().into());
    object.insert("level".to_owned(), level_name(level).into());
    object.insert("msg".to_owned(), fields.message.into());
    for (name, value) in fields.others {
        object.insert(name.to_owned(), value);
    }
    Value::Object(object).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields() -> Fields {
        Fields {
            message: "New key \"written\"\n".to_owned(),
            others: vec![
                ("namespace", "kube-system".into()),
                ("note", "a=b".into()),
                ("empty", "".into()),
                ("count", 3.into()),
            ],
        }
    }

    #[test]
    fn others_warn_and_do_not_quote() {
        let log = Log {
            level: Level::DEBUG,
            format: LogFormat::Text,
            info_to_stdout: true,
        };
        for (target, level, expected) in [
            ("controller::run", Level::DEBUG, true),
            ("controller", Level::TRACE, false),
            ("hyper_util::client", Level::DEBUG, false),
            ("kube_client::client::tls", Level::WARN, true),
            ("kube_client::client", Level::WARN, false),
            ("kube_client::client::builder", Level::ERROR, false),
        ] {
            assert_eq!(log.writes(target, level), expected, "{target} {level}");
        }
    }

    #[test]
    fn lines_cannot_be_forged() {
        let now = Timestamp::from_millisecond(1_700_000_000_120).expect("in range");
        assert_eq!(
            text(now, Level::WARN, &fields()),
            r#"time=2023-11-14T22:13:20.120Z level=WARN msg="New key \"written\"\n" namespace=kube-system note="a=b" empty="" count=3"#
        );
        assert_eq!(
            json(now, Level::INFO, fields()),
            r#"{"time":"2023-11-14T22:13:20.12Z","level":"INFO","msg":"New key \"written\"\n","namespace":"kube-system","note":"a=b","empty":"","count":3}"#
        );
    }
}
