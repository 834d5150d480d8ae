//! Any text as a stream of manifests: read or refused; what is written reads back to the same value.
#![no_main]

use decryptor::manifest;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(documents) = manifest::read(bytes) else { return };
    for document in &documents {
        let value = document.value();
        for written in [manifest::write_json(value), manifest::write_yaml(value)] {
            let again = manifest::read(&written).expect("our own text is read");
            if again.len() == 1 {
                assert_eq!(again[0].value(), value);
            }
        }
    }
});
