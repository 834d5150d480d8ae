//! Any text, one edit: refused, or the edit reads back and everything else is as it was.
#![no_main]

use decryptor::manifest;
use decryptor::manifest::edit::{Editor, Step};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&[u8], &str, &str)| {
    let (text, key, value) = input;
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
