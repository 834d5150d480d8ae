//! Documents in clear with their metadata behind them, as a person may want to look at them.

use keys::Plaintext;

use super::metadata::Metadata;
use super::rules::Rules;
use super::{Encrypted, Plain, ReadError};
use crate::format::{Edits, Format};

impl Plain {
    /// The document with the metadata of its encrypted form behind it, for a person to look at. Binary ones have no place for it.
    pub fn beside_metadata(&self, of: &Encrypted) -> Result<Plaintext, ReadError> {
        if self.format == Format::Binary {
            return Ok(Plaintext::new(self.text.to_vec()));
        }
        let text = self.text()?;
        let parsed = self.format.parse(text)?;
        let mut edits = Edits::default();
        parsed.write_metadata(text, &of.metadata.fields(), None, &mut edits);
        Ok(Plaintext::new(edits.apply(text).as_bytes().to_vec()))
    }

    /// Takes such a text: the document alone, and whether the metadata behind it are still those of the other.
    pub fn parse_beside_metadata(text: &[u8], of: &Encrypted) -> Result<(Self, bool), ReadError> {
        let both = Self::parse(text, of.format)?;
        if both.format == Format::Binary {
            return Ok((both, true));
        }
        let text = both.text()?;
        let parsed = both.format.parse(text)?;
        let same = match &parsed.metadata {
            Some(Ok(fields)) => Metadata::read(fields, Rules::default())
                .is_ok_and(|found| found.fields() == of.metadata.fields()),
            Some(Err(_)) | None => false,
        };
        let mut edits = Edits::default();
        parsed.remove_metadata(text, &mut edits);
        let alone = Self::parse(edits.apply(text).as_bytes(), both.format)?;
        Ok((alone, same))
    }
}
