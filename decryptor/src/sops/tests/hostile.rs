//! Documents that somebody changed: refused, warned of, or open as the format has it and the threat model says.

use super::*;
use crate::sops::rules::Selection;
use crate::sops::value::Type;

fn rules(name: &str, text: &str) -> Rules {
    Rules::new(Selection::of(name, text).expect("a rule"))
}

fn opens(text: &str, format: Format, key: &DataKey) -> Result<Plain, OpenError> {
    Encrypted::parse(text.as_bytes(), format)?.open(key)
}

fn text_of(plain: &Plain) -> String {
    String::from_utf8_lossy(plain.expose_secret()).into_owned()
}

/// The type stands beside the ciphertext, not under it, and the MAC covers texts.
#[test]
fn the_type_of_a_value_is_not_authenticated() {
    let key = DataKey::generate();
    let encrypted = closed("a: 1\n", Format::Yaml, Rules::default(), &key);
    let changed = encrypted.text.replace("type:int", "type:str");
    let opened = opens(&changed, Format::Yaml, &key).expect("as in sops");
    assert_eq!(text_of(&opened), "a: \"1\"\n");
    assert_eq!(opened.warnings(), [Warning::TypeDoubted(1, "a".to_owned())]);
    // Not where the MAC would be another one, or the text means nothing.
    for other in ["type:bool", "type:time", "type:list"] {
        let changed = encrypted.text.replace("type:int", other);
        assert!(opens(&changed, Format::Yaml, &key).is_err(), "{other}");
    }
}

/// Values keep the style of their source: a number stood without quotes, a text that looks like one in them.
#[test]
fn a_type_that_does_not_fit_is_warned_of() {
    let key = DataKey::generate();
    let text = "# head\na:\n  b: 12\n  c: \"12\"\n  d: !!str 12\nf: [True, 'True']\ng: x\nh: 1.0\n";
    let encrypted = closed(text, Format::Yaml, Rules::default(), &key);
    let doubted = |changed: &str| {
        let opened = opens(changed, Format::Yaml, &key).expect("as in sops");
        opened.warnings().to_vec()
    };
    assert_eq!(doubted(&encrypted.text), []);
    let lines: Vec<&str> = encrypted.text.split_inclusive('\n').collect();
    for (line, from, to, path) in [
        (3, "int", "str", "a.b"),
        (4, "str", "int", "a.c"),
        (6, "bool", "str", "f"),
        (6, "str", "bool", "f"),
    ] {
        let mut lines = lines.clone();
        let changed = lines[line - 1].replacen(&format!("type:{from}"), &format!("type:{to}"), 1);
        lines[line - 1] = &changed;
        let expected = [Warning::TypeDoubted(line, path.to_owned())];
        assert_eq!(doubted(&lines.concat()), expected, "{line} {to}");
    }
    let changed = encrypted.text.replace("type:int", "type:str");
    let changed = changed.replacen("type:bool", "type:str", 1);
    let expected = [(3, "a.b"), (6, "f")];
    let expected = expected.map(|(line, path)| Warning::TypeDoubted(line, path.to_owned()));
    assert_eq!(doubted(&changed), expected);
    // Without a layout, the style says nothing; bytes that no program encrypts as that type do, where no MAC is asked for.
    let cipher = ValueCipher::new(&key);
    let sealed = value::seal(
        &cipher,
        &mut value::Nonces::default(),
        Type::Int,
        b"007",
        b"g:",
    );
    let start = encrypted.text.find("g: ENC[").expect("it is there") + 3;
    let end = start + encrypted.text[start..].find('\n').expect("a line");
    let changed = format!(
        "{}{sealed}{}",
        &encrypted.text[..start],
        &encrypted.text[end..]
    );
    let read = Encrypted::parse(changed.as_bytes(), Format::Yaml).expect("a document");
    assert!(matches!(
        read.open(&key).err(),
        Some(OpenError::MacMismatch)
    ));
    let opened = read.open_unverified(&key).expect("opens");
    assert_eq!(opened.warnings(), [Warning::TypeDoubted(7, "g".to_owned())]);
}

#[test]
fn keys_in_clear_and_structure_are_not_authenticated() {
    let key = DataKey::generate();
    let rules = || rules("encrypted_regex", "^secret$");
    let encrypted = closed("a: x\nsecret: y\n", Format::Yaml, rules(), &key);
    for (from, to) in [
        ("a: x\n", "b: x\n"),
        ("a: x\n", "a: x\nn:\ne: \"\"\nm: {}\n"),
    ] {
        let changed = encrypted.text.replace(from, to);
        assert!(opens(&changed, Format::Yaml, &key).is_ok(), "{to}");
    }
    for (from, to) in [
        ("a: x\n", "a: z\n"),
        ("secret: ", "secret_2: "),
        ("a: x\n", ""),
    ] {
        let changed = encrypted.text.replace(from, to);
        assert!(opens(&changed, Format::Yaml, &key).is_err(), "{to}");
    }
}

#[test]
fn a_comment_that_somebody_wrote_in_clear_is_warned_of() {
    let key = DataKey::generate();
    let encrypted = closed("a: x\n", Format::Yaml, Rules::default(), &key);
    let changed = format!("# sops:unencrypted\n{}", encrypted.text);
    let opened = opens(&changed, Format::Yaml, &key).expect("as in sops");
    assert_eq!(opened.warnings(), [Warning::UnencryptedComments(1)]);
}

#[test]
fn another_rule_in_the_metadata_opens_nothing() {
    let key = DataKey::generate();
    let encrypted = closed(
        "a: x\nb_unencrypted: y\n",
        Format::Yaml,
        Rules::default(),
        &key,
    );
    for (from, to) in [
        ("unencrypted_suffix: _unencrypted", "encrypted_suffix: zz"),
        ("unencrypted_suffix: _unencrypted", "unencrypted_suffix: zz"),
        (
            "unencrypted_suffix:",
            "mac_only_encrypted: true\n  unencrypted_suffix:",
        ),
        (
            "unencrypted_suffix: _unencrypted",
            "unencrypted_regex: \"[\"",
        ),
    ] {
        let changed = encrypted.text.replace(from, to);
        assert_ne!(changed, encrypted.text);
        assert!(opens(&changed, Format::Yaml, &key).is_err(), "{to}");
    }
}

/// Nothing in a document says who wrote it, or when it was the newest.
#[test]
fn an_older_version_of_a_document_opens() {
    let key = DataKey::generate();
    let older = closed("a: old\n", Format::Yaml, Rules::default(), &key);
    let plain = Plain::parse(b"a: new\n", Format::Yaml).expect("yaml");
    let closing = Closing {
        metadata: older.metadata().copy().expect("the same"),
        now: "2025-01-02T03:04:05Z",
        previous: Some(&older),
    };
    let newer = plain.close(&key, closing).expect("closes");
    assert_eq!(
        text_of(&opens(&newer.text, Format::Yaml, &key).expect("the newer")),
        "a: new\n"
    );
    assert_eq!(
        text_of(&opens(&older.text, Format::Yaml, &key).expect("the older")),
        "a: old\n"
    );
    // The MAC belongs to its time.
    let changed = older.text.replace("2024-01-02T03", "2026-01-02T03");
    assert_eq!(
        opens(&changed, Format::Yaml, &key).err(),
        Some(OpenError::MacUnreadable)
    );
}

#[test]
fn a_rule_keeps_nothing_of_a_binary_file_in_clear() {
    let key = DataKey::generate();
    for rule in [
        rules("encrypted_suffix", "zz"),
        rules("unencrypted_regex", "data"),
    ] {
        let plain = Plain::parse(b"clear text", Format::Binary).expect("anything");
        let encrypted = plain.close(&key, closing(rule)).expect("closes");
        assert!(!encrypted.text.contains("clear text"), "{}", encrypted.text);
    }
}

#[test]
fn what_cannot_be_read_is_not_shown() {
    for (text, format) in [
        ("A=1\nhunter2\n", Format::Dotenv),
        ("[s]\nhunter2\n", Format::Ini),
        ("{\"a\": hunter2}", Format::Json),
        ("a: {hunter2\n", Format::Yaml),
        ("a: *hunter2\n", Format::Yaml),
    ] {
        let error = Plain::parse(text.as_bytes(), format).err().expect(text);
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn text_that_is_not_utf_8_is_refused_and_not_repaired() {
    for format in [Format::Json, Format::Yaml, Format::Dotenv, Format::Ini] {
        assert_eq!(
            Plain::parse(b"{\"a\": \"\xFF\"}", format).err(),
            Some(ReadError::NotUtf8)
        );
    }
}

#[test]
fn a_key_that_stands_twice_is_refused_in_every_document() {
    let key = DataKey::generate();
    for (text, format) in [
        ("a: 1\na: 2\n", Format::Yaml),
        ("b: 1\n---\na: 1\na: 2\n", Format::Yaml),
        ("{\"a\": 1, \"a\": 2}", Format::Json),
    ] {
        let plain = Plain::parse(text.as_bytes(), format).expect(text);
        let refused = plain.close(&key, closing(Rules::default())).err();
        assert!(
            matches!(refused, Some(CloseError::DuplicateKey(..))),
            "{text}"
        );
    }
    let encrypted = closed("a_unencrypted: 1\n", Format::Yaml, Rules::default(), &key);
    let twice = encrypted
        .text
        .replace("a_unencrypted: 1\n", "n: ~\nn: ~\na_unencrypted: 1\n");
    let opened = opens(&twice, Format::Yaml, &key).expect("an existing document opens");
    assert_eq!(
        opened.warnings(),
        [Warning::DuplicateKey(2, "n".to_owned())]
    );
}

#[test]
fn values_of_the_type_bytes_open() {
    let key = DataKey::generate();
    let encrypted = closed("a: x\n", Format::Yaml, Rules::default(), &key);
    let changed = encrypted.text.replacen("type:str", "type:bytes", 1);
    assert_eq!(
        text_of(&opens(&changed, Format::Yaml, &key).expect("opens")),
        "a: x\n"
    );
}

#[test]
fn a_time_without_quotes_and_a_missing_version_are_read() {
    let key = DataKey::generate();
    let encrypted = closed("a: x\n", Format::Yaml, Rules::default(), &key);
    let bare = encrypted
        .text
        .replace("\"2024-01-02T03:04:05Z\"", "2024-01-02T03:04:05Z");
    assert_ne!(bare, encrypted.text);
    assert!(opens(&bare, Format::Yaml, &key).is_ok());
    let lines = encrypted
        .text
        .lines()
        .filter(|line| !line.contains("version:"));
    let without: String = lines.map(|line| format!("{line}\n")).collect();
    assert!(opens(&without, Format::Yaml, &key).is_ok());
}
