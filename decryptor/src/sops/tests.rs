//! Documents there and back: what is in clear comes back byte for byte.

mod aliases;
mod changes;
mod generated;
mod hostile;
mod merges;

use keys::aead::ValueCipher;
use keys::{DataKey, KeyGroups};

use super::metadata::Metadata;
use super::*;

fn closing(rules: Rules) -> Closing<'static> {
    Closing {
        metadata: Metadata::new(rules, KeyGroups::one([])),
        now: "2024-01-02T03:04:05Z",
        previous: None,
    }
}

pub(super) fn closed(text: &str, format: Format, rules: Rules, key: &DataKey) -> Encrypted {
    let plain = Plain::parse(text.as_bytes(), format).expect(text);
    plain
        .close(key, closing(rules))
        .unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn assert_comes_back(text: &str, format: Format) {
    let key = DataKey::generate();
    let encrypted = closed(text, format, Rules::default(), &key);
    let read = Encrypted::parse(encrypted.as_bytes(), format).expect(text);
    let opened = read.open(&key).expect(text);
    let is_doubted = |warning: &Warning| matches!(warning, Warning::TypeDoubted(..));
    assert!(!opened.warnings().iter().any(is_doubted), "{text:?}");
    let opened = String::from_utf8_lossy(opened.expose_secret()).into_owned();
    assert_eq!(opened, text, "by way of:\n{}", encrypted.text);
}

const YAML: &[&str] = &[
    "a: 1\n",
    "a: 1",
    "a: b # inline\n",
    "# head\n\na:   'single'   # why\nb: \"double\"\n\n\n# foot\n",
    "a:\n  b:\n    c: text\n    # after c\n  d: 1.50\n",
    "list:\n- a\n- b: 1\n  c: 2\n# between\n- - x\n  - y\nend: true\n",
    "list:\n  # first\n  - a\n\n  - b # two\n  # last\n\nend: ~\n",
    "text: |\n  line one\n\n    indented\n  last\n\nnext: 1\n",
    "text: |-\n    no newline\nkeep: |+\n  kept\n\n\nnext: x\n",
    "text: |2\n    starts with spaces\nnext: x\n",
    "text: | # why\n  body\n",
    "text: |\n  body \nnext: 1\n",
    "text: |\n  body \t",
    "text: |\n  body",
    "text: |-\r\n  body",
    "list:\n- |+\n  body",
    "text: |-\n  body  \n\n\nnext: 1\n",
    "text: |\r\n  body \r\nnext: 1\r\n",
    "text: |+\n  body \n\nnext: 1\n",
    "list:\n- |\n  body\n- |-\n  body\n",
    "flow: {a: 1, b: [x, 'y', \"z\"], c: yes}\nempty: {}\nnone: []\n",
    "{a: 1, b: two}\n",
    "{}\n",
    "---\na: 1\n---\nb: 2\n",
    "a: 1\n...\n---\n# only\nb: 2\n...\n",
    "%YAML 1.1\n---\na: 1\n",
    "---\n",
    "a: yes\nb: off\nc: 12:30:00\nd: 08.5\ne: 'true'\n",
    "a: True\nb: TRUE\nc: false\nd: False\n",
    "a: +7\nb: -0.0\nc: 1e3\nd: .5\ne: .inf\nf: 1.\n",
    "a: 2024-01-02T03:04:05Z\nb: \"2024-01-02\"\n",
    "a: null\nb: ~\nc:\nd: ''\ne: \"\"\n",
    "a: &anchor text\nb: !custom tagged\nc: !!str 12\n",
    "a: 1\r\nb: |\r\n  x\r\n  y\r\nc: [1,\r\n  2]\r\n",
    "\"quoted key\": 1\n'other': 2\n? plain\n: 3\n",
    "? first\n: 1\nsecond:\n",
    "? alone\n",
    "  a: 1\n  b:\n    - x\n",
    "ключ: значение # да\nemoji: \"😀\"\n",
    "a: it's # not 'a comment\nb: x#y\nurl: http://host:80/#top\n",
    "a: \"tab\\there\"\nb: \"line\\nbreak\"\nc: \"quote \\\" and \\\\\"\n",
    "sub:\n    sops: inner is fine\n",
    "a_unencrypted: 017\nb_unencrypted: [1, 2]\n",
    "base_unencrypted: &base\n  x: 1\nuse_unencrypted: *base\nmerged_unencrypted:\n  <<: *base\n",
];

#[test]
fn yaml_comes_back_byte_for_byte() {
    for text in YAML {
        assert_comes_back(text, Format::Yaml);
    }
}

#[test]
fn json_comes_back_byte_for_byte() {
    for text in [
        "{\"a\": 1, \"b\": [true, null, \"x\", 1.50, -0.0, 1e3], \"c\": {}}",
        "{\n  \"a\": \"text\",\n  \"b\": {\n    \"c\": \"\"\n  }\n}\n",
        "{}",
        "{ }\n",
        "{\"a\":\"\\n\\t\\\" / < é 😀\"}",
        "{\r\n\t\"a\": 1\r\n}\r\n",
    ] {
        assert_comes_back(text, Format::Json);
    }
}

#[test]
fn dotenv_comes_back_byte_for_byte() {
    for text in [
        "",
        "A=1",
        "A=1\n",
        "# head\n\nexport A=one two # no comment\nB=\n\n\nC=x\\ny=z\n#foot\n",
        "A=1\r\nB=\"quoted\"\r\n",
        "A=1\nA=2\n",
        "\n\n",
    ] {
        assert_comes_back(text, Format::Dotenv);
    }
}

#[test]
fn ini_comes_back_byte_for_byte() {
    for text in [
        "",
        "\n",
        "a=1",
        "a = 1\n[s]\nb: 2\n",
        "; head\n[s]\n\n# about\n# a\n  a   =   'x'\n  d =  \t1 ; why\n[t]\n\nb = \"y\"\nc = `z#1`\n; foot\n",
        "[s]\r\na = 1 ; x\r\n\r\n[t]\r\nb = \"\"\"one\r\ntwo\"\"\"\r\n",
        "[s]\na = `one\n  two`\nempty =\nnone = ; note\n[s]\na = again\n",
        "[s]\n\"quoted key\" = 1\n`k=e` = 2\n- = x\n- = y\n",
        "[s]\na = \"quoted # cut\"\n",
        "; only\n",
        "[s]\na = b\n\n\n",
        "[s]\n; a\r\r",
        "[s]\r\n; a\r\r",
    ] {
        assert_comes_back(text, Format::Ini);
    }
}

#[test]
fn binary_comes_back_byte_for_byte() {
    for bytes in [&b""[..], b"text", b"\0\xFF\xFE", b"{\"a\": 1}"] {
        let key = DataKey::generate();
        let plain = Plain::parse(bytes, Format::Binary).expect("anything");
        let encrypted = plain
            .close(&key, closing(Rules::default()))
            .expect("closes");
        let read = Encrypted::parse(encrypted.as_bytes(), Format::Binary).expect("ours");
        assert_eq!(read.open(&key).expect("opens").expose_secret(), bytes);
    }
}

#[test]
fn a_value_of_ini_stays_apart_from_the_comment_behind_it() {
    for text in [
        "a = \"\\#b\nc = 1\n",
        "a = b\\ ; c\nd = 1\n",
        "a = 'b' # c\n",
        "a = \"b#c\"\n",
    ] {
        assert_comes_back(text, Format::Ini);
    }
    // Without its comment, which moves up, the value would go on over the next line.
    let key = DataKey::generate();
    let text = "; above\na = \"\\#b\nc = 1\n";
    let opened = closed(text, Format::Ini, Rules::default(), &key).open(&key);
    let opened = opened.expect(text);
    let expected = "; above\n#b\na = `\"\\`\nc = 1\n";
    assert_eq!(String::from_utf8_lossy(opened.expose_secret()), expected);
}

/// Comments behind values and headers that SOPS joins to those above.
#[test]
fn comments_of_ini_that_belong_together_come_back_together() {
    for (text, expected) in [
        ("[t] ; of t\na = 1\n", "; of t\n[t]\na = 1\n"),
        (
            "; one\n\n  ; two\n[t] # three\n",
            "; one\n; two\n# three\n[t]\n",
        ),
        ("# one\na = 1  ; two\n", "# one\n; two\na = 1\n"),
    ] {
        let key = DataKey::generate();
        let encrypted = closed(text, Format::Ini, Rules::default(), &key);
        let opened = encrypted.open(&key).expect(text);
        assert_eq!(String::from_utf8_lossy(opened.expose_secret()), expected);
        assert_comes_back(expected, Format::Ini);
    }
}

/// How values are written that no style of an encrypted value says.
const SOURCES: &[&str] = &[
    "a: >\n  folded\n  lines\n",
    "a: >-\n  folded\n\n  lines\nb: 1\n",
    "a: 0x1F\nb: 017\nc: 1_000\nd: 0644\ne: +7\n",
    "a: 1.50\nb: 1e3\nc: -0.0\nd: .INF\n",
    "a: True\nb: FALSE\nc: [True, 0x10]\n",
    "a: 2024-01-02\nb: 2024-01-02 03:04:05\n",
    "a: \"\\u0041\\x42\"\n",
    "a: plain\n  on two lines\n",
    "a: \"double\n  on two lines\"\n",
    "a: 'single\n\n  on three lines'\n",
    "a: !!int \"3\"\n",
    "a: !!binary aGVsbG8=\n",
    "a: |+\n  keeps\n\nb: |2\n   more\n",
    "a: |+\n  no line break at the end",
];

#[test]
fn the_way_values_are_written_comes_back() {
    for text in SOURCES {
        let key = DataKey::generate();
        let encrypted = closed(text, Format::Yaml, Rules::default(), &key);
        let read = Encrypted::parse(encrypted.as_bytes(), Format::Yaml).expect(text);
        let opened = read.open(&key).expect(text);
        let back = String::from_utf8_lossy(opened.expose_secret());
        assert_eq!(back, *text, "{}", encrypted.text);
        // Closed over itself, nothing changes but the MAC.
        let closing = Closing {
            metadata: encrypted.metadata().copy().expect("the same"),
            now: "2024-02-02T03:04:05Z",
            previous: Some(&encrypted),
        };
        let again = opened.close(&key, closing).expect(text);
        let lasting = |document: &Encrypted| -> Vec<String> {
            let lines = document.text.lines();
            let lasting =
                lines.filter(|line| !line.contains("mac:") && !line.contains("lastmodified:"));
            lasting.map(str::to_owned).collect()
        };
        assert_eq!(lasting(&again), lasting(&encrypted));
    }
    let json = "{\"a\": 1.50, \"b\": \"\\u0041\\/\", \"c\": [1E2, -0.0]}\n";
    let key = DataKey::generate();
    let encrypted = closed(json, Format::Json, Rules::default(), &key);
    let opened = encrypted.open(&key).expect("opens");
    assert_eq!(String::from_utf8_lossy(opened.expose_secret()), json);
}

/// SOPS keeps the nonce of a value when it writes a document again: under it, there must not be another text.
#[test]
fn what_is_encrypted_is_the_canonical_form() {
    let key = DataKey::generate();
    let cipher = ValueCipher::new(&key);
    let text = "a: 1.50\nb: True\nc: 0x1F\nd: 2024-01-02\n";
    let encrypted = closed(text, Format::Yaml, Rules::default(), &key);
    let opened = |key: &str| {
        let line = encrypted
            .text
            .lines()
            .find_map(|line| line.strip_prefix(key));
        let value = line.and_then(|line| line.strip_prefix(": ")).expect(key);
        let opened = value::open(&cipher, value, format!("{key}:").as_bytes()).expect(key);
        String::from_utf8_lossy(opened.text.expose_secret()).into_owned()
    };
    assert_eq!(opened("a"), "1.5");
    assert_eq!(opened("b"), "True");
    assert_eq!(opened("c"), "31");
    assert_eq!(opened("d"), "2024-01-02T00:00:00Z");
}

#[test]
fn a_source_does_not_pass_for_another_value() {
    let key = DataKey::generate();
    let cipher = ValueCipher::new(&key);
    let encrypted = closed("a: 0x10\nb: 2\n", Format::Yaml, Rules::default(), &key);
    let with = |sources: &[(usize, &str)]| {
        let mut metadata = encrypted.metadata().copy().expect("the same");
        metadata.written = Some(written::Sources::of(sources).seal(&cipher, None));
        let document = encrypted.with_metadata(&metadata, None).expect("the same");
        let opened = document.open(&key).expect("values and MAC are the same");
        String::from_utf8_lossy(opened.expose_secret()).into_owned()
    };
    assert_eq!(with(&[(0, "0x10")]), "a: 0x10\nb: 2\n");
    assert_eq!(with(&[(0, "020"), (1, "+2")]), "a: 020\nb: +2\n");
    for sources in [
        [(0, "17")],
        [(0, "\"16\"")],
        [(0, "16\nc: 1")],
        [(0, "null")],
        [(1, "0x10")],
        [(7, "0x10")],
        [(0, "[")],
    ] {
        assert_eq!(with(&sources), "a: 16\nb: 2\n", "{sources:?}");
    }
    // One that does not open is none.
    let mut metadata = encrypted.metadata().copy().expect("the same");
    let other = ValueCipher::new(&DataKey::generate());
    metadata.written = Some(written::Sources::of(&[(0, "0x10")]).seal(&other, None));
    let document = encrypted.with_metadata(&metadata, None).expect("the same");
    let opened = document.open(&key).expect("opens");
    assert_eq!(opened.expose_secret(), b"a: 16\nb: 2\n");
}

/// Whoever reads the file without its key must not learn from a value's surroundings how it is written.
#[test]
fn only_marks_of_style_stand_beside_a_value() {
    for text in SOURCES {
        let key = DataKey::generate();
        let encrypted = closed(text, Format::Yaml, Rules::default(), &key);
        let values = encrypted.text.split("\nsops:").next().expect("a text");
        for behind in values.split("ENC[").skip(1) {
            let behind = behind.split(']').nth(1).expect("a bracket");
            let mark = behind.lines().next().unwrap_or("");
            let mark = mark.strip_prefix(" plain\"").unwrap_or(mark);
            let mark = mark.split(" #").next().unwrap_or("");
            assert!(
                mark.trim_matches(['"', '\'', ',', ' ', '}']).is_empty(),
                "{mark:?} in {}",
                encrypted.text
            );
        }
    }
}

#[test]
fn what_cannot_be_kept_has_the_same_value() {
    // A comment behind the header of a folded block has an edit of its own.
    let text = "a: > # c\n  folded\n  lines\n";
    let key = DataKey::generate();
    let encrypted = closed(text, Format::Yaml, Rules::default(), &key);
    let opened = encrypted.open(&key).expect(text);
    let back = String::from_utf8_lossy(opened.expose_secret());
    assert_eq!(back, "a: | # c\n  folded lines\n");
    // Blocks that end with white space.
    for text in [
        "a: |\n  b\n     \nc: 1\n",
        "a: |1\n   \nb: 1\n",
        "a: >\n  b \n\n   c\n     \nd: 1\n",
        "a: 1\n\n  - # y\n",
    ] {
        let encrypted = closed(text, Format::Yaml, Rules::default(), &key);
        let opened = encrypted.open(&key).expect(text);
        let tree = |text: &str| Format::Yaml.parse(text).expect(text).tree;
        let back = String::from_utf8_lossy(opened.expose_secret());
        assert!(set::is_same(&tree(&back), &tree(text)), "{back}");
    }
}

#[test]
fn an_unchanged_value_keeps_its_ciphertext() {
    let key = DataKey::generate();
    let text = "# c\na: 1\nb: [x, x]\nc:\n  d: |\n    text\n";
    let first = closed(text, Format::Yaml, Rules::default(), &key);
    let edited = text.replace("a: 1", "a: 2");
    let plain = Plain::parse(edited.as_bytes(), Format::Yaml).expect("yaml");
    let closing = Closing {
        metadata: first.metadata().copy().expect("the same"),
        now: "2024-02-02T03:04:05Z",
        previous: Some(&first),
    };
    let second = plain.close(&key, closing).expect("closes");
    let changed: Vec<&str> = first
        .text
        .lines()
        .zip(second.text.lines())
        .filter(|(a, b)| a != b)
        .map(|(a, _)| a.trim_start().split(':').next().unwrap_or(""))
        .collect();
    assert_eq!(changed, ["a", "lastmodified", "mac"], "{}", second.text);
    let mut values = second.text.matches("iv:").count();
    let ivs: std::collections::HashSet<&str> = second
        .text
        .split("iv:")
        .skip(1)
        .map(|rest| &rest[..44])
        .collect();
    values -= ivs.len();
    assert_eq!(values, 0, "two values share a nonce");
}

#[test]
fn what_was_changed_moved_or_removed_does_not_open() {
    let key = DataKey::generate();
    let encrypted = closed("a: 1\nb: 2\nc: x\n", Format::Yaml, Rules::default(), &key);
    let lines: Vec<&str> = encrypted.text.lines().collect();
    let open = |text: String| {
        Encrypted::parse(text.as_bytes(), Format::Yaml)
            .expect("yaml")
            .open(&key)
            .err()
    };
    let removed = [&lines[1..2], &lines[2..]].concat().join("\n");
    assert_eq!(open(removed), Some(OpenError::MacMismatch));
    let moved = encrypted.text.replacen("b: ", "d: ", 1);
    assert!(matches!(open(moved), Some(OpenError::Value { path, .. }) if path == "d"));
    let clear = encrypted.text.replacen(lines[0], "a: 7", 1);
    assert!(matches!(open(clear), Some(OpenError::Value { .. })));
    let other = DataKey::generate();
    assert!(encrypted.open(&other).is_err());
    let time = encrypted.text.replace("03:04:05", "03:04:06");
    assert_eq!(open(time), Some(OpenError::MacUnreadable));
}

#[test]
fn what_sops_could_not_open_is_not_closed() {
    let key = DataKey::generate();
    for text in [
        "sops: reserved\n",
        "a: 1\na: 2\n",
        "a: 1\n---\nb: 1\nb: 2\n",
    ] {
        let plain = Plain::parse(text.as_bytes(), Format::Yaml).expect(text);
        assert!(
            plain.close(&key, closing(Rules::default())).is_err(),
            "{text}"
        );
    }
    for text in [
        "",
        "# only\n",
        "- a\n",
        "text\n",
        "1: a\n",
        "a: 18446744073709551615\n",
        "[a]: 1\n",
        "a: *x\n",
    ] {
        assert!(
            Plain::parse(text.as_bytes(), Format::Yaml).is_err(),
            "{text}"
        );
    }
    for text in [
        "",
        "[1]",
        "{\"a\": 1} {}",
        "{\"a\": 1e400}",
        "{\"a\": \"\\ud800\"}",
        "\u{FEFF}{}",
        "{\"a\": 01}",
    ] {
        assert!(
            Plain::parse(text.as_bytes(), Format::Json).is_err(),
            "{text}"
        );
    }
}

#[test]
fn each_rule_keeps_in_clear_what_it_says() {
    // Base64 has no dots.
    let text = "# sops:clear\na: one.\nb: two. # note\nmeta:\n  c: three.\n";
    for (name, rule, clear) in [
        ("unencrypted_regex", "^meta$", &["three."][..]),
        (
            "encrypted_regex",
            "^meta$",
            &["one.", "two.", "# note", "# sops:clear"],
        ),
        (
            "encrypted_suffix",
            "ta",
            &["one.", "two.", "# note", "# sops:clear"],
        ),
        (
            "unencrypted_comment_regex",
            "sops:clear",
            &["one.", "# sops:clear"],
        ),
        (
            "encrypted_comment_regex",
            "sops:clear",
            &["two.", "# sops:clear", "three.", "# note"],
        ),
    ] {
        let key = DataKey::generate();
        let rules = Rules::new(Selection::of(name, rule).expect("a rule"));
        let encrypted = closed(text, Format::Yaml, rules, &key);
        for value in ["one.", "two.", "three.", "# note", "# sops:clear"] {
            assert_eq!(
                encrypted.text.contains(value),
                clear.contains(&value),
                "{name} {value}\n{}",
                encrypted.text
            );
        }
        let opened = Encrypted::parse(encrypted.as_bytes(), Format::Yaml)
            .expect("ours")
            .open(&key);
        assert_eq!(
            String::from_utf8_lossy(opened.expect("opens").expose_secret()),
            text
        );
    }
}

#[test]
fn deep_nesting_and_alias_bombs_are_refused() {
    let deep = format!("a: {}{}\n", "[".repeat(5000), "]".repeat(5000));
    assert!(Plain::parse(deep.as_bytes(), Format::Yaml).is_err());
    let deep = format!("{{\"a\": {}{}}}", "[".repeat(5000), "]".repeat(5000));
    assert!(Plain::parse(deep.as_bytes(), Format::Json).is_err());
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for at in 1..9 {
        let alias = format!("*a{}, ", at - 1).repeat(9);
        bomb.push_str(&format!("a{at}: &a{at} [{alias}]\n"));
    }
    assert!(Plain::parse(bomb.as_bytes(), Format::Yaml).is_err());
}

#[test]
fn what_sops_would_drop_is_refused() {
    for text in [
        "[s] password=x\na = 1\n",
        "[s]x ; y\na = 1\n",
        "a = `b` c\n",
        "a = \"\"\"b\"\"\" c\n",
    ] {
        assert!(
            Plain::parse(text.as_bytes(), Format::Ini).is_err(),
            "{text}"
        );
    }
}

#[test]
fn no_comment_stays_in_clear() {
    for text in [
        "a: | # secret\n  x\n",
        "a: # secret\n  - b\n",
        "- a\n",
        "a: [b, # secret\n  c # secret\n  ] # secret\n",
        "--- # secret\na: 1 # secret\n# secret\n... # secret\n",
        "a: &x # secret\n  b: 1\n",
        "a: !!str # secret\n  b\n",
        "a: !!str |- # secret\n  b\n",
        "a:\n  - # secret\n    b: 1\n",
        "a: 1\n...\n# secret\n",
        "a: 1\n--- # secret\nb: 1\n",
        "%YAML 1.1 # secret\n---\na: 1\n",
        "? a # secret\n: 1\n",
    ] {
        let Ok(plain) = Plain::parse(text.as_bytes(), Format::Yaml) else {
            continue;
        };
        let key = DataKey::generate();
        let encrypted = plain.close(&key, closing(Rules::default())).expect(text);
        assert!(!encrypted.text.contains("secret"), "{}", encrypted.text);
        assert_comes_back(text, Format::Yaml);
    }
}

#[test]
fn many_values_are_worked_on_in_parts_and_stay_in_order() {
    let key = DataKey::generate();
    let cipher = ValueCipher::new(&key);
    let mut mac = mac::Mac::new(false);
    let mut text = String::new();
    for at in 0..4500 {
        text.push_str(&format!("key{at}: value {at}\n"));
        mac.add(format!("value {at}").as_bytes());
    }
    let encrypted = closed(&text, Format::Yaml, Rules::default(), &key);
    let opened = encrypted.open(&key).expect("ours");
    assert_eq!(opened.expose_secret(), text.as_bytes());
    let metadata = encrypted.metadata();
    let agrees = mac
        .finish()
        .agrees(&cipher, &metadata.mac, &metadata.last_modified);
    assert_eq!(agrees, Some(true));
    // A value that does not open, in the last part.
    let broken = encrypted.text.replace("key4499: ENC", "key4499: ");
    let broken = Encrypted::parse(broken.as_bytes(), Format::Yaml).expect("still SOPS");
    let refused = broken.open(&key).err().map(|error| error.to_string());
    assert!(refused.is_some_and(|error| error.contains("key4499")));
}
