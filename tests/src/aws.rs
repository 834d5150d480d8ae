//! AWS as moto plays it: KMS, STS and IAM in memory, with signatures and policies checked on request.

use std::{
    fs,
    process::Command,
    sync::{Arc, OnceLock},
};

use serde_json::{Value, json};

use crate::{pki::Identity, ports, process::Process, python, run_folder, wait_until};

/// A running server.
pub struct Aws {
    /// Where it listens: `http://127.0.0.1:…`.
    pub address: String,
    process: Process,
    agent: ureq::Agent,
}

/// Who asks: an id and a secret.
#[derive(Clone, Debug)]
pub struct AccessKey {
    /// `AKIA…`.
    pub id: String,
    /// Only its owner and AWS know it.
    pub secret: String,
}

/// Where the keys of tests are.
pub const REGION: &str = "eu-west-1";
const ACCOUNT: &str = "123456789012";

/// One for all tests that need no server of their own: nobody's signatures and policies are checked there.
pub fn shared() -> &'static Aws {
    static SHARED: OnceLock<Aws> = OnceLock::new();
    SHARED.get_or_init(Aws::start)
}

impl Aws {
    /// Starts a server.
    pub fn start() -> Self {
        Self::start_as("http", &[])
    }

    /// Starts a server that shows a certificate.
    pub fn start_with(identity: &Identity) -> Self {
        let folder = run_folder().join(format!("moto-{}", ports::free()));
        fs::create_dir_all(&folder).expect("the run folder can be written");
        let file = |name: &str, pem: &str| {
            let path = folder.join(name);
            fs::write(&path, pem).expect("written");
            path.display().to_string()
        };
        let certificate = file("cert.pem", &identity.certificate);
        let key = file("key.pem", &identity.key);
        Self::start_as("https", &["--ssl-cert", &certificate, "--ssl-key", &key])
    }

    fn start_as(scheme: &str, flags: &[&str]) -> Self {
        let port = ports::free();
        let mut command: Command = python::moto();
        command
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .args(["-H", "127.0.0.1", "-p", &port.to_string()])
            .args(flags);
        let log = run_folder().join(format!("moto-{port}.log"));
        let aws = Self {
            address: format!("{scheme}://127.0.0.1:{port}"),
            process: Process::start("moto", command, &log),
            agent: agent(),
        };
        wait_until("moto answers", crate::PATIENCE, || {
            let request = aws.agent.get(format!("{}/moto-api/", aws.address));
            match request.call() {
                Ok(_) => Ok(()),
                Err(e) => Err(format!("{e}\n{}", aws.process.tail())),
            }
        });
        aws
    }

    /// Makes a key in [`REGION`], and returns its ARN.
    pub fn key(&self) -> String {
        self.key_in(REGION)
    }

    /// Makes a key in a region, and returns its ARN.
    pub fn key_in(&self, region: &str) -> String {
        let made = self.kms(region, "CreateKey", &json!({}));
        let arn = made["KeyMetadata"]["Arn"].as_str();
        arn.expect("a key has an ARN").to_owned()
    }

    /// Gives a key another name, and returns its ARN.
    pub fn alias(&self, key: &str, name: &str) -> String {
        let alias = format!("alias/{name}");
        let names = json!({"AliasName": alias, "TargetKeyId": key});
        self.kms(REGION, "CreateAlias", &names);
        format!("arn:aws:kms:{REGION}:{ACCOUNT}:{alias}")
    }

    fn kms(&self, region: &str, action: &str, body: &Value) -> Value {
        let scope = format!("{region}/kms");
        let headers = [
            ("X-Amz-Target", format!("TrentService.{action}")),
            ("Content-Type", "application/x-amz-json-1.1".to_owned()),
        ];
        let text = self.post("/", &scope, &headers, &body.to_string());
        serde_json::from_str(&text).unwrap_or(Value::Null)
    }

    /// Makes a user who may do these things to all that is there, such as `kms:Decrypt`.
    pub fn user(&self, name: &str, allowed: &[&str]) -> AccessKey {
        self.iam("CreateUser", &format!("UserName={name}"));
        let policy = policy(&json!({"Effect": "Allow", "Action": allowed, "Resource": "*"}));
        let policy = format!("UserName={name}&PolicyName=p&PolicyDocument={policy}");
        self.iam("PutUserPolicy", &policy);
        let made = self.iam("CreateAccessKey", &format!("UserName={name}"));
        AccessKey {
            id: between(&made, "AccessKeyId"),
            secret: between(&made, "SecretAccessKey"),
        }
    }

    /// Makes a role that everybody may assume and that may do these things, and returns its ARN.
    pub fn role(&self, name: &str, allowed: &[&str]) -> String {
        let trust =
            policy(&json!({"Effect": "Allow", "Action": "sts:*", "Principal": {"AWS": "*"}}));
        let role = format!("RoleName={name}&AssumeRolePolicyDocument={trust}");
        self.iam("CreateRole", &role);
        let policy = policy(&json!({"Effect": "Allow", "Action": allowed, "Resource": "*"}));
        let policy = format!("RoleName={name}&PolicyName=p&PolicyDocument={policy}");
        self.iam("PutRolePolicy", &policy);
        format!("arn:aws:iam::{ACCOUNT}:role/{name}")
    }

    fn iam(&self, action: &str, parameters: &str) -> String {
        let form = "application/x-www-form-urlencoded".to_owned();
        let body = format!("Action={action}&Version=2010-05-08&{parameters}");
        self.post("/", "us-east-1/iam", &[("Content-Type", form)], &body)
    }

    /// From now on, signatures and policies are checked.
    pub fn check_everybody(&self) {
        let text = ("Content-Type", "text/plain".to_owned());
        self.post("/moto-api/reset-auth", "us-east-1/iam", &[text], "0");
    }

    fn post(&self, path: &str, scope: &str, headers: &[(&str, String)], body: &str) -> String {
        let credential = format!(
            "AWS4-HMAC-SHA256 Credential=admin/20260101/{scope}/aws4_request, SignedHeaders=host, Signature=none"
        );
        let request = self.agent.post(format!("{}{path}", self.address));
        let request = request.header("Authorization", credential);
        let request = headers.iter().fold(request, |request, (name, value)| {
            request.header(*name, value)
        });
        let mut answer = request
            .send(body)
            .unwrap_or_else(|e| panic!("{path} {body}: {e}\n{}", self.process.tail()));
        let text = answer.body_mut().read_to_string();
        text.expect("an answer is text")
    }
}

/// A client that believes everybody: it talks to servers of our own, on loopback.
fn agent() -> ureq::Agent {
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = ureq::tls::TlsConfig::builder()
        .unversioned_rustls_crypto_provider(provider)
        .disable_verification(true);
    ureq::Agent::config_builder()
        .tls_config(tls.build())
        .proxy(None)
        .build()
        .new_agent()
}

/// A policy of one statement, as forms take it.
fn policy(statement: &Value) -> String {
    let policy = json!({"Version": "2012-10-17", "Statement": [statement]});
    let escaped = |byte: u8| match byte.is_ascii_alphanumeric() {
        true => char::from(byte).to_string(),
        false => format!("%{byte:02X}"),
    };
    policy.to_string().bytes().map(escaped).collect()
}

/// What stands in the first element of this name.
fn between(xml: &str, name: &str) -> String {
    let text = xml.split_once(&format!("<{name}>"));
    let text = text.and_then(|(_, rest)| rest.split_once('<'));
    text.unwrap_or_else(|| panic!("no {name} in {xml}"))
        .0
        .to_owned()
}
