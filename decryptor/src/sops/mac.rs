//! The document MAC: SHA-512 over all values in order, in capital hexadecimal digits, encrypted like a value.

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{Context, SHA256, SHA512, digest};
use keys::aead::ValueCipher;
use zeroize::Zeroizing;

use super::value::{self, Nonces, Type};

/// A MAC under way.
pub(crate) struct Mac(Context);

/// Values on their way into a MAC, in blocks that never move.
#[derive(Default)]
pub(crate) struct Values(Vec<Zeroizing<Vec<u8>>>);

/// A MAC in clear: a digest of all secrets, and so one itself.
pub(crate) struct Digest(Zeroizing<String>);

impl Mac {
    /// Begins. A MAC over encrypted values only never equals one over all.
    pub(crate) fn new(only_encrypted: bool) -> Self {
        let mut context = Context::new(&SHA512);
        if only_encrypted {
            context.update(digest(&SHA256, b"sops").as_ref());
        }
        Self(context)
    }

    /// Takes the canonical bytes of the next value.
    pub(crate) fn add(&mut self, value: &[u8]) {
        self.0.update(value);
    }

    /// Takes the next values.
    pub(crate) fn add_all(&mut self, values: &Values) {
        values.0.iter().for_each(|block| self.add(block));
    }

    pub(crate) fn finish(self) -> Digest {
        let mut text = Zeroizing::new(String::with_capacity(128));
        for byte in self.0.finish().as_ref() {
            for digit in [byte >> 4, byte & 15] {
                text.push(char::from(b"0123456789ABCDEF"[usize::from(digit)]));
            }
        }
        Digest(text)
    }
}

impl Values {
    /// Takes the canonical bytes of the next value.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        const BLOCK: usize = 1 << 14;
        match self.0.last_mut() {
            Some(block) if block.capacity() - block.len() >= bytes.len() => {
                block.extend_from_slice(bytes);
            }
            _ => {
                let mut block = Vec::with_capacity(BLOCK.max(bytes.len()));
                block.extend_from_slice(bytes);
                self.0.push(Zeroizing::new(block));
            }
        }
    }
}

impl Digest {
    pub(crate) fn seal(&self, cipher: &ValueCipher, last_modified: &str) -> String {
        value::seal(
            cipher,
            &mut Nonces::default(),
            Type::Str,
            self.0.as_bytes(),
            last_modified.as_bytes(),
        )
    }

    /// Whether a document's `mac` field says the same. `None` if the field itself does not open.
    pub(crate) fn agrees(
        &self,
        cipher: &ValueCipher,
        field: &str,
        last_modified: &str,
    ) -> Option<bool> {
        let opened = value::open(cipher, field, last_modified.as_bytes()).ok()?;
        Some(verify_slices_are_equal(opened.text.expose_secret(), self.0.as_bytes()).is_ok())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mac_is_that_of_the_original() {
        // The values of `{a: {b: hello}, n: -42, flag: true}`; made by sops 3.13.3.
        let mut mac = Mac::new(false);
        for value in ["hello", "-42", "True"] {
            mac.add(value.as_bytes());
        }
        assert_eq!(
            mac.finish().0.as_str(),
            "984DE2145F35C869653B22FCDF504EB7E57883635F66B51EB4DABF4BDAA4CACC495BF45809206273E8C1E0F639610BDECCAA1E68168959BC863A611F84FEA05A"
        );
    }
}
