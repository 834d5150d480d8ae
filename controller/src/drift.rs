//! What a change in the cluster means for the SealedSecret concerned, and when it is to be looked at.

use std::sync::Arc;

use hyper::body::Bytes;
use tokio::time::Instant;

use crate::backoff::{AFTER_BLOCKER, Failure};
use crate::context::Context;
use crate::live::ObjectMetadata;
use crate::name::ObjectName;
use crate::queue::Lane;
use crate::reconcile;
use crate::records::{Body, Record, Seen, State};
use crate::sealed_object::{Glimpse, instance};
use crate::status;

/// A SealedSecret is there now, or is different.
pub(crate) fn sealed_secret_there(
    context: &Context,
    name: &ObjectName,
    sealed: &Glimpse,
    json: &[u8],
) {
    let mut records = context.records.lock();
    let is_new = !records.contains_key(name);
    let record = records
        .entry(name.clone())
        .or_insert_with(|| Record::new(sealed));
    if (record.update(sealed) || is_new) && !record.is_ending {
        // Spares the worker to read it again, if there is room.
        let room = Arc::clone(&context.bodies).try_acquire_owned().ok();
        record.body = room.map(|room| Body {
            json: Bytes::copy_from_slice(json),
            _room: room,
        });
        context.queue.push(name, Lane::Urgent);
        return;
    }
    // What was not looked at yet is not claimed to be right, whatever its status says.
    if record.state != State::New
        && let Some(value) = status::metric(sealed.status.as_ref())
    {
        let instance = instance(&sealed.metadata);
        let (namespace, name) = (name.namespace(), name.name());
        context
            .metrics
            .condition(namespace, name, status::SYNCED, value, instance);
    }
}

/// A SealedSecret is gone. Its Secret is left to garbage collection, unless settings say otherwise.
pub(crate) fn sealed_secret_gone(context: &Context, name: &ObjectName) {
    context.metrics.unseal_request();
    if context.settings.old_gc_behavior
        && let Some(record) = context.records.lock().get_mut(name)
    {
        record.is_gone = true;
        context.queue.push(name, Lane::Urgent);
        return;
    }
    reconcile::forget(context, name);
}

/// A Secret is there now, or is different.
pub(crate) fn secret_there(context: &Context, name: &ObjectName, metadata: &ObjectMetadata) {
    let mut records = context.records.lock();
    let Some(record) = records.get_mut(name) else {
        return;
    };
    let seen = Seen::of(metadata);
    if seen.version == record.right || seen.version.is_before(record.right) {
        record.secret.get_or_insert(seen);
        return;
    }
    let other_rights = record
        .secret
        .as_ref()
        .is_none_or(|before| !before.same_rights(&seen));
    record.secret = Some(seen);
    match record.state {
        State::Right | State::LeftAlone => {
            context
                .queue
                .push_at(name, Lane::Urgent, record.heals.due(Instant::now()));
        }
        State::Failed(Failure::NotManaged | Failure::Fixed) if other_rights => {
            context.queue.push(name, Lane::Urgent)
        }
        // It has its turn anyway, or the Secret is not what it fails by.
        State::New | State::Failed(_) => {}
    }
}

/// A Secret is gone; `metadata` is what it was, where that is known.
pub(crate) fn secret_gone(context: &Context, name: &ObjectName, metadata: Option<&ObjectMetadata>) {
    let mut records = context.records.lock();
    let Some(record) = records.get_mut(name) else {
        return;
    };
    let last = metadata.map(Seen::of);
    if last
        .as_ref()
        .is_some_and(|seen| seen.version.is_before(record.right))
    {
        return;
    }
    let before = record.secret.take();
    let is_remade = last
        .or(before)
        .is_some_and(|seen| seen.is_remade_by(&record.uid));
    let now = Instant::now();
    match record.state {
        State::Failed(Failure::NotManaged) => {
            context
                .queue
                .push_at(name, Lane::Urgent, now + AFTER_BLOCKER);
        }
        State::Failed(Failure::Fixed) => context.queue.push(name, Lane::Urgent),
        _ if is_remade => context
            .queue
            .push_at(name, Lane::Urgent, record.heals.due(now)),
        State::Right => record.state = State::LeftAlone,
        State::New | State::LeftAlone | State::Failed(_) => {}
    }
}
