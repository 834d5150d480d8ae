use futures::executor::block_on;

use super::*;
use crate::secret::DataKey;

#[test]
fn keys_are_written_as_sops_writes_them() {
    for (text, parts) in [
        (
            "https://v:8200/v1/transit/keys/k",
            ["https://v:8200", "transit", "k"],
        ),
        ("http://v/v1/a/b/keys/k/", ["http://v", "a/b", "k"]),
        ("HTTPS://V/v1/transit/keys/k", ["https://V", "transit", "k"]),
        (
            "https://v/v1/transit/anything/k",
            ["https://v", "transit", "k"],
        ),
    ] {
        let key = VaultKey::parse(text).expect(text);
        assert_eq!(
            [&key.address, &key.engine, &key.name].map(String::as_str),
            parts
        );
        let again = VaultKey::load(&key.fields()).expect("its own fields");
        assert_eq!(again, key);
    }
    for text in [
        "vault:8200/v1/transit/keys/k",
        "//v/v1/transit/keys/k",
        "https://v",
        "https://v/v1/keys/k",
        "https://v/prefix/v1/transit/keys/k",
        "https://v/v1/transit/keys/..%2f",
        "https://me:pw@v/v1/transit/keys/k",
        "ftp://v/v1/transit/keys/k",
        "https:/v/v1/transit/keys/k",
        "https://v\\@w/v1/transit/keys/k",
        "https://v\n.w/v1/transit/keys/k",
    ] {
        assert!(VaultKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_document_does_not_choose_where_a_token_goes() {
    let key = VaultKey::parse("https://attacker.example/v1/transit/keys/k").expect("a key");
    let share = KeyShare::from(&DataKey::generate());
    for variables in [
        vec![],
        vec![("VAULT_ADDR", "https://vault.example")],
        vec![(
            "SOPS_HC_VAULT_ALLOWLIST",
            "https://vault.example,https://attacker.example:444",
        )],
        vec![
            ("SOPS_HC_VAULT_ALLOWLIST", "none"),
            ("VAULT_ADDR", "https://attacker.example"),
        ],
        vec![("VAULT_ADDR", "http://attacker.example")],
        vec![("VAULT_ADDR", "https://attacker.example.org")],
    ] {
        let env: Env = variables
            .iter()
            .copied()
            .chain([("VAULT_TOKEN", "s.secret")])
            .collect();
        let refused = block_on(key.wrap_key(&share, &env)).expect_err("not allowed");
        assert!(
            refused
                .0
                .contains("no token is sent to https://attacker.example:"),
            "{refused}"
        );
        assert!(!refused.0.contains("s.secret"));
    }
}

#[test]
fn what_is_allowed_is_what_a_person_or_an_administrator_named() {
    let allowed = |variables: &[(&str, &str)], typed: &[&str]| {
        let env: Env = variables.iter().copied().collect();
        let env = env.with_typed_keys(typed.iter().map(|&key| key.to_owned()));
        let url = Url::parse("https://v.example:8200").expect("a URL");
        Allowed::of(&env).is_ok_and(|allowed| allowed.check(&url).is_ok())
    };
    let list = "SOPS_HC_VAULT_ALLOWLIST";
    let key = "https://v.example:8200/v1/transit/keys/k";
    for (variables, typed) in [
        (&[("VAULT_ADDR", "https://v.example:8200")][..], &[][..]),
        (&[("BAO_ADDR", "https://v.example:8200/")], &[]),
        (
            &[
                ("VAULT_ADDR", "https://w"),
                ("BAO_ADDR", "https://v.example:8200"),
            ],
            &[],
        ),
        (&[(list, "all")], &[]),
        (&[(list, "https://w, https://V.example:8200/")], &[]),
        (&[], &[key]),
        (&[("VAULT_ADDR", "https://w"), (list, "")], &["age1", key]),
    ] {
        assert!(allowed(variables, typed), "{variables:?} {typed:?}");
    }
    for (variables, typed) in [
        (&[][..], &[][..]),
        (&[("VAULT_ADDR", "v.example:8200")], &[]),
        (&[], &["https://v.example/v1/transit/keys/k", "age1"]),
        // A list counts alone, and whole.
        (
            &[(list, "none"), ("VAULT_ADDR", "https://v.example:8200")],
            &[key],
        ),
        (&[(list, "https://w")], &[key]),
        (&[(list, "https://v.example:8200,")], &[]),
        (&[(list, "https://v.example:8200/v1")], &[]),
        (&[(list, "all,https://w")], &[]),
    ] {
        assert!(!allowed(variables, typed), "{variables:?} {typed:?}");
    }
}
