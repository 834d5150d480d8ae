//! Any text, one edit: refused, or the edit reads back and everything else is as it was.
//!
//! The input is a key, an empty line, the value, an empty line, the text.
#![no_main]

use decryptor::manifest;
use decryptor::manifest::edit::{Editor, Step};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Some((key, rest)) = paragraph(input) else { return };
    let Some((value, text)) = paragraph(rest) else { return };
    let Ok(mut editor) = Editor::new(text) else { return };
    if editor.documents() == 0 {
        return;
    }
    let path = [Step::Key("spec"), Step::Key("encryptedData"), Step::Key(key)];
    if editor.set(0, &path, &value.into()).is_err() {
        return;
    }
    let Ok(edited) = editor.finish() else { return };
    let documents = manifest::read(&edited).expect("an edited text is read");
    // A list is edited whole, and read as its items.
    if let Some(document) = documents.first().filter(|document| document.item.is_none()) {
        assert_eq!(document.value()["spec"]["encryptedData"][key], value);
    }
});

fn paragraph(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let end = bytes.windows(2).position(|two| two == b"\n\n")?;
    Some((str::from_utf8(&bytes[..end]).ok()?, &bytes[end + 2..]))
}
