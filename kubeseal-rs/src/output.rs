//! Where results go, and in which syntax.

use std::path::{Path, PathBuf};
use std::str::FromStr;

use decryptor::manifest;
use serde_json::Value;

use crate::error::CommandError;
use crate::files;
use crate::ui::Ui;

/// The syntax of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Format {
    /// JSON, indented by two spaces.
    #[default]
    Json,
    /// YAML, each document behind `---`.
    Yaml,
}

impl FromStr for Format {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text.to_lowercase().as_str() {
            "" | "json" => Ok(Self::Json),
            "yaml" => Ok(Self::Yaml),
            _ => Err(format!("unsupported output format: {text}")),
        }
    }
}

impl Format {
    /// The syntax that a file's name asks for. Returns `None` if it is not that of a YAML file.
    pub(crate) fn of_path(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        matches!(extension, "yaml" | "yml").then_some(Self::Yaml)
    }

    /// An object as text.
    pub(crate) fn write(self, object: &Value) -> Vec<u8> {
        match self {
            Self::Json => manifest::write_json(object),
            Self::Yaml => [b"---\n".as_slice(), &manifest::write_yaml(object)].concat(),
        }
    }
}

/// Where a result goes.
pub(crate) struct Output {
    /// A file, or standard output.
    pub(crate) path: Option<PathBuf>,
    /// The syntax that was asked for.
    format: Format,
}

impl Output {
    /// A file if there is a name, else standard output. A YAML file's name overrules the syntax.
    pub(crate) fn of(path: Option<String>, format: &str) -> Result<Self, CommandError> {
        let path = path.map(PathBuf::from);
        let named = path.as_deref().and_then(Format::of_path);
        let format = match named {
            Some(format) => format,
            None => format
                .parse()
                .map_err(|e: String| CommandError::new(e).hint("-o takes json or yaml"))?,
        };
        Ok(Self { path, format })
    }

    /// The syntax of what goes there.
    pub(crate) fn format(&self) -> Format {
        self.format
    }

    /// Puts the whole result there, once it is complete.
    pub(crate) fn write(&self, bytes: &[u8], ui: &mut Ui) -> Result<(), CommandError> {
        match &self.path {
            Some(path) => files::replace(path, bytes),
            None => ui.print(bytes),
        }
    }

    /// Puts clear text there: into a file that only its owner can read.
    pub(crate) fn write_secret(&self, bytes: &[u8], ui: &mut Ui) -> Result<(), CommandError> {
        match &self.path {
            Some(path) => files::replace_secret(path, bytes),
            None => ui.print(bytes),
        }
    }
}
