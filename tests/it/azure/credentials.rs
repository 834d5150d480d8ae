//! Who asks: an application, a pod, a machine or a person, as Azure's own libraries do it.

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::signature::{RSA_PSS_2048_8192_SHA256, UnparsedPublicKey};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use rcgen::{CertificateParams, KeyPair, PKCS_RSA_SHA256, PublicKeyData, RsaKeySize};
use serde_json::{Value, json};
use testkit::azure::{Azure, FIRST, TENANT, TOKEN};
use testkit::stub::{Reply, Request, Stub};

use super::desk::{Desk, TEXT};

const CLIENT: &str = "99999999-8888-7777-6666-555555555555";

/// A login server: what it takes for a proof, `proves` says.
fn login(proves: impl Fn(&Request) -> bool + Send + Sync + 'static) -> Stub {
    Stub::start(move |asked: &Request| {
        let right = asked.path == format!("/{TENANT}/oauth2/v2.0/token")
            && asked.form("grant_type") == "client_credentials"
            && asked.form("client_id") == CLIENT
            && asked.form("scope").starts_with("https://0.0.1:")
            && asked.form("scope").ends_with("/.default")
            && proves(asked);
        let refused = json!({
            "error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided.",
        });
        let given = json!({"token_type": "Bearer", "expires_in": 3599, "access_token": TOKEN});
        match right {
            true => Reply::json(200, &given),
            false => Reply::json(401, &refused),
        }
    })
}

fn desk(vault: &Azure, login: &Stub, variables: &[(&'static str, &str)]) -> Desk {
    vault.log_in_at(&login.address);
    let own = [
        ("AZURE_AUTHORITY_HOST", login.address.as_str()),
        ("AZURE_TENANT_ID", TENANT),
        ("AZURE_CLIENT_ID", CLIENT),
    ];
    Desk::with(vault, &[&own, variables].concat())
}

/// Closes and opens.
fn crosses(vault: &Azure, desk: &Desk) {
    let output = desk.encrypt(&format!("{}/{FIRST}", vault.key("who")));
    assert!(output.status.success(), "{}", output.stderr);
    assert_eq!(desk.ours(&["decrypt", "a.yaml"]).ok(), TEXT);
}

/// Is refused, for a reason and without saying what is secret.
fn is_refused(vault: &Azure, desk: &Desk, reason: &str) {
    desk.write("a.yaml", TEXT);
    let output = desk.encrypt(&format!("{}/{FIRST}", vault.key("who")));
    assert_eq!(output.code(), 1, "{}", output.stderr);
    assert!(
        output.stderr.contains(reason),
        "{reason}: {}",
        output.stderr
    );
    for secret in ["s3cr~t", "PRIVATE", "job-of-a-stranger"] {
        assert!(!output.stderr.contains(secret), "{}", output.stderr);
    }
    assert_eq!(desk.read("a.yaml"), TEXT);
}

#[test]
fn an_application_shows_its_secret() {
    let vault = Azure::start();
    let login = login(|asked| asked.form("client_secret") == "s3cr~t+/=&of.app");
    crosses(
        &vault,
        &desk(
            &vault,
            &login,
            &[("AZURE_CLIENT_SECRET", "s3cr~t+/=&of.app")],
        ),
    );
    assert_eq!(login.seen().len(), 2);
    let wrong = desk(
        &vault,
        &login,
        &[("AZURE_CLIENT_SECRET", "s3cr~t-of-yesterday")],
    );
    let reason = "EnvironmentCredential: ";
    is_refused(&vault, &wrong, reason);
    is_refused(
        &vault,
        &wrong,
        "401 Unauthorized: invalid_client AADSTS7000215: Invalid client secret provided.",
    );
}

#[test]
fn an_application_signs_with_its_certificate() {
    let pair = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let params = CertificateParams::new(vec!["app".to_owned()]).expect("a name");
    let certificate = params.self_signed(&pair).expect("signed");
    let thumbprint = BASE64_URL_SAFE_NO_PAD.encode(digest(&SHA256, certificate.der()));
    let public = pair.der_bytes().to_vec();
    let vault = Azure::start();
    let login = login(move |asked| {
        let kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
        asked.form("client_assertion_type") == kind
            && says_who(&public, &thumbprint, &asked.form("client_assertion")).unwrap_or(false)
    });
    let desk = desk(
        &vault,
        &login,
        &[("AZURE_CLIENT_CERTIFICATE_PATH", "app.pem")],
    );
    let other = KeyPair::generate_rsa_for(&PKCS_RSA_SHA256, RsaKeySize::_2048).expect("a key");
    let (key, certificate) = (pair.serialize_pem(), certificate.pem());
    for text in [format!("{key}{certificate}"), format!("{certificate}{key}")] {
        desk.write("a.yaml", TEXT);
        desk.write("app.pem", &text);
        crosses(&vault, &desk);
    }
    for (text, reason) in [
        (certificate.clone(), "(app.pem): it holds no RSA key in PEM"),
        (
            format!("{certificate}{}", other.serialize_pem()),
            "(app.pem): it holds no certificate of its key",
        ),
        ("\u{0}".to_owned(), "(app.pem): "),
    ] {
        desk.write("app.pem", &text);
        is_refused(&vault, &desk, reason);
    }
}

/// Whether an assertion is signed with the key, and says that it is this application at this server.
fn says_who(public: &[u8], thumbprint: &str, assertion: &str) -> Option<bool> {
    let (signed, signature) = assertion.rsplit_once('.')?;
    let (header, claims) = signed.split_once('.')?;
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).ok();
    let key = UnparsedPublicKey::new(&RSA_PSS_2048_8192_SHA256, public);
    key.verify(signed.as_bytes(), &part(signature)?).ok()?;
    let header: Value = serde_json::from_slice(&part(header)?).ok()?;
    let claims: Value = serde_json::from_slice(&part(claims)?).ok()?;
    let now = jiff::Timestamp::now().as_second();
    Some(
        header["alg"] == "PS256"
            && header["x5t#S256"] == thumbprint
            && claims["iss"] == CLIENT
            && claims["sub"] == CLIENT
            && claims["aud"]
                .as_str()?
                .ends_with(&format!("/{TENANT}/oauth2/v2.0/token"))
            && claims["exp"].as_i64()? > now
            && !claims["jti"].as_str()?.is_empty(),
    )
}

#[test]
fn a_pod_shows_the_token_of_its_account() {
    let vault = Azure::start();
    let login = login(|asked| asked.form("client_assertion") == "token-of-the-pod");
    let desk = desk(&vault, &login, &[("AZURE_FEDERATED_TOKEN_FILE", "token")]);
    desk.write("token", "token-of-the-pod\n");
    crosses(&vault, &desk);
    desk.write("token", "job-of-a-stranger");
    is_refused(&vault, &desk, "WorkloadIdentityCredential: ");
    std::fs::remove_file(desk.path("token")).expect("it is there");
    is_refused(
        &vault,
        &desk,
        "AZURE_FEDERATED_TOKEN_FILE (token) cannot be read",
    );
}

#[test]
fn a_machine_asks_the_server_beside_it() {
    let vault = Azure::start();
    let machine = Stub::start(|asked: &Request| {
        let resource = asked.query.contains("resource=https%3A%2F%2F0.0.1");
        let given =
            json!({"access_token": TOKEN, "expires_on": "4102444800", "token_type": "Bearer"});
        let right = match asked.path.as_str() {
            "/metadata/identity/oauth2/token" => asked.header("metadata") == "true",
            "/msi/token" => asked.header("x-identity-header") == "header-of-tests",
            _ => false,
        };
        match right && resource {
            true => Reply::json(200, &given),
            false => Reply::json(400, &json!({"error": "invalid_request"})),
        }
    });
    let endpoint = format!("{}/msi/token", machine.address);
    for variables in [
        &[(
            "AZURE_POD_IDENTITY_AUTHORITY_HOST",
            machine.address.as_str(),
        )][..],
        &[
            ("IDENTITY_ENDPOINT", &endpoint),
            ("IDENTITY_HEADER", "header-of-tests"),
        ],
    ] {
        crosses(&vault, &Desk::with(&vault, variables));
    }
    let wrong = [
        ("IDENTITY_ENDPOINT", endpoint.as_str()),
        ("IDENTITY_HEADER", "wrong"),
    ];
    is_refused(
        &vault,
        &Desk::with(&vault, &wrong),
        "ManagedIdentityCredential: 400 Bad Request",
    );
}

#[test]
fn a_person_without_credentials_is_told_what_was_tried() {
    let vault = Azure::start();
    let nobody = [
        ("AZURE_POD_IDENTITY_AUTHORITY_HOST", "http://127.0.0.1:1"),
        ("PATH", "/nowhere"),
    ];
    let desk = Desk::with(&vault, &nobody);
    for reason in [
        "there are no credentials: EnvironmentCredential: AZURE_TENANT_ID is not set; ",
        "WorkloadIdentityCredential: AZURE_FEDERATED_TOKEN_FILE is not set; ",
        "AzureCLICredential: there is no az in PATH",
    ] {
        is_refused(&vault, &desk, reason);
    }
    let narrowed = Desk::with(
        &vault,
        &[("AZURE_TOKEN_CREDENTIALS", "AzurePowerShellCredential")],
    );
    is_refused(
        &vault,
        &narrowed,
        "known are dev, prod, EnvironmentCredential",
    );
    let desk = Desk::new(&vault);
    desk.az("echo 'ERROR: Please run az login to setup account.' >&2; exit 1");
    is_refused(
        &vault,
        &desk,
        "Please run az login to setup account. (log in: az login)",
    );
    desk.az("echo '{}'");
    is_refused(&vault, &desk, "what az prints holds no token");
}

#[test]
fn a_vault_does_not_choose_where_the_login_is() {
    let vault = Azure::start();
    let elsewhere = login(|_| true);
    let mut desk = desk(&vault, &elsewhere, &[("AZURE_CLIENT_SECRET", "s3cr~t")]);
    desk.variables.push(("AZURE_AUTHORITY_HOST", String::new()));
    let reason = format!(
        "if that is right, set AZURE_AUTHORITY_HOST={}",
        elsewhere.address
    );
    is_refused(&vault, &desk, &reason);
    assert_eq!(elsewhere.seen().len(), 0);
}
