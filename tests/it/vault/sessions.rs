//! Within one process: what is kept for whom, and for how long a login lasts.

use keys::master_key::{MasterKey, Wrapped};
use keys::{DataKey, Env, KeyShare, backend};
use serde_json::json;
use testkit::vault::{self, ROOT, Vault};
use testkit::{PATIENCE, wait_until};
use tokio::runtime::{Builder, Runtime};

fn runtime() -> Runtime {
    let runtime = Builder::new_current_thread().enable_all().build();
    runtime.expect("a runtime")
}

fn key(vault: &Vault, name: &str) -> Box<dyn MasterKey> {
    let kind = backend::of_field("hc_vault").expect("it is built in");
    (kind.parse)(&vault.key(name)).expect("a key")
}

fn env(vault: &Vault, variables: &[(&str, &str)]) -> Env {
    let variables = variables.iter().copied();
    variables
        .chain([("VAULT_ADDR", vault.address.as_str())])
        .collect()
}

#[test]
fn what_one_may_open_another_one_does_not_get() {
    let (vault, runtime) = (vault::shared(), runtime());
    let key = key(vault, "principals");
    let share = KeyShare::from(&DataKey::generate());
    let allowed = env(vault, &[("VAULT_TOKEN", ROOT)]);
    let wrap = key.wrap_key(&share, &allowed);
    let wrapped: Wrapped = runtime.block_on(wrap).expect("root may");
    let together = (0..20).map(|_| key.unwrap_key(&wrapped, &allowed));
    for opened in runtime.block_on(futures::future::join_all(together)) {
        let opened = opened.expect("root may");
        assert_eq!(opened.expose_secret(), share.expose_secret());
    }
    assert_eq!(vault.calls("transit/decrypt/principals"), 1);
    let token = vault.token("principals", &[("transit/encrypt/principals", "update")]);
    let other = env(vault, &[("VAULT_TOKEN", &token)]);
    let refused = runtime.block_on(key.unwrap_key(&wrapped, &other));
    let refused = refused.expect_err("the policy does not have it");
    assert!(refused.0.contains("permission denied"), "{refused}");
    assert_eq!(vault.calls("transit/decrypt/principals"), 2);
}

#[test]
fn another_login_follows_when_a_token_is_over_or_taken_back() {
    let (vault, runtime) = (vault::shared(), runtime());
    let key = key(vault, "sessions");
    let _ = vault.token(
        "sessions",
        &[
            ("transit/encrypt/sessions", "update"),
            ("transit/keys/sessions", "update"),
        ],
    );
    vault.ask("POST", "transit/keys/sessions", &json!({}));
    let share = KeyShare::from(&DataKey::generate());
    for (mount, ttl, logins) in [("short", "2s", 3), ("revoked", "1h", 2)] {
        vault.ask(
            "POST",
            &format!("sys/auth/{mount}"),
            &json!({"type": "approle"}),
        );
        let role = format!("auth/{mount}/role/app");
        let settings = json!({
            "token_policies": ["sessions"], "token_ttl": ttl,
            "bind_secret_id": false, "token_bound_cidrs": ["127.0.0.1/32"],
        });
        vault.ask("POST", &role, &settings);
        let role = vault.ask("GET", &format!("{role}/role-id"), &json!(null));
        let role = role["data"]["role_id"].as_str().expect("an id");
        let env = env(
            vault,
            &[
                ("VAULT_AUTH_METHOD", "approle"),
                ("VAULT_AUTH_MOUNT", mount),
                ("VAULT_ROLE_ID", role),
            ],
        );
        let wrap = || runtime.block_on(key.wrap_key(&share, &env));
        wrap().expect("the role may");
        let login = format!("auth/{mount}/login");
        if mount == "revoked" {
            let all = format!("sys/leases/revoke-prefix/{login}");
            vault.ask("PUT", &all, &json!({}));
            let refused = wrap().expect_err("the token is taken back");
            assert!(refused.0.contains("403"), "{refused}");
        }
        wait_until("there are more logins", PATIENCE, || match wrap() {
            // A token that is over is not even tried.
            Err(why) if mount == "short" => panic!("{why}"),
            Err(why) => Err(why.to_string()),
            Ok(_) if vault.calls(&login) < logins => Err("not yet".to_owned()),
            Ok(_) => Ok(()),
        });
        assert_eq!(vault.calls(&login), logins);
    }
}
