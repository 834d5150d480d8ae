//! Who asks: every kind of credentials gives a token that the server takes, and what is wrong with them is said.

use std::sync::{Arc, Mutex};

use aws_lc_rs::signature::{RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use rcgen::{KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use serde_json::{Value, json};
use testkit::gcp::{Gcp, TOKEN};
use testkit::stub::{Reply, Request, Stub};

use super::desk::{Desk, TEXT};

const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
const EMAIL: &str = "ci@p.iam.gserviceaccount.com";

/// A service account with a key: its file, and the public half of the key.
fn service_account(google: &str) -> (Value, Vec<u8>) {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let file = json!({
        "type": "service_account", "client_email": EMAIL, "private_key_id": "key-1",
        "private_key": pair.serialize_pem(), "token_uri": format!("{google}/token"),
        "project_id": "p", "client_id": "1",
    });
    (file, pair.der_bytes().to_vec())
}

/// What a token of the account says, if it is signed with its key, for an hour at most.
fn claims(public: &[u8], token: &str) -> Option<Value> {
    let (signed, signature) = token.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let key = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, public);
    key.verify(signed.as_bytes(), &part(signature)?).ok()?;
    let header: Value = serde_json::from_slice(&part(header)?).ok()?;
    let claims: Value = serde_json::from_slice(&part(claims)?).ok()?;
    let (since, until) = (claims["iat"].as_i64()?, claims["exp"].as_i64()?);
    let now = jiff::Timestamp::now().as_second();
    let right = header["alg"] == "RS256"
        && header["kid"] == "key-1"
        && claims["iss"] == EMAIL
        && claims["scope"].as_str()?.contains(SCOPE)
        && since <= now
        && now < until
        && until - since <= 3620;
    right.then_some(claims)
}

/// A token that the account made for itself: ours need no server for it.
fn signs_for_itself(public: &[u8], token: &str) -> bool {
    claims(public, token).is_some_and(|claims| claims["sub"] == EMAIL && claims["aud"].is_null())
}

/// The token that an assertion of the account gives, for it is that which the original asks for.
fn granted(public: &[u8], asked: &Request, token: &str) -> Option<Reply> {
    let grant = "urn:ietf:params:oauth:grant-type:jwt-bearer";
    let right = asked.path == "/token"
        && asked.form("grant_type") == grant
        && claims(public, &asked.form("assertion")).is_some();
    let answer = json!({"access_token": token, "expires_in": 3599, "token_type": "Bearer"});
    right.then(|| Reply::json(200, &answer))
}

/// Closes with ours and opens with both, or with ours alone.
fn crosses(cloud: &Gcp, desk: &Desk, name: &str, theirs: bool) {
    let output = desk.encrypt(&cloud.key(name));
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
    if theirs {
        assert_eq!(desk.theirs(&["decrypt", "a.yaml"]).ok(), TEXT);
    }
}

#[test]
fn a_service_account_signs_its_token_itself() {
    let public = Arc::new(Mutex::new(Vec::new()));
    let known = public.clone();
    let google = Stub::start(move |asked| {
        let public = known.lock().expect("no panic");
        granted(&public, asked, TOKEN).unwrap_or(Reply::json(400, &json!({})))
    });
    let (file, half) = service_account(&google.address);
    half.clone_into(&mut public.lock().expect("no panic"));
    let cloud = Gcp::start_for(move |token| token == TOKEN || signs_for_itself(&half, token));
    let inline = file.to_string();
    for variables in [
        &[("GOOGLE_CREDENTIALS", "key.json")][..],
        &[("GOOGLE_CREDENTIALS", &inline)],
        &[("GOOGLE_APPLICATION_CREDENTIALS", "key.json")],
        // As with the original, the first one counts.
        &[
            ("GOOGLE_CREDENTIALS", "key.json"),
            ("GOOGLE_OAUTH_ACCESS_TOKEN", "ya29.wrong"),
            ("GOOGLE_APPLICATION_CREDENTIALS", "missing.json"),
        ],
    ] {
        let desk = Desk::with(&cloud, variables);
        desk.write("key.json", &inline);
        crosses(&cloud, &desk, "account", true);
    }
    assert_eq!(google.seen().len(), 4);
    // What another key has signed does not count.
    let desk = Desk::with(&cloud, &[("GOOGLE_CREDENTIALS", "key.json")]);
    desk.write(
        "key.json",
        &service_account("https://oauth2.example").0.to_string(),
    );
    let output = desk.encrypt(&cloud.key("account"));
    assert_eq!(output.code(), 1);
    assert!(
        output.stderr.contains("401 Unauthorized"),
        "{}",
        output.stderr
    );
    assert_eq!(desk.read("a.yaml"), TEXT);
}

#[test]
fn a_person_who_has_logged_in_has_a_token() {
    let google = Stub::start(|asked: &Request| {
        let right = asked.path == "/token"
            && asked.header("content-type") == "application/x-www-form-urlencoded"
            && asked.form("grant_type") == "refresh_token"
            && asked.form("client_id") == "id"
            && asked.form("client_secret") == "s3cr&t+/="
            && asked.form("refresh_token") == "1//refresh-of-tests";
        let refused = json!({
            "error": "invalid_grant", "error_description": "Token has been expired or revoked.",
        });
        match right {
            true => Reply::json(200, &json!({"access_token": TOKEN, "expires_in": 3599})),
            false => Reply::json(400, &refused),
        }
    });
    let cloud = Gcp::start();
    let file = |refresh: &str| {
        json!({
            "type": "authorized_user", "client_id": "id", "client_secret": "s3cr&t+/=",
            "refresh_token": refresh, "quota_project_id": "billing",
            "token_uri": format!("{}/token", google.address),
        })
        .to_string()
    };
    let mut desk = Desk::with(&cloud, &[]);
    let name = ".config/gcloud/application_default_credentials.json";
    desk.write(name, &file("1//refresh-of-tests"));
    let home = desk.folder().to_string_lossy().into_owned();
    desk.variables.push(("HOME", home));
    crosses(&cloud, &desk, "person", false);
    assert_eq!(google.seen().len(), 2);
    let seen = cloud.stub.seen();
    assert!(
        seen.iter()
            .all(|asked| asked.header("x-goog-user-project") == "billing")
    );
    // Many files are one login.
    for copy in 0..20 {
        desk.write(&format!("tree/{copy}.yaml"), &desk.read("a.yaml"));
    }
    desk.kubeseal(&["decrypt", "--dry-run", "tree"]).ok();
    assert_eq!(google.seen().len(), 3);
    desk.write("a.yaml", TEXT);
    desk.write(name, &file("1//refresh-is-over"));
    let output = desk.encrypt(&cloud.key("person"));
    assert_eq!(output.code(), 1);
    let reason = "400 Bad Request: invalid_grant Token has been expired or revoked. (log in again: gcloud auth application-default login)";
    assert!(output.stderr.contains(reason), "{}", output.stderr);
    assert!(!output.stderr.contains("refresh-is-over"));
    assert_eq!(desk.read("a.yaml"), TEXT);
}

const AUDIENCE: &str =
    "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/ci";

/// What Google answers to tokens of others, and to those who act as accounts.
fn exchange(asked: &Request) -> Reply {
    let refused =
        json!({"error": "invalid_grant", "error_description": "the subject is not known"});
    let token = |token: &str| {
        json!({"access_token": token, "expires_in": 3600, "token_type": "Bearer",
        "issued_token_type": "urn:ietf:params:oauth:token-type:access_token"})
    };
    let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_secs(3600);
    match asked.path.as_str() {
        "/sts" => {
            let right = asked.form("grant_type")
                == "urn:ietf:params:oauth:grant-type:token-exchange"
                && asked.form("audience") == AUDIENCE
                && asked.form("scope").contains(SCOPE)
                && asked.form("subject_token_type") == "urn:ietf:params:oauth:token-type:jwt";
            match (right, asked.form("subject_token").as_str()) {
                (true, "job-of-ci") => Reply::json(200, &token(TOKEN)),
                (true, "job-that-acts") => Reply::json(200, &token("ya29.federated")),
                _ => Reply::json(400, &refused),
            }
        }
        "/v1/projects/-/serviceAccounts/ci:generateAccessToken" => {
            let body = asked.json();
            let right = asked.header("authorization") == "Bearer ya29.federated"
                && body["scope"].to_string().contains(SCOPE)
                && body["lifetime"] == "3600s";
            let denied = json!({"error": {"message": "Permission 'iam.serviceAccounts.getAccessToken' denied"}});
            let given = json!({"accessToken": TOKEN, "expireTime": soon.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()});
            match right {
                true => Reply::json(200, &given),
                false => Reply::json(403, &denied),
            }
        }
        "/subject" if asked.header("x-job") == "1" => {
            Reply::json(200, &json!({"value": "job-of-ci"}))
        }
        _ => Reply::json(404, &json!({})),
    }
}

#[test]
fn a_job_of_somebody_else_has_a_token_in_exchange() {
    let cloud = Gcp::start();
    let google = Stub::start(exchange);
    let account = format!(
        "{}/v1/projects/-/serviceAccounts/ci:generateAccessToken",
        google.address
    );
    let file = |source: Value, account: Option<&str>| {
        json!({
            "type": "external_account", "audience": AUDIENCE,
            "subject_token_type": "urn:ietf:params:oauth:token-type:jwt",
            "token_url": format!("{}/sts", google.address),
            "credential_source": source, "service_account_impersonation_url": account,
        })
        .to_string()
    };
    let desk = Desk::with(&cloud, &[("GOOGLE_APPLICATION_CREDENTIALS", "wif.json")]);
    desk.write("job", "job-of-ci");
    desk.write("acting", "job-that-acts");
    desk.write("stranger", "job-of-a-stranger");
    desk.write("job.json", "{\"id_token\": \"job-of-ci\"}");
    let named = json!({"type": "json", "subject_token_field_name": "id_token"});
    let value = json!({"type": "json", "subject_token_field_name": "value"});
    let url = format!("{}/subject", google.address);
    for (source, account) in [
        (json!({"file": "job"}), None),
        (json!({"file": "job.json", "format": named}), None),
        (
            json!({"url": url, "headers": {"X-Job": "1"}, "format": value}),
            None,
        ),
        (json!({"file": "acting"}), Some(account.as_str())),
    ] {
        desk.write("wif.json", &file(source, account));
        desk.write("a.yaml", TEXT);
        crosses(&cloud, &desk, "job", true);
    }
    desk.write("a.yaml", TEXT);
    for (source, account, reason) in [
        (
            json!({"file": "stranger"}),
            None,
            "/sts: 400 Bad Request: invalid_grant the subject is not known",
        ),
        (
            json!({"file": "job"}),
            Some(account.as_str()),
            "403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied",
        ),
        (json!({"file": "gone"}), None, "cannot read gone"),
        (json!({"url": url}), None, "404"),
        (
            json!({"file": "job", "format": named}),
            None,
            "there is no token where credential_source says",
        ),
        (
            json!({"executable": {"command": "/bin/touch ran"}}),
            None,
            "a program as the source of a token is not supported",
        ),
        (
            json!({"environment_id": "aws1"}),
            None,
            "\"aws1\" as the source of a token is not supported",
        ),
        (
            json!({"url": "http://elsewhere.example/"}),
            None,
            "no address that secrets may be sent to",
        ),
    ] {
        desk.write("wif.json", &file(source, account));
        let output = desk.encrypt(&cloud.key("job"));
        assert_eq!(output.code(), 1);
        let place = "GOOGLE_APPLICATION_CREDENTIALS (wif.json): ";
        assert!(
            output.stderr.contains(reason) && output.stderr.contains(place),
            "{reason}: {}",
            output.stderr
        );
        assert!(!output.stderr.contains("job-of-a-stranger") && !desk.path("ran").exists());
        assert_eq!(desk.read("a.yaml"), TEXT);
    }
}

#[test]
fn somebody_acts_as_a_service_account() {
    let public = Arc::new(Mutex::new(Vec::new()));
    let known = public.clone();
    let google = Stub::start(move |asked: &Request| {
        let public = known.lock().expect("no panic");
        if let Some(reply) = granted(&public, asked, "ya29.federated") {
            return reply;
        }
        let token = asked.header("authorization").strip_prefix("Bearer ");
        let mut asked = asked.clone();
        if token.is_some_and(|token| signs_for_itself(&public, token)) {
            asked.headers = vec![(
                "authorization".to_owned(),
                "Bearer ya29.federated".to_owned(),
            )];
        }
        exchange(&asked)
    });
    let (source, half) = service_account(&google.address);
    *public.lock().expect("no panic") = half;
    let cloud = Gcp::start();
    let url = format!(
        "{}/v1/projects/-/serviceAccounts/ci:generateAccessToken",
        google.address
    );
    let file = |source: &Value| {
        json!({
            "type": "impersonated_service_account", "source_credentials": source,
            "service_account_impersonation_url": url, "delegates": [],
        })
    };
    let desk = Desk::with(&cloud, &[("GOOGLE_CREDENTIALS", "acting.json")]);
    desk.write("acting.json", &file(&source).to_string());
    crosses(&cloud, &desk, "acting", true);
    desk.write("a.yaml", TEXT);
    for (source, reason) in [
        (
            service_account("https://oauth2.example").0,
            "403 Forbidden: Permission 'iam.serviceAccounts.getAccessToken' denied",
        ),
        (
            file(&source),
            "one who acts as another one acts as a third one",
        ),
        (Value::Null, "source_credentials is missing"),
    ] {
        desk.write("acting.json", &file(&source).to_string());
        let output = desk.encrypt(&cloud.key("acting"));
        assert_eq!(output.code(), 1);
        assert!(output.stderr.contains(reason), "{}", output.stderr);
        assert_eq!(desk.read("a.yaml"), TEXT);
    }
}

#[test]
fn a_pod_asks_the_server_beside_it() {
    let machine = Stub::start(|asked: &Request| {
        let flavor = vec![("metadata-flavor", "Google".to_owned())];
        let token = json!({"access_token": TOKEN, "expires_in": 3599, "token_type": "Bearer"});
        match (asked.path.as_str(), asked.header("metadata-flavor")) {
            (path, "Google") if path.ends_with("/service-accounts/default/token") => {
                Reply::Answer(200, flavor, token.to_string())
            }
            ("/computeMetadata/v1/universe/universe-domain", "Google") => {
                Reply::Answer(200, flavor, "googleapis.com".to_owned())
            }
            _ => Reply::Answer(404, flavor, String::new()),
        }
    });
    let cloud = Gcp::start();
    let host = machine.address.trim_start_matches("http://");
    let desk = Desk::with(&cloud, &[("GCE_METADATA_HOST", host)]);
    crosses(&cloud, &desk, "pod", true);
    // A captive portal answers everything: that is no server of Google's.
    let portal = Stub::start(|_| Reply::json(200, &json!({"access_token": TOKEN})));
    let host = portal.address.trim_start_matches("http://");
    for (host, reason) in [
        (host, "no token of the machine's service account: 200 OK"),
        (
            "127.0.0.1:1",
            "log in with `gcloud auth application-default login`",
        ),
    ] {
        let desk = Desk::with(&cloud, &[("GCE_METADATA_HOST", host)]);
        let output = desk.encrypt(&cloud.key("pod"));
        assert_eq!(output.code(), 1);
        assert!(output.stderr.contains(reason), "{}", output.stderr);
        assert!(!output.stderr.contains(TOKEN), "{}", output.stderr);
    }
}

#[test]
fn what_is_wrong_with_credentials_is_said_without_them() {
    let cloud = Gcp::start();
    let (mut account, _) = service_account("https://oauth2.example");
    account["universe_domain"] = json!("s3nsapis.fr");
    let other = account.to_string();
    for (text, reason) in [
        (
            "secret-that-is-no-json",
            "GOOGLE_CREDENTIALS: it is no JSON of credentials",
        ),
        (
            "{\"type\": \"service_account\", \"private_key\": 7777777}",
            "it is no JSON of credentials",
        ),
        (
            "{\"type\": \"service_account\", \"client_email\": \"e\", \"private_key\": \"secret-pem\"}",
            "private_key is no RSA key",
        ),
        (
            "{\"type\": \"gdch_service_account\"}",
            "\"gdch_service_account\" are not supported",
        ),
        ("{}", "it names no type of credentials"),
        (
            &other,
            "these credentials are of s3nsapis.fr, and the server is of googleapis.com",
        ),
    ] {
        let desk = Desk::with(&cloud, &[("GOOGLE_CREDENTIALS", text)]);
        let output = desk.encrypt(&cloud.key("wrong"));
        assert_eq!(output.code(), 1);
        assert!(
            output.stderr.contains(reason),
            "{reason}: {}",
            output.stderr
        );
        for secret in ["secret-", "7777777", "PRIVATE"] {
            assert!(!output.stderr.contains(secret), "{}", output.stderr);
        }
    }
    assert_eq!(cloud.stub.seen().len(), 0);
}
