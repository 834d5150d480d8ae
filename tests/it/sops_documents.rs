//! SOPS documents cross over: what ours closes the real sops opens, and the reverse, to the same values.

mod aliases;

use std::fs;

use decryptor::format::Format;
use decryptor::sops::metadata::Metadata;
use decryptor::sops::rules::{Rules, Selection};
use decryptor::sops::{Closing, Encrypted, Plain, Warning};
use keys::master_key::{Fields, Wrapped};
use keys::{DataKey, KeyGroups, backend};
use tempfile::TempDir;
use testkit::{cli, peer};

/// An age identity, and a data key that it wraps.
struct Party {
    folder: TempDir,
    identity: String,
    recipient: String,
}

impl Party {
    fn new() -> Self {
        let identity = cli::run(peer::AGE_KEYGEN.path()).ok();
        let recipient = identity
            .lines()
            .find_map(|line| line.strip_prefix("# public key: "));
        let recipient = recipient
            .expect("age-keygen names the recipient")
            .to_owned();
        let folder = tempfile::tempdir().expect("a folder");
        fs::write(folder.path().join("key.txt"), &identity).expect("written");
        Self {
            folder,
            identity,
            recipient,
        }
    }

    fn wrap(&self, key: &DataKey) -> KeyGroups {
        let enc = cli::run(peer::AGE.path())
            .args(["-a", "-r", &self.recipient])
            .stdin(key.expose_secret().to_vec())
            .ok();
        let fields = Fields::default().with("recipient", &self.recipient);
        let mut groups = KeyGroups::one(backend::load("age", &fields));
        groups.groups[0].keys[0].wrapped = Some(Wrapped {
            enc,
            created_at: None,
        });
        groups
    }

    fn unwrap(&self, metadata: &Metadata) -> DataKey {
        let entry = &metadata.key_groups.groups[0].keys[0];
        let wrapped = entry.wrapped.as_ref().expect("a wrapped key");
        let output = cli::run(peer::AGE.path())
            .args(["-d", "-i"])
            .arg(self.folder.path().join("key.txt"))
            .stdin(wrapped.enc.clone())
            .output();
        DataKey::from_slice(&output.stdout).expect("a data key")
    }

    /// The real sops, with the identity at hand.
    fn sops(&self, args: &[&str], file: &str, text: &[u8]) -> cli::Output {
        let file = self.folder.path().join(file);
        fs::write(&file, text).expect("written");
        cli::run(peer::SOPS.path())
            .env("SOPS_AGE_KEY", &self.identity)
            .folder(self.folder.path())
            .args(args)
            .arg(file)
            .output()
    }
}

fn close(text: &[u8], format: Format, rules: Rules, party: &Party, key: &DataKey) -> Encrypted {
    let closing = Closing {
        metadata: Metadata::new(rules, party.wrap(key)),
        now: "2024-01-02T03:04:05Z",
        previous: None,
    };
    let plain = Plain::parse(text, format).expect("a document");
    let closed = plain.close(key, closing);
    closed.unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(text)))
}

fn rules(name: &str, rule: &str) -> Rules {
    Rules::new(Selection::of(name, rule).expect("a rule"))
}

/// The values of a text, as sops prints them: JSON, so that only values count.
fn theirs_as_json(party: &Party, args: &[&str], file: &str, text: &[u8]) -> String {
    let output = party.sops(args, file, text);
    assert_eq!(
        output.code(),
        0,
        "{}\n{}",
        output.text(),
        String::from_utf8_lossy(text)
    );
    output.text()
}

const YAML: &str = "\
# head comment
plain: text   # inline
quoted: 'it''s'
double: \"tab\\there\"
number: 1.50
int: +7
truth: True
date: 2024-01-02T03:04:05Z
old: yes
none:
empty: ''
block: |
  line one

    deeper
  last
strip: |-
  no newline
map:
  # in the map
  inner: value # inline in the map
  list:
    # in the list
    - a # inline in the list
    - k: v
      l: w
    # last in the list

  after: 1
# between
flow: {a: 1, b: [x, 'y', \"z\"]}
top_unencrypted: clear
# foot
";

#[test]
fn the_original_opens_what_ours_closes() {
    let party = Party::new();
    let key = DataKey::generate();
    let reference = party.sops(
        &["--encrypt", "--age", &party.recipient],
        "plain.yaml",
        YAML.as_bytes(),
    );
    let expected = theirs_as_json(
        &party,
        &["-d", "--output-type", "json"],
        "theirs.yaml",
        reference.text().as_bytes(),
    );
    for rule in [
        Rules::default(),
        rules("encrypted_regex", "^(map|plain)$"),
        rules("unencrypted_regex", "^map$"),
        rules("encrypted_suffix", "r"),
        rules("unencrypted_comment_regex", "in the map"),
        rules("encrypted_comment_regex", "in the map"),
    ] {
        for only in [false, true] {
            let mut rule = Rules::new(match rule.field() {
                Some((name, text)) => Selection::of(name, text).expect("a rule"),
                None => Selection::All,
            });
            rule.mac_only_encrypted = only;
            let name = format!("{:?} {only}", rule.field());
            let encrypted = close(YAML.as_bytes(), Format::Yaml, rule, &party, &key);
            let opened = party.sops(&["-d"], "ours.yaml", encrypted.as_bytes());
            assert_eq!(
                opened.code(),
                0,
                "{name}\n{}\n{}",
                opened.text(),
                String::from_utf8_lossy(encrypted.as_bytes())
            );
            assert!(
                !opened.text().contains("ENC["),
                "{name}: a comment did not open\n{}",
                opened.text()
            );
            let values = theirs_as_json(
                &party,
                &["-d", "--output-type", "json"],
                "ours.yaml",
                encrypted.as_bytes(),
            );
            assert_eq!(strip_comments(&values), strip_comments(&expected), "{name}");
        }
    }
}

/// In JSON, sops shows the comments of lists as items where it does not know them as comments.
fn strip_comments(json: &str) -> serde_json::Value {
    serde_json::from_str(json).expect("sops prints JSON")
}

#[test]
fn ours_opens_what_the_original_closes() {
    let party = Party::new();
    for extra in [
        &[][..],
        &["--mac-only-encrypted"],
        &["--encrypted-regex", "^(map|plain)$"],
        &["--unencrypted-comment-regex", "in the map"],
        &["--encrypted-comment-regex", "in the map"],
    ] {
        let args = [&["--encrypt", "--age", &party.recipient], extra].concat();
        let closed = party.sops(&args, "plain.yaml", YAML.as_bytes());
        assert_eq!(closed.code(), 0, "{}", closed.text());
        let encrypted = Encrypted::parse(&closed.stdout, Format::Yaml).expect("a document");
        let key = party.unwrap(encrypted.metadata());
        let opened = encrypted.open(&key).expect("opens");
        assert_eq!(opened.warnings(), []);
        let ours = String::from_utf8_lossy(opened.expose_secret()).into_owned();
        let theirs = party.sops(&["-d"], "theirs.yaml", &closed.stdout).text();
        let values = |text: &str| {
            let again = party.sops(
                &["--encrypt", "--age", &party.recipient],
                "again.yaml",
                text.as_bytes(),
            );
            theirs_as_json(
                &party,
                &["-d", "--output-type", "json"],
                "again.yaml",
                &again.stdout,
            )
        };
        assert_eq!(
            values(&ours),
            values(&theirs),
            "{extra:?}\n{ours}\n{theirs}"
        );

        let again = Plain::parse(opened.expose_secret(), Format::Yaml).expect("ours");
        let closing = Closing {
            metadata: encrypted.metadata().copy().expect("the same"),
            now: "2024-01-02T03:04:05Z",
            previous: Some(&encrypted),
        };
        let again = again.close(&key, closing).expect("closes");
        let (before, after) = (
            String::from_utf8_lossy(&closed.stdout),
            String::from_utf8_lossy(again.as_bytes()),
        );
        let changed: Vec<&str> = before
            .lines()
            .zip(after.lines())
            .filter(|(before, after)| before != after)
            .map(|(before, _)| before.trim_start().split(':').next().unwrap_or(""))
            .collect();
        assert_eq!(changed, ["lastmodified", "mac"], "{before}\n{after}");
    }
}

#[test]
fn json_and_binary_cross_over() {
    let party = Party::new();
    let key = DataKey::generate();
    let json = "{\n  \"a\": 1,\n  \"b\": [true, null, 1.50, \"x\"],\n  \"c_unencrypted\": \"<clear>\",\n  \"d\": {\"e\": \"\"}\n}\n";
    for (format, name, text) in [
        (Format::Json, "json", json.as_bytes()),
        (Format::Json, "json", b"{\"a\": {\"b\": 1}}"),
        (Format::Json, "json", b"{}"),
        (Format::Binary, "bin", b"\0\xFF any bytes\n"),
        (Format::Binary, "bin", b"{\"a\": 1}\n"),
        (Format::Binary, "bin", b""),
    ] {
        let ours = close(text, format, Rules::default(), &party, &key);
        let file = format!("ours.{name}");
        let opened = party.sops(&["-d"], &file, ours.as_bytes());
        assert_eq!(
            opened.code(),
            0,
            "{}\n{}",
            opened.text(),
            String::from_utf8_lossy(ours.as_bytes())
        );
        let closed = party.sops(
            &["--encrypt", "--age", &party.recipient],
            &format!("plain.{name}"),
            text,
        );
        if text.is_empty() {
            // The original refuses to encrypt an empty file.
            assert_eq!(opened.stdout, text);
            continue;
        }
        let theirs = Encrypted::parse(&closed.stdout, format).expect("a document");
        let back = theirs
            .open(&party.unwrap(theirs.metadata()))
            .expect("opens");
        match format {
            Format::Binary => {
                assert_eq!(opened.stdout, text);
                assert_eq!(back.expose_secret(), text);
            }
            _ => {
                let value =
                    |text: &[u8]| serde_json::from_slice::<serde_json::Value>(text).expect("JSON");
                assert_eq!(value(&opened.stdout), value(text));
                assert_eq!(value(back.expose_secret()), value(text));
            }
        }
    }
}

/// Places where a comment can stand, each of which decides under which path it is encrypted.
const COMMENTS: &[&str] = &[
    "m:\n  l:\n    - k: v\n      w: x\n    # C\n  after: 1\n",
    "m:\n  l:\n    - k: v\n      w: x\n    # C\n\n  after: 1\n",
    "m:\n  l:\n    - k: v\n      w: x\n\n    # C\n  after: 1\n",
    "m:\n  l:\n    - k: v\n      w: x\n\n    # C\n\n  after: 1\n",
    "m:\n  a:\n    b: 1\n    # C\n  after: 1\n",
    "m:\n  a:\n    b: 1\n  # C\n  after: 1\n",
    "m:\n  a:\n    b: 1\n  # C\nafter: 1\n",
    "m:\n  a:\n    b: 1\n  # C\n\nafter: 1\n",
    "m:\n  a:\n    b: 1\n# C\n\nafter: 1\n",
    "m:\n  a:\n    b: 1\n    # C\n",
    "m:\n  a:\n    b: 1\n  # C\n",
    "m:\n  a:\n    b: 1\n# C\n",
    "m:\n  a:\n    b: 1\n\n    # C\n",
    "m: # C\n  a: 1\n",
    "m: # C\n  - a\n",
    "m:\n  - # C\n    k: v\n",
    "m:\n  # C\n  value\n",
    "m:\n- a\n# C\nafter: 1\n",
    "m:\n- a\n# C\n\nafter: 1\n",
    "m: [a, # C\n  b]\n",
    "m: [a,\n  b # C\n  ]\n",
    "m: [a, b] # C\nn: 1\n",
    "m: {a: b} # C\nn: 1\n",
    "m: [\n  # C\n  a]\n",
    "m: [\n  a\n  # C\n  ]\n",
    "m:\n  # C\n  - k: v\n  - a\n",
    "m:\n  - k: v\n    w: x\n  # C\n  - k: y\n",
    "m:\n  - - a\n    - b\n  # C\n  - - c\n",
    "m: 1\n    # C\nn: 2\n",
    "m:\n  a: 1\n      # C\nn: 2\n",
    "m:\n  a:\n    b: 1\n    # C\n  # D\nn: 2\n",
    "m:\n  a: |\n    x\n  # C\nn: 2\n",
    "m:\n# C\n  a: 1\n",
    "# C\n\nm: 1\n",
    "m:\n  - k: v\n    # C\n\n  - k: y\n",
    "m:\n  - k: v\n    # C\n  - k: y\n",
    "m:\n  - a\n  # C\n",
    "m:\n  - k: a\n  # C\n",
    "a: 1\n# C\n---\nb: 2\n",
    "a:\n  b: 1\n# C\n---\nb: 2\n",
    "a_unencrypted: &x 1\nm:\n  n: 1\n  b_unencrypted: *x # C\n",
    "m:\n  a: | # C\n    x\n",
    "m:\n  - k: v # C\n    l: w\n",
    "m: # C\n\n# D\n# E\n- x\n",
    "m: # C\n\n- x\n",
    "m: # C\n# D\n- x\n",
    "m:\n- x\n# C\n",
    "m:\n# C\n- x\n",
    "m: # C\n# D\n  a: x\n",
    "m: # C\n  # D\n  a: x\n",
    "m:\n- # C\n  - x\n  - y\n",
    "m:\n- # C\n  - >-\n    x\n-\n\n  b: 1\n",
    "m:\n-\n  # C\n  # D\n  - a\n",
    "m:\n- x\n# C\n# D\nn: 1\n",
    "m:\n- - x\n# C\n# D\nn: 1\n",
    "m:\n- >+\n  x\n# C\nn: 1\n",
    "m: # C\n\n# D\n# E\n- \"x\"\n# F\n---\nn: 1\n",
    "m: # C\n\n# D\n- x\n",
    "p: 1\nm: # C\n\n# D\n- x\n",
    "p: 1\nm: # C\n# D\n- x\n",
    "m:\n- x\n# C\n---\nn: 1\n",
    "m:\n-\n  # C\n  # D\n  - a\n- >+\n    b\n\n",
    "m:\n- x\n- y\n# C\n# D\nk_unencrypted:\n- z # E\n- u\n#\n# F\nn:\n- v\n",
    "m:\n- x\n# C\n# D\n- y #\n- z\n",
    "m:\n- u\n#\n# C\nn: 1\n",
    "m:\n- u\n#\n# C\nn:\n-\n  # D\n  - v\n",
    "p: 1 # C\nm:\n- x\n",
    "m:\n- [1, 2] # C\n- 3\n",
    "m:\n- {a: 1, b: 2} # C\n",
];

#[test]
fn comments_are_encrypted_under_the_path_that_the_original_gives_them() {
    let party = Party::new();
    let key = DataKey::generate();
    let with_crlf = |text: &&str| text.replace('\n', "\r\n");
    let texts = COMMENTS.iter().map(ToString::to_string);
    let wrong: Vec<String> = texts
        .chain(COMMENTS.iter().map(with_crlf))
        .filter_map(|text| {
            let ours = close(
                text.as_bytes(),
                Format::Yaml,
                Rules::default(),
                &party,
                &key,
            );
            let opened = party.sops(&["-d"], "ours.yaml", ours.as_bytes());
            let is_open = opened.code() == 0
                && !opened.text().contains("ENC[")
                && opened.text().contains("# C");
            (!is_open).then(|| format!("{text}\n{}", opened.text()))
        })
        .collect();
    assert!(
        wrong.is_empty(),
        "{} of {}:\n{}",
        wrong.len(),
        2 * COMMENTS.len(),
        wrong.join("\n")
    );
}

const DOTENV: &str = "\
# head
PLAIN=text # no comment
export QUOTED=\"it's\"

EMPTY=
LINES=one\\ntwo
EQUALS=a=b=c
# about
top_unencrypted=clear
# foot
";

const INI: &str = "\
global = 1
; head
; goes on
[first] ; of first
plain = text
quoted = 'it is' ; behind
# about
hash = `a#b`
lines = \"\"\"one
two\"\"\"
empty =
clear_unencrypted = x

[second.part]
colon: value
";

/// What sops makes of a text: encrypted by sops, and opened again as JSON.
fn values(party: &Party, name: &str, text: &[u8]) -> String {
    let closed = party.sops(&["--encrypt", "--age", &party.recipient], name, text);
    assert_eq!(closed.code(), 0, "{}", closed.text());
    theirs_as_json(
        party,
        &["-d", "--output-type", "json"],
        name,
        &closed.stdout,
    )
}

#[test]
fn dotenv_and_ini_cross_over() {
    let party = Party::new();
    let key = DataKey::generate();
    for (format, name, text) in [
        (Format::Dotenv, "a.env", DOTENV),
        (Format::Dotenv, "a.env", "A=1"),
        (Format::Dotenv, "a.env", "A=1\r\nB=2\r\n"),
        (Format::Ini, "a.ini", INI),
        (Format::Ini, "a.ini", "a=1"),
        (Format::Ini, "a.ini", "[s]\r\na = 1 ; x\r\n"),
    ] {
        for only in [false, true] {
            for (rule, part) in [
                (None, ""),
                (Some("encrypted_regex"), "^(A|QUOTED|plain|second.part)$"),
                (Some("unencrypted_suffix"), "A"),
                (Some("unencrypted_comment_regex"), "about"),
                (Some("encrypted_comment_regex"), "about|head"),
            ] {
                let mut rule = rule.map_or_else(Rules::default, |name| rules(name, part));
                rule.mac_only_encrypted = only;
                let ours = close(text.as_bytes(), format, rule, &party, &key);
                let file = String::from_utf8_lossy(ours.as_bytes()).into_owned();
                let opened = party.sops(&["-d"], name, ours.as_bytes());
                assert_eq!(opened.code(), 0, "{}\n{file}", opened.text());
                assert!(!opened.text().contains("ENC["), "{}\n{file}", opened.text());
                assert_eq!(
                    values(&party, name, opened.text().as_bytes()),
                    values(&party, name, text.as_bytes()),
                    "{file}"
                );
            }
        }
        for extra in [
            &[][..],
            &["--mac-only-encrypted"],
            &["--encrypted-suffix", "A"],
        ] {
            let args = [&["--encrypt", "--age", &party.recipient], extra].concat();
            let closed = party.sops(&args, name, text.as_bytes());
            assert_eq!(closed.code(), 0, "{}", closed.text());
            let theirs = Encrypted::parse(&closed.stdout, format).expect("a document");
            let key = party.unwrap(theirs.metadata());
            let opened = theirs.open(&key).expect("opens");
            assert_eq!(opened.warnings(), []);
            let plain = party.sops(&["-d"], name, &closed.stdout);
            assert_eq!(
                values(&party, name, opened.expose_secret()),
                values(&party, name, &plain.stdout)
            );
            let closing = Closing {
                metadata: theirs.metadata().copy().expect("the same"),
                now: "2024-01-02T03:04:05Z",
                previous: Some(&theirs),
            };
            let again = Plain::parse(opened.expose_secret(), format).expect("ours");
            let again = again.close(&key, closing).expect("closes");
            let (before, after) = (closed.text(), String::from_utf8_lossy(again.as_bytes()));
            let changed: Vec<_> = before
                .lines()
                .zip(after.lines())
                .filter(|(before, after)| before != after)
                .collect();
            assert_eq!(changed.len(), 2, "{changed:#?}");
        }
    }
}

const NESTED: &str = "\
# head
first:
  # about a
  a: text
  b: 'quoted: text'
  c: \"yes\"
  d: \"a#b\"
second:
  e: \"line\\nbreak\"
  f: <&>
  g: ''
";
const DEEP: &str = "\
a: [x, 1, true, null, {k: v, l: [y, [z]]}, []]
b: {c: {d: 1e30, e: -1.5, f: 2024-01-02}}
n: 12
t: \"multi\\nline \\n text\\n\"
u: \"trailing \\nspace\"
q: \"it's #1\"
\"key: odd\": ~
e: {}
";
const FLAT: &str =
    "# head\na: text\nb: 12\nc: 1.5\nd: true\ne: \"x\\ny\"\nf: -2e-10\ng: 2024-01-02\n";

/// The bytes are those of the original, whatever format the document comes from.
#[test]
fn documents_in_another_format_are_written_as_by_the_original() {
    let party = Party::new();
    for (text, targets) in [
        (NESTED, &["json", "ini"][..]),
        (DEEP, &["json"]),
        (FLAT, &["json", "dotenv"]),
    ] {
        let args = ["--encrypt", "--age", &party.recipient];
        let closed = party.sops(&args, "a.yaml", text.as_bytes());
        assert_eq!(closed.code(), 0, "{}", closed.text());
        let encrypted = Encrypted::parse(&closed.stdout, Format::Yaml).expect("a document");
        let key = party.unwrap(encrypted.metadata());
        let plain = encrypted.open(&key).expect("opens");
        for target in targets {
            let format = format_named(target);
            let ours = plain.convert(format).expect("the format holds it");
            let theirs = party.sops(&["-d", "--output-type", target], "a.yaml", &closed.stdout);
            assert_eq!(
                String::from_utf8_lossy(ours.expose_secret()),
                theirs.text(),
                "{target}"
            );
            // And on, from there to YAML.
            let name = format!("b.{target}");
            let closed = party.sops(
                &args,
                &format!("b.{}", if *target == "dotenv" { "env" } else { target }),
                &theirs.stdout,
            );
            assert_eq!(closed.code(), 0, "{name}: {}", closed.text());
            let encrypted = Encrypted::parse(&closed.stdout, format).expect("a document");
            let plain = encrypted
                .open(&party.unwrap(encrypted.metadata()))
                .expect("opens");
            let ours = plain.convert(Format::Yaml).expect("YAML holds it");
            let args = ["-d", "--input-type", target, "--output-type", "yaml"];
            let theirs = party.sops(&args, &name, &closed.stdout);
            assert_eq!(
                String::from_utf8_lossy(ours.expose_secret()),
                theirs.text(),
                "{target} to yaml"
            );
        }
    }
}

fn format_named(name: &str) -> Format {
    let all = [
        Format::Yaml,
        Format::Json,
        Format::Dotenv,
        Format::Ini,
        Format::Binary,
    ];
    all.into_iter()
        .find(|format| format.name() == name)
        .expect("a format")
}
