//! Documents put together at random: they come back, or are refused, and nothing panics.

use proptest::prelude::*;

use super::*;

const YAML: &[&str] = &[
    "a: 1\n",
    "b: 'x' # c\n",
    "c:\n",
    "  d: clear-text\n",
    "  - e\n",
    "  - f: |\n",
    "      clear-block\n",
    "\n",
    "# clear-note\n",
    "  # in\n",
    "g: [1, 'clear-two', {h: \"i\"}] # j\n",
    "---\n",
    "...\n",
    "k: >-\n",
    "  folded\n",
    "l: &m 1\n",
    "n: *m\n",
    "o: !!str 7\n",
    "p: \"q\n",
    "  r\"\n",
    "? s\n",
    ": t\n",
    "u: 0x1F\r\n",
    "v: | # w\n",
    "x: ~\n",
    "  - # y\n",
    "    z: 1.50\n",
    "- \n",
    "\u{e9}: \u{1F600}\n",
    "%YAML 1.1\n",
];
const JSON: &[&str] = &[
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "\"a\"",
    "\"b\"",
    "\"\\u00e9\"",
    "1",
    "-1.50",
    "1e400",
    "true",
    "null",
    " ",
    "\n  ",
    "\"\"",
    "\u{1F600}",
];
const DOTENV: &[&str] = &[
    "A", "B", "=", "\n", "#", "\\n", "\\", " ", "\r", "x", "\"", "'", "\u{e9}", "sops", "_",
];
const INI: &[&str] = &[
    "[s]\n",
    "[t] ; u\n",
    "a = 1\n",
    "b: 'clear-x' ; y\n",
    "c = `d",
    "`",
    "\n",
    "; clear-e\n",
    "  # f\n",
    "g = \"\"\"h\n",
    "\"\"\"\n",
    "i = j \\\n",
    "  k\r\n",
    "l =\n",
    "- = m\n",
    "\"n o\" = p\n",
    "q = \"r # s\"\n",
    "=",
    "[",
    "]",
    ";",
    "\u{FEFF}",
    "\u{e9} = \u{1F600}\n",
    "\"\n",
];

fn text(parts: &'static [&'static str]) -> impl Strategy<Value = String> {
    let parts = prop::collection::vec(prop::sample::select(parts), 0..14);
    parts.prop_map(|parts| parts.concat())
}

/// Gives back what comes back. Returns `None` if the text is refused.
fn there_and_back(text: &str, format: Format) -> Option<String> {
    let key = DataKey::from_slice(&[7; 32]).expect("32 bytes");
    let plain = Plain::parse(text.as_bytes(), format).ok()?;
    let closed = plain.close(&key, closing(Rules::default())).ok()?;
    // No encrypted value has a hyphen. Keys stay in clear, and may go on over lines behind a question mark.
    let is_clear = closed.text.contains("clear-") && !text.contains("? ");
    assert!(!is_clear, "{text:?}\n{}", closed.text);
    let read = Encrypted::parse(closed.as_bytes(), format).expect(text);
    let opened = read.open(&key).expect(text);
    let is_doubted = |warning: &Warning| matches!(warning, Warning::TypeDoubted(..));
    assert!(!opened.warnings().iter().any(is_doubted), "{text:?}");
    Some(String::from_utf8_lossy(opened.expose_secret()).into_owned())
}

fn tree(text: &str, format: Format) -> Tree {
    format.parse(text).expect(text).tree
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn yaml_keeps_its_values(text in text(YAML)) {
        if let Some(back) = there_and_back(&text, Format::Yaml) {
            prop_assert!(set::is_same(&tree(&back, Format::Yaml), &tree(&text, Format::Yaml)), "{text:?} {back:?}");
        }
    }

    #[test]
    fn json_comes_back(text in text(JSON)) {
        if let Some(back) = there_and_back(&text, Format::Json) {
            prop_assert!(set::is_same(&tree(&back, Format::Json), &tree(&text, Format::Json)), "{text:?} {back:?}");
        }
    }

    #[test]
    fn dotenv_comes_back(text in text(DOTENV)) {
        if let Some(back) = there_and_back(&text, Format::Dotenv) {
            prop_assert_eq!(back, text);
        }
    }

    #[test]
    fn ini_keeps_its_values(text in text(INI)) {
        if let Some(back) = there_and_back(&text, Format::Ini) {
            prop_assert!(set::is_same(&tree(&back, Format::Ini), &tree(&text, Format::Ini)), "{text:?} {back:?}");
        }
    }

    #[test]
    fn what_is_set_is_there(text in text(YAML), at in 0..6_usize, new in "[a-z#: ]{0,6}") {
        let path = ["[\"a\"]", "[\"c\"][\"d\"]", "[\"c\"][0]", "[\"g\"][2][\"h\"]", "[\"n\"]", "[\"new\"][1]"][at];
        let path = path::Path::parse(path).expect("a path");
        let json = serde_json::to_string(&new).expect("JSON");
        if let Ok(plain) = Plain::parse(text.as_bytes(), Format::Yaml)
            && let Ok(set) = plain.set(&path, &json)
            && let Ok(found) = set.extract(&path, Format::Yaml)
        {
            prop_assert_eq!(found.expose_secret(), new.as_bytes());
        }
    }
}
