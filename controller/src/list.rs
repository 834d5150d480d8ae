//! Reads collections page by page and follows their changes.

use std::time::Duration;

use http_body_util::BodyExt;
use kube::api::{ListParams, WatchParams};
use kube::core::Request;
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::time::{sleep, timeout};
use tracing::debug;

use crate::api::{Api, ApiError, refusal_of};
use crate::pieces::{Items, Lines};

/// A page that stops for so long is given up.
const PATIENCE: Duration = Duration::from_secs(60);
/// How long one watch lasts; the API server ends it, and the next one goes on where it ended.
const WATCH_SECONDS: u32 = 290;
/// A watch that says nothing for longer than it may last is dead.
const SILENCE: Duration = Duration::from_secs(WATCH_SECONDS as u64 + 30);

/// A collection of objects, as one reads it.
#[derive(Clone, Debug)]
pub(crate) struct Collection {
    pub(crate) path: String,
    pub(crate) label_selector: String,
    pub(crate) field_selector: String,
    /// Whether only the objects' metadata is asked for.
    pub(crate) metadata_only: bool,
}

impl Collection {
    fn labels(&self) -> Option<String> {
        Some(self.label_selector.clone()).filter(|selector| !selector.is_empty())
    }

    fn fields(&self) -> Option<String> {
        Some(self.field_selector.clone()).filter(|selector| !selector.is_empty())
    }

    /// Reads all pages; returns the version that they show.
    pub(crate) async fn read(
        &self,
        api: &Api,
        limit: u32,
        mut item: impl FnMut(&[u8]),
    ) -> Result<String, ApiError> {
        let mut pages = Pages::new(self, limit);
        while pages.next(api, &mut item).await? {}
        Ok(pages.version)
    }

    /// Follows the changes since `version` until that version is too old to go on from.
    pub(crate) async fn follow(
        &self,
        api: &Api,
        mut version: String,
        mut change: impl FnMut(Change<'_>),
    ) {
        let mut failures = 0;
        loop {
            match self.follow_once(api, &mut version, &mut change).await {
                Ok(Ended::Quietly) => failures = 0,
                Ok(Ended::Expired) => return,
                Err(error) if error.is_expired() => return,
                Err(error) => {
                    debug!(path = self.path, %error, "a watch broke off");
                    failures += 1;
                }
            }
            // Also after a quiet end: a server that ends every watch at once is not to be asked in a circle.
            sleep(Duration::from_millis(50 << failures.min(8))).await;
        }
    }

    async fn follow_once(
        &self,
        api: &Api,
        version: &mut String,
        change: &mut impl FnMut(Change<'_>),
    ) -> Result<Ended, ApiError> {
        let params = WatchParams {
            label_selector: self.labels(),
            field_selector: self.fields(),
            timeout: Some(WATCH_SECONDS),
            ..WatchParams::default()
        };
        let request = Request::new(&self.path);
        let request = match self.metadata_only {
            true => request.watch_metadata(&params, version),
            false => request.watch(&params, version),
        };
        let request = request.map_err(|error| ApiError::Unreachable(error.to_string()))?;
        let mut body = api.open(request).await?.into_body();
        let mut lines = Lines::default();
        let mut end = None;
        while let Some(frame) = timeout(SILENCE, body.frame()).await.map_err(|_| silent())? {
            let frame = frame.map_err(|error| ApiError::Unreachable(error.to_string()))?;
            let Some(bytes) = frame.data_ref() else {
                continue;
            };
            let fed = lines.feed(bytes, |line| {
                if end.is_none() {
                    end = take(line, version, change);
                }
            });
            fed.map_err(|error| ApiError::Unreachable(error.to_string()))?;
            if let Some(end) = end.take() {
                return end;
            }
        }
        Ok(Ended::Quietly)
    }
}

/// How a watch ended.
enum Ended {
    Quietly,
    Expired,
}

/// A change of one object.
pub(crate) enum Change<'a> {
    /// It is there now, or is different.
    Applied(&'a [u8]),
    /// It was this, and is gone.
    Deleted(&'a [u8]),
}

#[derive(Deserialize)]
struct WatchLine<'a> {
    #[serde(rename = "type")]
    kind: &'a str,
    #[serde(borrow)]
    object: &'a RawValue,
}

/// Takes one line of a watch; `Some` if it ends it.
fn take(
    line: &[u8],
    version: &mut String,
    change: &mut impl FnMut(Change<'_>),
) -> Option<Result<Ended, ApiError>> {
    if line.is_empty() {
        return None;
    }
    let unreadable = |_| ApiError::Unreachable("a watch sent what is no event".into());
    let line: WatchLine<'_> = match serde_json::from_slice(line) {
        Ok(line) => line,
        Err(error) => return Some(Err(unreadable(error))),
    };
    let object = line.object.get().as_bytes();
    match line.kind {
        "ERROR" => {
            let code = serde_json::from_slice(object).map_or(0, |status: Code| status.code);
            return Some(if code == 410 {
                Ok(Ended::Expired)
            } else {
                Err(refusal_of(code, object))
            });
        }
        "DELETED" => change(Change::Deleted(object)),
        "ADDED" | "MODIFIED" => change(Change::Applied(object)),
        _ => {}
    }
    if let Ok(Versioned { metadata }) = serde_json::from_slice(object) {
        metadata.resource_version.clone_into(version);
    }
    None
}

#[derive(Deserialize)]
struct Code {
    code: u16,
}

#[derive(Deserialize)]
struct Versioned<'a> {
    #[serde(borrow)]
    metadata: VersionMetadata<'a>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct VersionMetadata<'a> {
    resource_version: &'a str,
}

fn silent() -> ApiError {
    ApiError::Unreachable("the API server fell silent".into())
}

/// The pages of a collection.
pub(crate) struct Pages<'a> {
    collection: &'a Collection,
    limit: u32,
    next: Option<String>,
    /// The version that the first page shows; changes since then are to be followed.
    version: String,
    is_done: bool,
}

impl<'a> Pages<'a> {
    pub(crate) fn new(collection: &'a Collection, limit: u32) -> Self {
        Self {
            collection,
            limit,
            next: None,
            version: String::new(),
            is_done: false,
        }
    }

    /// Reads the next page; false once there was none.
    pub(crate) async fn next(
        &mut self,
        api: &Api,
        item: &mut impl FnMut(&[u8]),
    ) -> Result<bool, ApiError> {
        if self.is_done {
            return Ok(false);
        }
        match self.page(api, item).await {
            // The rest of a list that took too long comes as it is now; what changed meanwhile comes by the watch.
            Err(ApiError::Refused {
                code: 410,
                next: Some(next),
                ..
            }) if self.next.as_ref() != Some(&next) => {
                self.next = Some(next);
            }
            answer => answer?,
        }
        Ok(true)
    }

    async fn page(&mut self, api: &Api, item: &mut impl FnMut(&[u8])) -> Result<(), ApiError> {
        let params = ListParams {
            label_selector: self.collection.labels(),
            field_selector: self.collection.fields(),
            limit: Some(self.limit),
            continue_token: self.next.clone(),
            ..ListParams::default()
        };
        let request = Request::new(&self.collection.path);
        let request = match self.collection.metadata_only {
            true => request.list_metadata(&params),
            false => request.list(&params),
        };
        let request = request.map_err(|error| ApiError::Unreachable(error.to_string()))?;
        let mut body = api.open(request).await?.into_body();
        let mut items = Items::default();
        while let Some(frame) = timeout(PATIENCE, body.frame())
            .await
            .map_err(|_| silent())?
        {
            let frame = frame.map_err(|error| ApiError::Unreachable(error.to_string()))?;
            let Some(bytes) = frame.data_ref() else {
                continue;
            };
            items
                .feed(bytes, &mut *item)
                .map_err(|error| ApiError::Unreachable(error.to_string()))?;
        }
        let metadata = items
            .finish()
            .map_err(|error| ApiError::Unreachable(error.to_string()))?;
        if self.version.is_empty() {
            self.version = metadata.resource_version;
        }
        self.is_done = metadata.next.is_empty();
        self.next = Some(metadata.next);
        Ok(())
    }
}
