//! Where tokens come from: logins with what the machine has, and the file of `vault login`.

use std::fs;

use serde_json::json;
use testkit::cluster::{self, User};
use testkit::vault::{self, ROOT, Vault};

use super::desk::{Desk, Stub, TEXT, answer};

/// A policy for a key, and the key.
fn prepare(vault: &Vault, name: &str) -> String {
    let paths = ["encrypt", "decrypt"].map(|action| format!("transit/{action}/{name}"));
    let rules = [(paths[0].as_str(), "update"), (&paths[1], "update")];
    let _ = vault.token(name, &rules);
    vault.ask("POST", &format!("transit/keys/{name}"), &json!({}));
    vault.key(name)
}

#[test]
fn an_approle_logs_in() {
    let vault = vault::shared();
    let key = prepare(vault, "approle");
    vault.ask("POST", "sys/auth/approle", &json!({"type": "approle"}));
    let role = json!({"token_policies": ["approle"]});
    vault.ask("POST", "auth/approle/role/app", &role);
    let text = |answer: serde_json::Value, name: &str| {
        answer["data"][name].as_str().expect("an id").to_owned()
    };
    let role = vault.ask("GET", "auth/approle/role/app/role-id", &json!(null));
    let role = text(role, "role_id");
    // One login is all that this secret allows.
    let once = json!({"num_uses": 1});
    let secret = vault.ask("POST", "auth/approle/role/app/secret-id", &once);
    let secret = text(secret, "secret_id");
    let desk = |secret: &str| {
        let desk = Desk::with(
            vault,
            &[
                ("VAULT_AUTH_METHOD", "approle"),
                ("VAULT_ROLE_ID", &role),
                ("VAULT_SECRET_ID_FILE", "secret.txt"),
            ],
        );
        desk.write("secret.txt", secret);
        desk
    };
    let output = desk(&secret).encrypt(&key);
    assert!(output.status.success(), "{}", output.stderr);
    for used in [secret.as_str(), "5d2c9a52-43b8-4c5e-9a7e-000000000000"] {
        let wrong = desk(used);
        let output = wrong.encrypt(&key);
        assert_eq!(output.code(), 1);
        assert!(
            output.stderr.contains("auth/approle/login: 400")
                && output.stderr.contains("invalid role or secret ID")
                && !output.stderr.contains(used),
            "{}",
            output.stderr
        );
        assert_eq!(wrong.read("a.yaml"), TEXT);
    }
}

#[test]
fn a_pod_logs_in_with_its_own_token() {
    let (vault, cluster) = (vault::shared(), cluster::shared());
    let key = prepare(vault, "pod");
    let namespace = cluster.namespace();
    let reviewer = User::ServiceAccount {
        namespace: namespace.clone(),
        name: "reviewer".to_owned(),
    };
    for name in ["reviewer", "app", "other"] {
        cluster.service_account(&namespace, name);
    }
    let review = json!([{
        "apiGroups": ["authentication.k8s.io"], "resources": ["tokenreviews"], "verbs": ["create"],
    }]);
    cluster.grant(&reviewer, None, &format!("{namespace}-reviewer"), &review);
    vault.ask(
        "POST",
        "sys/auth/kubernetes",
        &json!({"type": "kubernetes"}),
    );
    let config = json!({
        "kubernetes_host": cluster.server(),
        "kubernetes_ca_cert": cluster.ca_certificate(),
        "token_reviewer_jwt": cluster.service_account_token(&namespace, "reviewer"),
        "disable_local_ca_jwt": true,
    });
    vault.ask("POST", "auth/kubernetes/config", &config);
    let role = json!({
        "bound_service_account_names": ["app"],
        "bound_service_account_namespaces": [namespace],
        "token_policies": ["pod"],
    });
    vault.ask("POST", "auth/kubernetes/role/app", &role);
    vault.ask("POST", "sys/auth/jwt", &json!({"type": "jwt"}));
    let keys = fs::read_to_string(cluster.folder().join("sa.pub")).expect("the cluster's key");
    let config = json!({"jwt_validation_pubkeys": [keys]});
    vault.ask("POST", "auth/jwt/config", &config);
    let role = json!({
        "role_type": "jwt", "user_claim": "sub", "token_policies": ["pod"],
        "bound_audiences": ["https://kubernetes.default.svc"],
        "bound_subject": format!("system:serviceaccount:{namespace}:app"),
    });
    vault.ask("POST", "auth/jwt/role/app", &role);
    for (method, refusal) in [
        ("kubernetes", "service account name not authorized"),
        ("jwt", "invalid subject"),
    ] {
        let desk = |account: &str| {
            let desk = Desk::with(
                vault,
                &[
                    ("VAULT_AUTH_METHOD", method),
                    ("VAULT_AUTH_ROLE", "app"),
                    ("VAULT_JWT_FILE", "token"),
                ],
            );
            let token = cluster.service_account_token(&namespace, account);
            desk.write("token", &token);
            desk
        };
        let app = desk("app");
        let output = app.encrypt(&key);
        assert!(output.status.success(), "{method} {}", output.stderr);
        assert_eq!(app.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
        let other = desk("other");
        let output = other.encrypt(&key);
        assert_eq!(output.code(), 1);
        assert!(
            output.stderr.contains(&format!("auth/{method}/login"))
                && output.stderr.contains(refusal)
                && !output.stderr.contains(&other.read("token")),
            "{}",
            output.stderr
        );
        assert_eq!(other.read("a.yaml"), TEXT);
    }
}

#[test]
fn the_file_of_vault_login_counts_if_nothing_else_does() {
    let vault = vault::shared();
    let key = vault.key("login");
    let desk = Desk::with(vault, &[]);
    let encrypt = || desk.ours(&["encrypt", "--hc-vault-transit", &key, "a.yaml"]);
    let output = encrypt().output();
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("there is no token"),
        "{}",
        output.stderr
    );
    desk.write(".vault-token", &format!("{ROOT}\n"));
    let output = encrypt().env("HOME", desk.folder()).output();
    assert!(output.status.success(), "{}", output.stderr);
    for (name, value, reason) in [
        (
            "VAULT_AUTH_METHOD",
            "oidc",
            "known are token, kubernetes, jwt and approle",
        ),
        (
            "VAULT_AUTH_METHOD",
            "jwt",
            "VAULT_AUTH_METHOD=jwt needs VAULT_AUTH_ROLE",
        ),
        (
            "VAULT_TOKEN",
            "two\nlines",
            "characters that no header takes",
        ),
    ] {
        let output = encrypt().env(name, value).output();
        assert_eq!(output.code(), 1);
        assert!(output.stderr.contains(reason), "{}", output.stderr);
    }
}

#[test]
fn a_login_that_may_have_been_done_is_not_done_again() {
    let stub = Stub::start(|_, _| answer("502 Bad Gateway", ""));
    let desk = Desk::bare(&[
        ("VAULT_ADDR", &stub.address),
        ("VAULT_AUTH_METHOD", "approle"),
        ("VAULT_ROLE_ID", "r"),
        ("VAULT_SECRET_ID", "s"),
    ]);
    let output = desk.encrypt(&stub.key());
    assert_eq!(output.code(), 1);
    assert!(output.stderr.contains("502"), "{}", output.stderr);
    assert_eq!(stub.seen().len(), 1);
}
