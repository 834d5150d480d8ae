//! What the Go program rendered, stored, and rendered again by ours.

use std::fs;
use std::path::{Path, PathBuf};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value as Json;

use super::{Ambient, Dot, Function, Kind, Limits, MissingKey, Problem, Template, functions};

fn vectors() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/vectors/templates")
}

fn dot() -> Dot {
    let json: Json =
        serde_json::from_str(&fs::read_to_string(vectors().join("dot.json")).unwrap()).unwrap();
    let bytes = |value: &Json| match value["text"].as_str() {
        Some(text) => text.as_bytes().to_vec(),
        None => STANDARD.decode(value["base64"].as_str().unwrap()).unwrap(),
    };
    json.as_object()
        .unwrap()
        .iter()
        .map(|(key, value)| (key.clone(), bytes(value).into()))
        .collect()
}

fn check(source: &str, expected: &Json, dot: &Dot) -> Result<(), String> {
    let parsed = Template::parse("t", source);
    let fails = expected["fails"].as_str();
    let template = match (parsed, fails) {
        (Err(_), Some("parse")) => return Ok(()),
        (Err(error), _) => return Err(error.to_string()),
        (Ok(_), Some("parse")) => return Err("parsed".to_owned()),
        (Ok(template), _) => template,
    };
    let wanted = match (expected["output"].as_str(), expected["output64"].as_str()) {
        (Some(text), _) => Some(text.as_bytes().to_vec()),
        (None, Some(text)) => Some(STANDARD.decode(text).unwrap()),
        (None, None) => None,
    };
    match (template.render(dot, &Limits::default()), wanted) {
        (Err(_), None) => Ok(()),
        (Err(error), Some(_)) => Err(error.to_string()),
        (Ok(text), None) => Err(format!("rendered {:?}", String::from_utf8_lossy(&text))),
        (Ok(text), Some(wanted)) if *text == wanted => Ok(()),
        (Ok(text), Some(wanted)) => Err(format!(
            "\n  ours {:?}\n  Go's {:?}",
            String::from_utf8_lossy(&text),
            String::from_utf8_lossy(&wanted)
        )),
    }
}

#[test]
fn every_stored_result_of_the_go_program_is_ours_too() {
    let dot = dot();
    let (mut count, mut wrong) = (0, Vec::new());
    for entry in fs::read_dir(vectors()).unwrap() {
        let path = entry.unwrap().path();
        if path
            .extension()
            .is_none_or(|extension| extension != "jsonl")
        {
            continue;
        }
        for line in fs::read_to_string(&path).unwrap().lines() {
            let vector: Json = serde_json::from_str(line).unwrap();
            let source = vector["source"].as_str().unwrap();
            count += 1;
            if let Err(difference) = check(source, &vector, &dot) {
                wrong.push(format!("{source}: {difference}"));
            }
        }
    }
    assert!(count > 500, "only {count} vectors");
    assert!(
        wrong.is_empty(),
        "{} of {count} differ:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

fn render(source: &str) -> Result<String, Problem> {
    render_within(source, &Limits::default())
}

fn render_within(source: &str, limits: &Limits) -> Result<String, Problem> {
    let template = Template::parse("t", source).map_err(|error| error.problem)?;
    let text = template
        .render(&dot(), limits)
        .map_err(|error| error.problem)?;
    Ok(String::from_utf8_lossy(&text).into_owned())
}

/// Runs on a stack as small as a worker thread may have.
fn on_a_small_stack(test: impl FnOnce() + Send) {
    std::thread::scope(|scope| {
        let thread = std::thread::Builder::new().stack_size(3 << 19);
        thread.spawn_scoped(scope, test).unwrap().join().unwrap();
    });
}

#[test]
fn hostile_templates_end_with_a_limit() {
    let deep_if = format!("{}x{}", "{{if true}}".repeat(5000), "{{end}}".repeat(5000));
    let deep_parens = format!("{{{{ {}1{} }}}}", "(".repeat(5000), ")".repeat(5000));
    let grown = "{{ $x := \"aaaaaaaaaa\" }}{{ range until 60 }}{{ $x = print $x $x }}{{ end }}";
    let nested_list = "{{ $x := list }}{{ range until 100000 }}{{ $x = list $x }}{{ end }}{{ $x }}";
    let nested_calls = format!(
        "{{{{ define \"r\" }}}}{}{{{{ template \"r\" . }}}}{}{{{{ end }}}}{{{{ template \"r\" . }}}}",
        "{{ with (list 1) }}".repeat(90),
        "{{ end }}".repeat(90)
    );
    let sources = [
        deep_if.as_str(),
        &deep_parens,
        grown,
        nested_list,
        &nested_calls,
        "{{ define \"r\" }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
        "{{ define \"r\" }}{{ template \"r\" . }}{{ template \"r\" . }}{{ end }}{{ template \"r\" . }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ toJson $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ deepCopy $d }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ $e := dict }}{{ $_ := set $e \"self\" $e }}{{ deepEqual $d $e }}",
        "{{ $d := dict }}{{ $_ := set $d \"self\" $d }}{{ $e := dict }}{{ $_ := set $e \"self\" $e }}{{ merge $d $e }}",
        "{{ range until 1000000000 }}x{{ end }}",
        "{{ range 9223372036854775807 }}x{{ end }}",
        "{{ until 9223372036854775807 }}",
        "{{ untilStep -9223372036854775807 9223372036854775807 1 }}",
        "{{ seq 1000000000 }}",
        "{{ repeat 1000000000 \"secret\" }}",
        "{{ repeat 9223372036854775807 \"secret\" }}",
        "{{ indent 100000000 \"a\\nb\" }}",
        "{{ range until 100 }}{{ printf \"%999999d\" 1 }}{{ end }}",
        "{{ range until 100 }}{{ printf \"%.999999f\" 1.5 }}{{ end }}",
        "{{ range until 1000 }}{{ range until 1000 }}{{ range until 1000 }}{{ end }}{{ end }}{{ end }}",
        "{{ $l := until 1000 }}{{ range until 1000 }}{{ $l = uniq $l }}{{ end }}",
        "{{ regexReplaceAll \"\" (repeat 1000000 \"a\") (repeat 1000000 \"b\") }}",
        "{{ regexReplaceAll \"(?s).*\" (repeat 1000000 \"a\") (repeat 100000 \"$0\") }}",
        "{{ regexFindAll \"a|a.*z\" (repeat 1000000 \"a\") -1 }}",
        "{{ regexMatch \"(a?){900}b\" (repeat 1000000 \"a\") }}",
        "{{ wrapWith 1 (repeat 10000 \"x\") (repeat 100000 \"y\") }}",
        "{{ replace \"\" (repeat 100000 \"x\") (repeat 100000 \"y\") }}",
        "{{ join (repeat 100000 \"x\") (until 100000) }}",
        "{{ range until 100 }}{{ bcrypt \"x\" }}{{ end }}",
        "{{ randAlphaNum 1000000000 }}",
        "{{ randBytes 9223372036854775807 }}",
        "{{ range until 100000 }}{{ toDate \"2006\" \"2024\" | date \"January January January\" }}{{ end }}",
    ];
    // Less memory than by default, for the sake of unoptimized builds.
    let limits = Limits {
        memory: 4 << 20,
        ..Limits::default()
    };
    on_a_small_stack(|| {
        for source in sources {
            let short: String = source.chars().take(80).collect();
            match render_within(source, &limits) {
                Err(Problem::Limit(_)) => {}
                Err(other) => panic!("{short}: {other}"),
                Ok(text) => panic!("{short}: {} bytes", text.len()),
            }
        }
    });
}

#[test]
fn values_that_nest_deeply_are_dropped_without_a_deep_stack() {
    on_a_small_stack(|| {
        let list = "{{ $x := list }}{{ range until 100000 }}{{ $x = list $x }}{{ end }}done";
        assert_eq!(render(list).as_deref(), Ok("done"));
        let dicts = "{{ $root := dict }}{{ $x := $root }}{{ range until 20000 }}{{ $y := dict }}\
                     {{ $_ := set $x \"k\" $y }}{{ $x = $y }}{{ end }}done";
        assert_eq!(render(dicts).as_deref(), Ok("done"));
    });
}

#[test]
fn nesting_within_the_limits_fits_a_small_stack() {
    let deep = format!(
        "{}{{{{ 1 }}}}{}",
        "{{ if true }}".repeat(99),
        "{{ end }}".repeat(99)
    );
    let parens = format!("{{{{ {}1{} }}}}", "(".repeat(99), ")".repeat(99));
    let chain = format!(
        "{{{{ if false }}}}{}{{{{ else }}}}last{{{{ end }}}}",
        "{{ else if false }}".repeat(10_000)
    );
    // Fourteen calls of ten ranges each, and at the bottom a list that is nested as deep as any may be.
    let calls = |bottom: &str| {
        format!(
            "{{{{ define \"r\" }}}}{{{{ if lt (len .) 14 }}}}{{{{ template \"r\" (append . 1) }}}}{{{{ else }}}}\
             {{{{ $x := list }}}}{{{{ range until 95 }}}}{{{{ $x = list $x }}}}{{{{ end }}}}{bottom}{{{{ end }}}}\
             {{{{ end }}}}{{{{ define \"s\" }}}}{}{{{{ template \"r\" (list) }}}}{}{{{{ end }}}}{{{{ template \"s\" . }}}}",
            "{{ range list 1 }}".repeat(95),
            "{{ end }}".repeat(95)
        )
    };
    on_a_small_stack(|| {
        assert_eq!(render(&deep).as_deref(), Ok("1"));
        assert_eq!(render(&parens).as_deref(), Ok("1"));
        assert_eq!(render(&chain).as_deref(), Ok("last"));
        for bottom in [
            "{{ $x }}",
            "{{ toPrettyJson $x }}",
            "{{ fromJson (toJson $x) }}",
            "{{ deepEqual $x (deepCopy $x) }}",
        ] {
            assert!(
                render(&calls(bottom)).is_ok(),
                "{bottom}: {:?}",
                render(&calls(bottom))
            );
        }
    });
}

#[test]
fn errors_say_where_and_never_what() {
    let cases = [
        (
            "\n\n{{ fail .password }}",
            "template \"k\": line 3: fail: was called",
        ),
        (
            "{{ nope }}",
            "template \"k\": line 1: function \"nope\" is not defined",
        ),
        (
            "{{ genPrivateKey \"rsa\" }}",
            "template \"k\": line 1: function \"genPrivateKey\" is not supported",
        ),
        (
            "a\n{{ .password.x }}",
            "template \"k\": line 2: a string has no field \"x\"",
        ),
        (
            "{{ mustFromJson .password }}",
            "template \"k\": line 1: mustFromJson: not JSON",
        ),
        (
            "{{ mustToDate \"2006\" .password }}",
            "template \"k\": line 1: mustToDate: the text is no date of this layout",
        ),
        (
            "{{ until .password }}",
            "template \"k\": line 1: expected int, got string",
        ),
        (
            "{{ template \"x\" }}",
            "template \"k\": line 1: template \"x\" is not defined",
        ),
        (
            "{{ if \"secret",
            "template \"k\": line 1: unterminated quoted string",
        ),
    ];
    for (source, message) in cases {
        let error = match Template::parse("k", source) {
            Ok(template) => template.render(&dot(), &Limits::default()).unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(error.to_string(), message, "{source}");
        assert!(!format!("{error:?}").contains("s3cr"), "{source}");
    }
}

#[test]
fn a_missing_key_is_an_error_where_that_is_asked() {
    let limits = Limits {
        missing_key: MissingKey::Error,
        ..Limits::default()
    };
    let strict = |source: &str| {
        Template::parse("t", source)
            .unwrap()
            .render(&dot(), &limits)
            .map_err(|error| error.problem)
    };
    let missing = || Err(Problem::MissingKey("nope".to_owned()));
    assert_eq!(strict("{{ .nope }}"), missing());
    assert_eq!(strict("{{ $.nope }}"), missing());
    assert_eq!(strict("{{ if .nope }}{{ end }}"), missing());
    assert_eq!(strict("{{ (dict \"a\" 1).nope }}"), missing());
    assert_eq!(strict("{{ default \"x\" .nope }}"), missing());
    assert_eq!(strict("{{ .user }}").unwrap().as_slice(), b"admin");
    assert_eq!(
        strict("{{ hasKey (dict) \"nope\" }}").unwrap().as_slice(),
        b"false"
    );
}

#[test]
fn what_varies_is_what_has_asked_for_the_time_or_randomness() {
    for (source, varies) in [
        ("{{ now | date \"2006\" }}", true),
        ("{{ date \"2006\" 1700000000 }}", false),
        ("{{ date \"2006\" \"no date\" }}", true),
        (
            "{{ dateInZone \"2006\" (toDate \"2006-01-02\" \"2024-05-06\") \"UTC\" }}",
            false,
        ),
        ("{{ htmlDate 0 }}{{ htmlDateInZone 0 \"UTC\" }}", false),
        ("{{ durationRound \"2h10m5s\" }}", false),
        (
            "{{ durationRound (toDate \"2006-01-02\" \"2024-05-06\") }}",
            true,
        ),
        ("{{ ago 0 }}", true),
        ("{{ uuidv4 }}", true),
        ("{{ randAlpha 0 }}", false),
        ("{{ if .user }}{{ else }}{{ uuidv4 }}{{ end }}", false),
        (
            "{{ define \"x\" }}{{ uuidv4 }}{{ end }}{{ template \"x\" }}",
            true,
        ),
        ("{{ .now }}", false),
    ] {
        let ambient = Ambient::default();
        let template = Template::parse("t", source).unwrap();
        let rendered = template.render_with(&dot(), &Limits::default(), &ambient);
        assert!(rendered.is_ok(), "{source}");
        assert_eq!(ambient.was_used(), varies, "{source}");
    }
}

#[test]
fn a_refused_function_is_refused_even_where_it_is_never_called() {
    let refused = functions()
        .iter()
        .filter(|function| function.kind == Kind::Refused);
    for Function { name, .. } in refused {
        let source = format!("{{{{ if false }}}}{{{{ {name} }}}}{{{{ end }}}}");
        let error = Template::parse("t", &source)
            .err()
            .map(|error| error.problem);
        assert_eq!(error, Some(Problem::RefusedFunction((*name).to_owned())));
    }
}

#[test]
fn the_clock_and_randomness_are_those_that_are_handed_in() {
    let ambient = Ambient::new(
        || jiff::Timestamp::from_second(1_700_000_000).unwrap(),
        |buffer| {
            buffer.fill(0);
            Ok(())
        },
    );
    let source = "{{ now | date \"2006-01-02\" }} {{ ago 1699999990 }} {{ randAlphaNum 4 }} {{ uuidv4 }} {{ randInt 3 9 }}";
    let text = Template::parse("t", source)
        .unwrap()
        .render_with(&dot(), &Limits::default(), &ambient)
        .unwrap();
    let text = String::from_utf8_lossy(&text);
    assert_eq!(
        text,
        "2023-11-14 10s AAAA 00000000-0000-4000-8000-000000000000 3"
    );
}
