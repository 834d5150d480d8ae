//! Templates: what ours renders is what Go and sprig render, byte for byte, and it fails where they fail.

mod program;

use std::{
    cell::RefCell,
    collections::BTreeMap,
    fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use base64::{Engine, engine::general_purpose::STANDARD};
use decryptor::sealed::template::{Dot, Kind, Limits, Problem, Template, functions};
use proptest::{
    collection::vec,
    prelude::{ProptestConfig, any, prop_assume},
    prop_assert_eq, proptest,
};
use serde_json::{Value, json};

use program::Choices;

/// The Go program, kept running.
struct Go {
    process: Child,
    ask: ChildStdin,
    answers: BufReader<ChildStdout>,
}

/// What came of a template: its text, or where it failed.
#[derive(Debug, PartialEq)]
enum Rendered {
    Text(Vec<u8>),
    Fails(&'static str),
}

impl Go {
    fn start() -> Self {
        let mut process = Command::new(testkit::peer::go("template"))
            .env("TZ", "UTC")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Go program starts");
        let ask = process.stdin.take().expect("a pipe");
        let answers = BufReader::new(process.stdout.take().expect("a pipe"));
        Self {
            process,
            ask,
            answers,
        }
    }

    fn ask(&mut self, question: &Value) -> Value {
        writeln!(self.ask, "{question}").expect("the Go program listens");
        let mut line = String::new();
        self.answers
            .read_line(&mut line)
            .expect("the Go program answers");
        serde_json::from_str(&line).expect("the Go program answers in JSON")
    }

    fn render(&mut self, source: &str, dot: &Dot) -> Rendered {
        let data: BTreeMap<&String, String> = dot
            .iter()
            .map(|(key, value)| (key, STANDARD.encode(value)))
            .collect();
        let answer = self.ask(&json!({"source": STANDARD.encode(source), "data": data}));
        match answer["stage"].as_str() {
            Some("parse") => Rendered::Fails("parse"),
            Some(_) => Rendered::Fails("render"),
            None => Rendered::Text(
                STANDARD
                    .decode(answer["output"].as_str().unwrap_or(""))
                    .expect("as it was written"),
            ),
        }
    }
}

impl Drop for Go {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// Ours; `None` if it reached a bound that Go does not have.
fn ours(source: &str, dot: &Dot) -> Option<Rendered> {
    let Ok(template) = Template::parse("t", source) else {
        return Some(Rendered::Fails("parse"));
    };
    match template.render(dot, &Limits::default()) {
        Ok(text) => Some(Rendered::Text(text.to_vec())),
        Err(error) if matches!(error.problem, Problem::Limit(_)) => None,
        Err(_) => Some(Rendered::Fails("render")),
    }
}

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("vectors/templates")
}

fn stored_dot() -> Dot {
    let json: Value = serde_json::from_str(
        &fs::read_to_string(vectors().join("dot.json")).expect("as it was written"),
    )
    .expect("as it was written");
    let bytes = |value: &Value| match value["text"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD
            .decode(value["base64"].as_str().expect("as it was written"))
            .expect("as it was written"),
    };
    json.as_object()
        .expect("as it was written")
        .iter()
        .map(|(key, value)| (key.clone(), bytes(value).into()))
        .collect()
}

/// A vector as it is stored: text where it is text.
fn vector(source: &str, rendered: &Rendered) -> Value {
    match rendered {
        Rendered::Fails(stage) => json!({"source": source, "fails": stage}),
        Rendered::Text(bytes) => match str::from_utf8(bytes) {
            Ok(text) => json!({"source": source, "output": text}),
            Err(_) => json!({"source": source, "output64": STANDARD.encode(bytes)}),
        },
    }
}

#[test]
fn our_list_of_functions_is_that_of_the_original() {
    let theirs = Go::start().ask(&json!({"functions": true}));
    let theirs: Vec<&str> = theirs["functions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|name| name.as_str().unwrap())
        .collect();
    let ours: Vec<&str> = functions().iter().map(|function| function.name).collect();
    assert_eq!(ours, theirs);
}

/// With `KUBESEAL_RS_WRITE_VECTORS=1` the stored results are made anew; lines that have only a source are filled in.
#[test]
fn stored_results_are_what_go_renders_today() {
    let (mut go, dot) = (Go::start(), stored_dot());
    let write = std::env::var_os("KUBESEAL_RS_WRITE_VECTORS").is_some();
    for entry in fs::read_dir(vectors()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        let mut fresh = String::new();
        for line in fs::read_to_string(&path).unwrap().lines() {
            let stored: Value = serde_json::from_str(line).unwrap();
            let source = stored["source"].as_str().unwrap();
            let now = vector(source, &go.render(source, &dot));
            if !write {
                assert_eq!(stored, now);
            }
            fresh += &format!("{now}\n");
        }
        if write {
            fs::write(&path, fresh).unwrap();
        }
    }
}

thread_local! {
    static GO: RefCell<Option<Go>> = const { RefCell::new(None) };
}

fn go(source: &str, dot: &Dot) -> Rendered {
    GO.with_borrow_mut(|go| go.get_or_insert_with(Go::start).render(source, dot))
}

/// `PROPTEST_CASES` may ask for more.
fn config() -> ProptestConfig {
    let config = ProptestConfig::default();
    ProptestConfig {
        cases: config.cases.max(2000),
        max_global_rejects: 100_000,
        failure_persistence: None,
        ..config
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn generated_programs_render_as_in_go(seed in vec(any::<u8>(), 1..200)) {
        let (source, dot) = Choices::new(&seed).program();
        let ours = ours(&source, &dot);
        prop_assume!(ours.is_some());
        prop_assert_eq!(ours, Some(go(&source, &dot)), "{}", source);
    }

    /// Each action by itself, so that one that fails does not hide the others.
    #[test]
    fn the_languages_within_templates_are_read_as_in_go(seed in vec(any::<u8>(), 2..24)) {
        let (source, dot) = Choices::new(&seed).language();
        for action in source.split_inclusive("}}") {
            let ours = ours(action, &dot);
            let limited = ours.is_none();
            prop_assert_eq!(ours, (!limited).then(|| go(action, &dot)), "{} over {:?}", action, dot.values().map(|value| String::from_utf8_lossy(value).into_owned()).collect::<Vec<_>>());
        }
    }

    #[test]
    fn any_pieces_of_a_template_parse_or_fail_as_in_go(seed in vec(any::<u8>(), 1..40)) {
        let source = Choices::new(&seed).pieces();
        let dot = stored_dot();
        let ours = ours(&source, &dot);
        prop_assume!(ours.is_some());
        prop_assert_eq!(ours, Some(go(&source, &dot)), "{}", source);
    }
}

/// The names in back quotes between `<!-- mark -->` and `<!-- end -->`.
fn listed(page: &str, mark: &str) -> Vec<String> {
    let (_, rest) = page
        .split_once(&format!("<!-- {mark} -->"))
        .expect("the list begins");
    let (list, _) = rest.split_once("<!-- end -->").expect("the list ends");
    list.split_whitespace()
        .map(|name| name.trim_matches('`').to_owned())
        .collect()
}

#[test]
fn the_page_about_templates_lists_every_function() {
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/templates.md");
    let page = fs::read_to_string(page).unwrap();
    let lists = [
        ("deterministic", Kind::Deterministic),
        ("varying", Kind::Varying),
        ("refused", Kind::Refused),
    ];
    for (mark, kind) in lists {
        let ours: Vec<&str> = functions()
            .iter()
            .filter(|function| function.kind == kind)
            .map(|function| function.name)
            .collect();
        assert_eq!(listed(&page, mark), ours, "{mark}");
    }
}
