//! What was not acted on yet: queued together with its body, as fast as it is worked off.

use hyper::body::Bytes;

use super::MANY;
use crate::api::ApiError;
use crate::context::Context;
use crate::list::{Collection, Pages};
use crate::queue::Lane;
use crate::records::{Body, State};
use crate::sealed_object::Glimpse;

/// Objects a page: they are kept until somebody works on them.
const PAGE: u32 = 50;

/// Queues what was not acted on yet together with its body, as fast as it is worked off.
pub(super) async fn hand_out(context: &Context, sealed: &Collection) -> Result<(), ApiError> {
    let new = context
        .records
        .lock()
        .values()
        .filter(|record| record.state == State::New)
        .count();
    if new < MANY {
        return Ok(());
    }
    let mut pages = Pages::new(sealed, PAGE);
    loop {
        let mut page = Vec::new();
        let more = pages
            .next(&context.api, &mut |json| {
                let Some(glimpse) = Glimpse::parse(json) else {
                    return;
                };
                let name = glimpse.name();
                let is_new = context
                    .records
                    .lock()
                    .get(&name)
                    .is_some_and(|record| record.state == State::New);
                if is_new && !context.queue.holds(&name) {
                    page.push((name, Bytes::copy_from_slice(json)));
                }
            })
            .await?;
        for (name, json) in page {
            let Ok(room) = context.bodies.clone().acquire_owned().await else {
                return Ok(());
            };
            if let Some(record) = context.records.lock().get_mut(&name) {
                record.body = Some(Body { json, _room: room });
            }
            context.queue.push(&name, Lane::Backlog);
        }
        if !more {
            return Ok(());
        }
    }
}

/// Queues what is left, to be read one by one.
pub(super) fn queue_the_rest(context: &Context, namespace: Option<&str>) {
    let records = context.records.lock();
    for (name, record) in records.iter() {
        let here = namespace.is_none_or(|namespace| namespace == name.namespace());
        if here && record.state == State::New && !context.queue.holds(name) {
            context.queue.push(name, Lane::Backlog);
        }
    }
}
