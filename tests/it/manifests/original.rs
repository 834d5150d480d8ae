//! A small Go program with the libraries that the original reads and writes manifests with.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::{LazyLock, Mutex};

use serde::Deserialize;
use serde_json::json;
use testkit::peer;

/// The running program. It ends with the test process, whose end it reads.
pub(crate) struct Original {
    _process: Child,
    questions: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What it says to one question.
#[derive(Debug, Deserialize)]
pub(crate) struct Answer {
    #[serde(deserialize_with = "list")]
    pub(crate) results: Vec<String>,
    #[serde(deserialize_with = "list")]
    pub(crate) errors: Vec<String>,
}

/// Go writes an empty list as null.
fn list<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Vec<String>, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

static RUNNING: LazyLock<Mutex<Original>> = LazyLock::new(|| Mutex::new(Original::start()));

impl Original {
    fn start() -> Self {
        let mut process = Command::new(peer::go("manifest"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the program that was built can be run");
        let questions = process.stdin.take().expect("it was piped");
        let answers = BufReader::new(process.stdout.take().expect("it was piped"));
        Self {
            _process: process,
            questions,
            answers,
        }
    }

    /// Asks for an operation on a text.
    pub(crate) fn ask(operation: &str, text: &str) -> Answer {
        let mut running = RUNNING
            .lock()
            .unwrap_or_else(std::sync::PoisonError::into_inner);
        let question = json!({"op": operation, "text": text});
        writeln!(running.questions, "{question}").expect("the program reads");
        let mut line = String::new();
        running
            .answers
            .read_line(&mut line)
            .expect("the program answers");
        serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line}"))
    }
}
