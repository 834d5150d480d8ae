//! Aliases are written out where a copy would be encrypted under another path.

use super::*;

#[test]
fn aliases_of_what_is_encrypted_are_written_out() {
    for (text, expected, lines) in [
        (
            "a: &x secret # one\nb: *x # two\n",
            "a: &x secret # one\nb: secret # two\n",
            &[2][..],
        ),
        (
            "a: &x\n  b: 'it''s' # c\n  c: [1, 2.5, null]\nd:\n  <<: *x\n  e: 1\n",
            "a: &x\n  b: 'it''s' # c\n  c: [1, 2.5, null]\nd:\n  <<: {b: it's, c: [1, 2.5, null]}\n  e: 1\n",
            &[5],
        ),
        (
            "a: &x \"yes: # no\"\nb: [*x,*x]\nc: {d: *x}\n",
            "a: &x \"yes: # no\"\nb: [\"yes: # no\",\"yes: # no\"]\nc: {d: \"yes: # no\"}\n",
            &[2, 2, 3],
        ),
        (
            "a: &a\n  b: &b x\n  c: *b\nd: *a\n",
            "a: &a\n  b: &b x\n  c: x\nd: {b: x, c: x}\n",
            &[3, 4],
        ),
        ("a: &a ''\nb: *a\nc: 1\n", "a: &a ''\nb: *a\nc: 1\n", &[]),
        (
            "a_unencrypted: &a x\nb_unencrypted: *a\n",
            "a_unencrypted: &a x\nb_unencrypted: *a\n",
            &[],
        ),
        (
            "a_unencrypted: &a x\nb: *a\n",
            "a_unencrypted: &a x\nb: x\n",
            &[2],
        ),
        (
            "a: &a x\nb_unencrypted: *a\n",
            "a: &a x\nb_unencrypted: x\n",
            &[2],
        ),
    ] {
        let key = DataKey::generate();
        let encrypted = closed(text, Format::Yaml, Rules::default(), &key);
        let read = Encrypted::parse(encrypted.as_bytes(), Format::Yaml).expect(text);
        let opened = read.open(&key).expect(text);
        assert_eq!(String::from_utf8_lossy(opened.expose_secret()), expected);
        let warnings: Vec<_> = lines
            .iter()
            .map(|line| Warning::AliasWrittenOut(*line))
            .collect();
        assert_eq!(encrypted.warnings(), warnings, "{text}");
        // Closed again over itself, there is nothing left to write out.
        let closing = Closing {
            metadata: encrypted.metadata().copy().expect("the same"),
            now: "2024-02-02T03:04:05Z",
            previous: Some(&encrypted),
        };
        let again = opened.close(&key, closing).expect(text);
        assert!(
            again.warnings().is_empty() && again.is_same_but_mac(&encrypted),
            "{text}"
        );
    }
}
