//! Aliases, anchors and merge keys: ours reads the values that sops reads, and writes what sops opens.

use super::*;

const SOURCES: &[&str] = &[
    "a: &x secret\nb: *x\nc: [*x, *x]\n",
    "base: &base\n  user: app\n  password: correct horse\nshop:\n  <<: *base\n  port: 5432\n",
    "one: &one {a: 1, b: true}\ntwo: &two\n  c: 1.5\nboth:\n  <<: [*one, *two]\n  d: null\n",
    "list: &list\n- a\n- b: [c, 2]\ncopy: *list # why\nlast: 1\n",
    "text: &text |\n  two\n  lines\nagain: *text\nquoted: &q \"tab\\t: # \"\nthere: *q\n",
    "a: &a\n  b: &b inner\n  c: *b\nd: *a\ne: {f: *a, g: *b}\n",
    "a: &a one\nb: *a\nc: &a two\nd: *a\n",
    "n: &n 012\nm: *n\nt: &t 2024-01-02T03:04:05Z\nu: *t\nz: &z ~\ny: *z\ne: &e ''\nf: *e\n",
    "labels_unencrypted: &l {app: shop}\nmore_unencrypted: *l\npod:\n  labels: *l\n",
    "---\na: &a 1\nb: *a\n---\na: &a 2\nb: *a\n",
];

#[test]
fn aliases_have_the_same_values_in_both_programs() {
    let party = Party::new();
    let key = DataKey::generate();
    let as_json = ["-d", "--output-type", "json"];
    let encrypt = ["--encrypt", "--age", &party.recipient];
    for text in SOURCES {
        let theirs = party.sops(&encrypt, "plain.yaml", text.as_bytes());
        assert_eq!(theirs.code(), 0, "{text}");
        let expected = theirs_as_json(&party, &as_json, "theirs.yaml", &theirs.stdout);

        let ours = close(
            text.as_bytes(),
            Format::Yaml,
            Rules::default(),
            &party,
            &key,
        );
        assert!(!ours.warnings().is_empty(), "{text}");
        let opened = theirs_as_json(&party, &as_json, "ours.yaml", ours.as_bytes());
        assert_eq!(opened, expected, "{text}");

        let theirs = Encrypted::parse(&theirs.stdout, Format::Yaml).expect(text);
        let opened = theirs.open(&party.unwrap(theirs.metadata())).expect(text);
        let opened = opened.convert(Format::Json).expect(text);
        assert_eq!(
            strip_comments(&String::from_utf8_lossy(opened.expose_secret())),
            strip_comments(&expected),
            "{text}"
        );
    }
}

#[test]
fn aliases_of_what_is_in_clear_stay() {
    let party = Party::new();
    let key = DataKey::generate();
    let text = "labels: &l {app: shop}\npod: {labels: *l}\npassword: &p secret\ncopies:\n- *l\n- password: *p\n";
    let rule = rules("encrypted_regex", "^password$");
    let encrypted = close(text.as_bytes(), Format::Yaml, rule, &party, &key);
    assert_eq!(encrypted.warnings(), [Warning::AliasWrittenOut(6)]);
    let opened = encrypted.open(&key).expect("opens");
    assert_eq!(
        String::from_utf8_lossy(opened.expose_secret()),
        text.replace("*p", "secret")
    );
    let values = theirs_as_json(
        &party,
        &["-d", "--output-type", "json"],
        "ours.yaml",
        encrypted.as_bytes(),
    );
    assert!(values.contains("\"password\": \"secret\""), "{values}");
}
