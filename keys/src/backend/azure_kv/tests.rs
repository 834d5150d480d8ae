use super::*;

#[test]
fn keys_are_written_as_sops_writes_them() {
    for (text, parts) in [
        (
            "https://v.vault.azure.net/keys/k/0a1b",
            ["https://v.vault.azure.net", "k", "0a1b"],
        ),
        (
            " https://v.vault.azure.net/keys/k-1 ",
            ["https://v.vault.azure.net", "k-1", ""],
        ),
        (
            "https://v.vault.azure.net/keys/k/",
            ["https://v.vault.azure.net", "k", ""],
        ),
        (
            "https://127.0.0.1:8443/keys/k/1",
            ["https://127.0.0.1:8443", "k", "1"],
        ),
    ] {
        let key = AzureKey::parse(text).expect(text);
        let version = key.version.get().map_or("", String::as_str);
        assert_eq!([key.vault.as_str(), &key.name, version], parts);
        assert_eq!(
            key.to_string(),
            format!("{}/keys/{}/{version}", key.vault, key.name)
        );
        let again = (BACKEND.load)(&key.fields()).expect("its own fields");
        assert_eq!(again.to_string(), key.to_string());
    }
    for text in [
        "v.vault.azure.net/keys/k/1",
        "http://v.vault.azure.net/keys/k/1",
        "https://v.vault.azure.net/secrets/k/1",
        "https://v.vault.azure.net/keys/",
        "https://v.vault.azure.net/keys/k/1/decrypt",
        "https://v.vault.azure.net/keys/../1",
        "https://v.vault.azure.net/keys/k/1?x",
        "https://me@v.vault.azure.net/keys/k/1",
        "https://v.vault.azure.net\\@evil.example/keys/k/1",
        "https://v.vault.azure.net#/keys/k/1",
    ] {
        assert!(AzureKey::parse(text).is_err(), "{text}");
    }
}

#[test]
fn a_document_does_not_choose_where_a_token_goes() {
    let allowed = |variables: &[(&str, &str)], typed: &[&str], url: &str| {
        let env: Env = variables.iter().copied().collect();
        let env = env.with_typed_keys(typed.iter().map(|&key| key.to_owned()));
        let url = Url::parse(url).expect("a URL");
        Allowed::of(&env).is_ok_and(|allowed| allowed.check(&url).is_ok())
    };
    let list = "SOPS_AZURE_KEYVAULT_ALLOWLIST";
    let own = "https://kv.example:8443";
    let key = "https://kv.example:8443/keys/k/1";
    for (variables, typed, url) in [
        (&[][..], &[][..], "https://a.vault.azure.net"),
        (&[], &[], "https://a.vault.usgovcloudapi.net"),
        (&[], &[], "https://a.managedhsm.azure.net"),
        (&[], &[key], own),
        (&[(list, own)], &[], own),
        (
            &[(list, "https://b.vault.azure.net, https://KV.example:8443/")],
            &[],
            own,
        ),
    ] {
        assert!(
            allowed(variables, typed, url),
            "{variables:?} {typed:?} {url}"
        );
    }
    for (variables, typed, url) in [
        (&[][..], &[][..], own),
        (&[], &[], "https://vault.azure.net"),
        (&[], &[], "https://a.vault.azure.net.evil.example"),
        (&[], &[], "https://avault.azure.net"),
        (&[], &[], "https://a.vault.azure.net:8443"),
        (&[], &[], "http://a.vault.azure.net"),
        (&[], &["https://kv.example/keys/k/1"], own),
        // A list counts alone, and whole.
        (&[(list, "none")], &[key], own),
        (&[(list, own)], &[], "https://a.vault.azure.net"),
        (&[(list, "https://kv.example:8443,")], &[], own),
        (&[(list, "https://kv.example:8443/keys")], &[], own),
    ] {
        assert!(
            !allowed(variables, typed, url),
            "{variables:?} {typed:?} {url}"
        );
    }
}

#[test]
fn a_challenge_is_for_the_vault_and_from_the_known_login() {
    let read = |header: &str, variables: &[(&str, &str)]| {
        let env: Env = variables.iter().copied().collect();
        let vault = Url::parse("https://a.vault.azure.net").expect("a URL");
        challenge::Challenge::read(header, &vault, &env)
    };
    let login = "https://login.microsoftonline.com/72f988bf";
    for header in [
        format!(r#"Bearer authorization="{login}", resource="https://vault.azure.net""#),
        format!(r#"Bearer authorization="{login}",resource="https://vault.azure.net""#),
        r#"Bearer authorization="https://login.windows.net/72f988bf" scope="https://vault.azure.net/.default""#.to_owned(),
    ] {
        let read = read(&header, &[]).expect(&header);
        assert_eq!(read.resource, "https://vault.azure.net");
        assert_eq!(read.tenant, "72f988bf");
    }
    for (header, reason) in [
        (format!(r#"Bearer authorization="{login}", resource="https://graph.microsoft.com""#), "does not belong"),
        (format!(r#"Bearer authorization="{login}", resource="https://azure.net.evil""#), "does not belong"),
        (format!(r#"Bearer authorization="{login}""#), "what for"),
        (r#"Bearer authorization="https://login.evil.example/t", resource="https://vault.azure.net""#.to_owned(), "AZURE_AUTHORITY_HOST=https://login.evil.example"),
        (r#"Bearer authorization="https://login.microsoftonline.com/a%2f..", resource="https://vault.azure.net""#.to_owned(), "is no tenant"),
        (r#"Bearer resource="https://vault.azure.net""#.to_owned(), "from where"),
        ("Basic realm=x".to_owned(), "borne"),
    ] {
        let refused = read(&header, &[]).expect_err(&header);
        assert!(refused.0.contains(reason), "{refused}");
    }
    let header = format!(r#"Bearer authorization="{login}", resource="https://vault.azure.net""#);
    let other = [("AZURE_AUTHORITY_HOST", "login.chinacloudapi.cn")];
    assert!(read(&header, &other).is_err());
}
