//! Any text as a template: parsed or refused, rendered within bounds or refused, never a panic.
#![no_main]

use decryptor::sealed::template::{Limits, Template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|source: &str| {
    let Ok(template) = Template::parse("fuzz", source) else { return };
    let dot = [("a", "1"), ("b", "two words"), ("c", "{\"d\": [1, 2.5, null]}")];
    let dot = dot.into_iter().map(|(key, value)| (key.to_owned(), value.as_bytes().to_vec().into())).collect();
    let limits = Limits { steps: 10_000, output: 1 << 16, ..Limits::default() };
    if let Ok(text) = template.render(&dot, &limits) {
        assert!(text.len() <= limits.output);
    }
});
