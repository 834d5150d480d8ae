//! What is done with the SealedSecret in a request's body: bytes in, status and bytes out.
//!
//! It uses nothing else of this crate, so that a fuzz target can be made of it without a server.

use decryptor::manifest;
use decryptor::sealed::resource::{API_VERSION, KIND};
use decryptor::sealed::{SealedSecret, rewrap, unseal};
use http::StatusCode;
use keys::KeyRing;

/// What is done with a SealedSecret.
#[derive(Clone, Copy, Debug)]
pub(super) enum Task {
    Verify,
    Rotate,
}

/// What a task may take in.
#[derive(Clone, Copy, Debug)]
pub(super) struct Intake {
    /// The most sealed values in one SealedSecret.
    pub(super) items: usize,
    /// Whether `spec.data` is verified too.
    pub(super) deprecated_data: bool,
}

/// What is answered: nothing but a status, or a SealedSecret as JSON.
pub(super) struct Reply {
    pub(super) status: StatusCode,
    pub(super) json: Option<Vec<u8>>,
}

impl Task {
    /// The answer to a body.
    pub(super) fn run(self, body: &[u8], ring: &KeyRing, intake: Intake) -> Reply {
        let Some(sealed) = parse(body, intake.items) else {
            return StatusCode::INTERNAL_SERVER_ERROR.into();
        };
        match self {
            Self::Verify if unseal::verify(&sealed, ring, intake.deprecated_data) => {
                StatusCode::OK.into()
            }
            Self::Verify => StatusCode::CONFLICT.into(),
            Self::Rotate => rotate(&sealed, ring),
        }
    }
}

impl From<StatusCode> for Reply {
    fn from(status: StatusCode) -> Self {
        Self { status, json: None }
    }
}

/// The one SealedSecret of a body. Returns `None` if there is another number of objects, or another kind.
fn parse(body: &[u8], most_items: usize) -> Option<SealedSecret> {
    let mut documents = manifest::read(body).ok()?;
    let document = documents.pop().filter(|_| documents.is_empty())?;
    if document.kind() != Some(KIND)
        || document.api_version() != Some(API_VERSION)
        || document.item.is_some()
    {
        return None;
    }
    let sealed: SealedSecret = serde_json::from_value(document.into_value()).ok()?;
    (sealed.spec.encrypted_data.len() <= most_items).then_some(sealed)
}

/// One answer for every failure: whether the values do not open or there is no key to rotate to.
fn rotate(sealed: &SealedSecret, ring: &KeyRing) -> Reply {
    let rotated = ring
        .newest_cert()
        .and_then(|cert| rewrap(sealed, ring, cert).ok());
    match rotated.and_then(|rotated| serde_json::to_vec(&rotated).ok()) {
        Some(json) => Reply {
            status: StatusCode::OK,
            json: Some(json),
        },
        None => StatusCode::INTERNAL_SERVER_ERROR.into(),
    }
}
