//! The files that a command on documents is told of: those that were named, and those in folders that were named.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use decryptor::format::Format;
use decryptor::sops::Encrypted;
use zeroize::Zeroizing;

use super::{config_file, failure, source};
use crate::error::CommandError;
use crate::files;

/// What every encrypted document holds: its MAC is a value of this form.
const MARK: &[u8] = b"ENC[AES256_GCM,";

/// One of the files.
#[derive(Clone, Debug)]
pub(crate) struct Found {
    /// The file.
    pub(crate) path: PathBuf,
    /// Its place below the folder that was named; its name if it was named itself.
    pub(crate) below: PathBuf,
    /// Whether it was named itself, and must be what the command is for.
    pub(crate) named: bool,
}

/// An encrypted file, read.
pub(crate) struct Document {
    /// Its text.
    pub(crate) text: Zeroizing<Vec<u8>>,
    /// The document.
    pub(crate) document: Encrypted,
}

/// Whether more than one file may be meant.
pub(crate) fn are_many(paths: &[PathBuf]) -> bool {
    match paths {
        [path] => path.is_dir(),
        paths => paths.len() > 1,
    }
}

/// The files that were named, and all files in the folders that were named, in order of their names. Hidden folders, links
/// in folders and configurations are left alone. No file comes twice.
pub(crate) fn find(paths: &[PathBuf]) -> Result<Vec<Found>, CommandError> {
    let mut found = Vec::new();
    let mut seen = HashSet::new();
    for path in paths {
        let failed = |e: io::Error| {
            CommandError::new(format!("cannot look into {}", path.display())).because(e)
        };
        let real = fs::canonicalize(path).map_err(|_| source::missing(path))?;
        if !real.is_dir() {
            let below = path.file_name().map(PathBuf::from).unwrap_or_default();
            if seen.insert(real) {
                found.push(Found {
                    path: path.clone(),
                    below,
                    named: true,
                });
            }
            continue;
        }
        let mut inside = Vec::new();
        walk(path, &mut inside).map_err(failed)?;
        inside.sort();
        for file in inside {
            let below = file.strip_prefix(path).unwrap_or(&file).to_owned();
            if seen.insert(real.join(&below)) {
                found.push(Found {
                    path: file,
                    below,
                    named: false,
                });
            }
        }
    }
    Ok(found)
}

fn walk(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder)? {
            let entry = entry?;
            let (name, kind) = (entry.file_name(), entry.file_type()?);
            let is_hidden = name.as_encoded_bytes().starts_with(b".");
            if kind.is_dir() && !is_hidden {
                folders.push(entry.path());
            } else if kind.is_file() && name != config_file::NAME && !files::is_beside(&name) {
                found.push(entry.path());
            }
        }
    }
    Ok(())
}

impl Found {
    /// Reads an encrypted document. Returns `None` if a folder holds the file and it is none.
    pub(crate) fn read(&self, format: Option<Format>) -> Result<Option<Document>, CommandError> {
        let format = format.unwrap_or_else(|| Format::of(&self.path));
        if !self.named && format == Format::Binary && !self.begins_as_json()? {
            return Ok(None);
        }
        let text = source::read(&self.path)?;
        if !self.named && !is_marked(&text) {
            return Ok(None);
        }
        let document = Encrypted::parse(&text, format).map_err(failure::encrypted)?;
        Ok(Some(Document { text, document }))
    }

    /// Folders hold large files that are none of our business.
    fn begins_as_json(&self) -> Result<bool, CommandError> {
        let begin = files::begin(&self.path);
        let begin = begin.map_err(|e| source::unreadable(&self.path, e))?;
        let first = begin.iter().find(|byte| !byte.is_ascii_whitespace());
        Ok(first == Some(&b'{'))
    }
}

/// Whether a text may be an encrypted document.
pub(crate) fn is_marked(text: &[u8]) -> bool {
    text.windows(MARK.len()).any(|window| window == MARK)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_are_looked_through_in_order_and_no_file_comes_twice() {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        for name in ["b/z.yaml", "b/.env", "a.json", ".git/x.yaml", ".sops.yaml"] {
            fs::create_dir_all(path(name).parent().unwrap()).unwrap();
            fs::write(path(name), "").unwrap();
        }
        std::os::unix::fs::symlink("/", path("b/link")).unwrap();
        std::os::unix::fs::symlink("a.json", path("link.json")).unwrap();
        let below = |paths: &[PathBuf]| -> Vec<String> {
            let found = find(paths).unwrap().into_iter();
            found
                .map(|found| found.below.display().to_string())
                .collect()
        };
        assert_eq!(below(&[path("")]), ["a.json", "b/.env", "b/z.yaml"]);
        assert_eq!(
            below(&[path("link.json"), path("a.json"), path("b"), path("")]),
            ["link.json", ".env", "z.yaml"]
        );
        assert!(find(&[path("missing")]).is_err());
    }
}
