//! Which namespaces are looked at, where a selector chooses them.

use std::collections::HashSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;
use tracing::warn;

use crate::api::{Api, ApiError};
use crate::list::{Change, Collection};

/// The namespaces that are looked at: all of them, or a set that changes.
#[derive(Clone)]
pub(crate) struct Chosen(Option<watch::Receiver<HashSet<String>>>);

impl Chosen {
    /// Every namespace that there is.
    pub(crate) fn all() -> Self {
        Self(None)
    }

    /// Those of a set that [`choose`] keeps.
    pub(crate) fn of(set: watch::Receiver<HashSet<String>>) -> Self {
        Self(Some(set))
    }

    pub(crate) fn has(&self, namespace: &str) -> bool {
        self.0
            .as_ref()
            .is_none_or(|set| set.borrow().contains(namespace))
    }

    /// Waits until the set is another.
    pub(crate) async fn changed(&mut self) {
        if let Some(set) = &mut self.0
            && set.changed().await.is_ok()
        {
            return;
        }
        std::future::pending().await
    }
}

/// Keeps the set of the namespaces whose labels match `selector`.
pub(crate) async fn choose(api: Arc<Api>, selector: &str, set: watch::Sender<HashSet<String>>) {
    let namespaces = Collection {
        path: "/api/v1/namespaces".into(),
        label_selector: selector.to_owned(),
        field_selector: String::new(),
        metadata_only: true,
    };
    loop {
        let version = match read(&api, &namespaces, &set).await {
            Ok(version) => version,
            Err(error) => {
                warn!(%error, "the namespaces could not be read");
                sleep(Duration::from_secs(2)).await;
                continue;
            }
        };
        namespaces
            .follow(&api, version, |change| {
                let (json, is_there) = match change {
                    Change::Applied(json) => (json, true),
                    Change::Deleted(json) => (json, false),
                };
                let Some(name) = name_of(json) else { return };
                set.send_if_modified(|names| {
                    if is_there {
                        names.insert(name)
                    } else {
                        names.remove(&name)
                    }
                });
            })
            .await;
    }
}

async fn read(
    api: &Api,
    namespaces: &Collection,
    set: &watch::Sender<HashSet<String>>,
) -> Result<String, ApiError> {
    let present = Mutex::new(HashSet::new());
    let version = namespaces
        .read(api, 500, |json| {
            if let (Some(name), Ok(mut present)) = (name_of(json), present.lock()) {
                present.insert(name);
            }
        })
        .await?;
    let present = present.into_inner().unwrap_or_default();
    set.send_if_modified(|names| {
        let is_other = *names != present;
        *names = present;
        is_other
    });
    Ok(version)
}

fn name_of(json: &[u8]) -> Option<String> {
    crate::apply::metadata(json)
        .ok()
        .map(|metadata| metadata.name)
}

/// Says which of the namespaces asked for are not there. They are looked at as soon as they are.
pub(crate) async fn warn_of_missing(api: &Api, namespaces: &[String]) {
    for namespace in namespaces {
        // Without the right to read namespaces nothing can be said about them.
        if let Ok(None) = api.get(&format!("/api/v1/namespaces/{namespace}")).await {
            warn!(
                namespace,
                "the namespace does not exist; it is looked at as soon as it does"
            );
        }
    }
}
