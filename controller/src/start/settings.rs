//! What the flags mean to each part.

use std::time::Duration;

use jiff::SignedDuration;

use super::StartError;
use crate::args::Args;
use crate::client::{self, Limit};
use crate::http::{Bounds, Timeouts};
use crate::renewal::Rules;
use crate::run::Namespaces;
use crate::{key_store, lease, run};

pub(super) fn client(args: &Args) -> client::Options {
    client::Options {
        kubeconfig: args.kubeconfig.clone(),
        context: args.kubeconfig_context.clone(),
        limit: Limit::of_flags(args.kubeclient_qps, args.kubeclient_burst),
    }
}

pub(super) fn keys(args: &Args, namespace: &str) -> key_store::Settings {
    key_store::Settings {
        namespace: namespace.to_owned(),
        prefix: args.key_prefix.clone(),
        order: args.key_order_priority,
        size: args.key_size,
        lifetime: SignedDuration::try_from(args.key_ttl).unwrap_or(SignedDuration::MAX),
        common_name: args.my_cn.clone(),
        labels: args.privatekey_labels.clone(),
        annotations: args.privatekey_annotations.clone(),
    }
}

pub(super) fn renewal(args: &Args) -> Rules {
    Rules {
        period: args.key_renew_period,
        cutoff: args.key_cutoff_time.0,
    }
}

pub(super) fn lease(args: &Args, namespace: &str) -> lease::Settings {
    lease::Settings {
        namespace: namespace.to_owned(),
        name: format!("{}-leader", args.key_prefix),
        pod: pod_name(),
        duration: args.leader_elect_lease_duration,
        renew_deadline: args.leader_elect_renew_deadline,
        retry_period: args.leader_elect_retry_period,
    }
}

pub(super) fn http(args: &Args) -> (Bounds, Timeouts) {
    let bounds = Bounds {
        body: args.max_body_size,
        items: args.max_items,
        rate: args.rate_limit,
        burst: args.rate_limit_burst,
        accept_deprecated_data: args.accept_deprecated_v1_data,
    };
    let timeouts = Timeouts {
        read: args.read_timeout,
        write: args.write_timeout,
    };
    (bounds, timeouts)
}

pub(super) fn core(args: &Args, own_namespace: &str) -> Result<run::Settings, StartError> {
    Ok(run::Settings {
        namespaces: namespaces(args, own_namespace)?,
        label_selector: args.label_selector.clone(),
        accept_deprecated_v1_data: args.accept_deprecated_v1_data,
        old_gc_behavior: args.old_gc_behavior,
        update_status: args.update_status,
        skip_recreate: args.skip_recreate,
        max_unseal_retries: u32::try_from(args.max_unseal_retries.max(0)).unwrap_or(u32::MAX),
        strict_templates: args.strict_templates,
        resync: Some(args.resync_period).filter(|period| *period > Duration::ZERO),
        instance: pod_name().unwrap_or_default(),
        ..run::Settings::default()
    })
}

fn namespaces(args: &Args, own: &str) -> Result<Namespaces, StartError> {
    let additional = args.additional_namespaces.split(',').map(str::trim);
    let mut names: Vec<String> = additional
        .filter(|name| !name.is_empty())
        .map(str::to_owned)
        .collect();
    if let Some(selector) = &args.namespace_selector {
        if !names.is_empty() {
            return Err(StartError::Namespaces);
        }
        return Ok(Namespaces::Matching(selector.clone()));
    }
    if args.all_namespaces && args.additional_namespaces.is_empty() {
        return Ok(Namespaces::All);
    }
    names.insert(0, own.to_owned());
    names.sort();
    names.dedup();
    Ok(Namespaces::These(names))
}

/// The pod's name, where the manifest passes it on.
fn pod_name() -> Option<String> {
    std::env::var("POD_NAME")
        .ok()
        .filter(|name| !name.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn namespaces_are_chosen_as_the_original_chooses_them() {
        let these = |names: &[&str]| {
            Some(Namespaces::These(
                names.iter().map(|&name| name.to_owned()).collect(),
            ))
        };
        for (line, expected) in [
            ("", Some(Namespaces::All)),
            ("--all-namespaces=false", these(&["own"])),
            (
                "--additional-namespaces=b,own,,b,a",
                these(&["a", "b", "own"]),
            ),
            (
                "--all-namespaces=true --additional-namespaces=b",
                these(&["b", "own"]),
            ),
            (
                "--namespace-selector=x=y",
                Some(Namespaces::Matching("x=y".to_owned())),
            ),
            ("--namespace-selector=x --additional-namespaces=b", None),
        ] {
            let words = ["controller"].into_iter().chain(line.split_whitespace());
            let args = Args::read(words).expect("a good line");
            assert_eq!(namespaces(&args, "own").ok(), expected, "{line}");
        }
    }
}
