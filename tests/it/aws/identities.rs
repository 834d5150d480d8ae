//! Who calls: the same credentials count with both programs, wherever they come from.

use super::desk::{BOTH, Desk, Whose};
use super::stub_of_kms::{Asked, KEY, Stub, action, answer, form, header, obey};

/// What the files of a person say.
const CREDENTIALS: &str = "\
[default]
aws_access_key_id = AKIDOFDEFAULT
aws_secret_access_key = secret-of-tests-default
[shop]
aws_access_key_id = AKIDOFSHOP
aws_secret_access_key = secret-of-tests-shop
";
const CONFIG: &str = "\
[profile program]
credential_process = echo '{\"Version\": 1, \"AccessKeyId\": \"AKIDOFPROGRAM\", \"SecretAccessKey\": \"secret-of-tests-p\"}'
[profile assuming]
role_arn = arn:aws:iam::123456789012:role/of-profile
source_profile = shop
[profile sso]
sso_session = corp
sso_account_id = 123456789012
sso_role_name = dev
[sso-session corp]
sso_region = eu-west-1
sso_start_url = https://corp.example/start
";
/// Where `aws sso login` puts the token of the session `corp`.
const SSO_CACHE: &str = "person/.aws/sso/cache/ee0bfd2552fbd840c02cc48b6e823320543c450f.json";

/// A cloud in which everybody gets what they ask for.
fn cloud() -> Stub {
    Stub::start(|_, asked| {
        let keys = |id: &str| {
            format!(
                "\"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"secret-of-tests-x\", \
                 \"Token\": \"token-of-{id}\", \"Expiration\": \"2999-01-01T00:00:00Z\""
            )
        };
        match asked.path.as_str() {
            "/pod" => answer("200 OK", &format!("{{{}}}", keys("ASIAOFPOD"))),
            "/latest/api/token" => answer("200 OK", "token-of-machine").replacen(
                "connection",
                "x-aws-ec2-metadata-token-ttl-seconds: 600\r\nconnection",
                1,
            ),
            path if path.starts_with("/latest/meta-data/iam/") => match path.ends_with("machine") {
                true => answer(
                    "200 OK",
                    &format!("{{\"Code\": \"Success\", {}}}", keys("ASIAOFMACHINE")),
                ),
                false => answer("200 OK", "machine"),
            },
            path if path.starts_with("/federation/credentials") => answer(
                "200 OK",
                "{\"roleCredentials\": {\"accessKeyId\": \"ASIAOFSSO\", \"secretAccessKey\": \"secret-of-tests-s\", \
                 \"sessionToken\": \"token-of-sso\", \"expiration\": 32472144000000}}",
            ),
            _ => obey(asked),
        }
    })
}

/// The id that the calls to KMS were signed with.
fn signers(asked: &[Asked]) -> Vec<String> {
    let kms = asked
        .iter()
        .filter(|asked| header(asked, "x-amz-target").is_some());
    let ids = kms.map(|asked| {
        let signature = header(asked, "authorization").expect("it is signed");
        let (_, id) = signature.split_once("Credential=").expect("by somebody");
        id.split('/').next().expect("text").to_owned()
    });
    ids.collect()
}

#[test]
fn the_same_credentials_count_as_with_sops() {
    let env = [
        ("AWS_ACCESS_KEY_ID", "AKIDOFTESTS"),
        ("AWS_SECRET_ACCESS_KEY", "secret-of-tests"),
    ];
    let files = [
        ("AWS_CONFIG_FILE", "config"),
        ("AWS_SHARED_CREDENTIALS_FILE", "credentials"),
    ];
    let web = [
        ("AWS_WEB_IDENTITY_TOKEN_FILE", "token"),
        ("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/of-pod"),
    ];
    let pod = [
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "CLOUD/pod"),
        ("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", "token"),
    ];
    let machine = [
        ("AWS_EC2_METADATA_DISABLED", "false"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "CLOUD"),
    ];
    let named = |name| [("AWS_PROFILE", name)];
    for (variables, flags, expected) in [
        (vec![&env[..]], &[][..], "AKIDOFTESTS"),
        (vec![&env, &files, &named("shop")], &[], "AKIDOFTESTS"),
        (vec![&files], &[], "AKIDOFDEFAULT"),
        (vec![&files, &named("shop")], &[], "AKIDOFSHOP"),
        // What a document names counts before all that is at hand.
        (
            vec![&env, &files, &web],
            &["--aws-profile", "shop"],
            "AKIDOFSHOP",
        ),
        (vec![&files, &named("program")], &[], "AKIDOFPROGRAM"),
        (
            vec![&env, &files],
            &["--aws-profile", "program"],
            "AKIDOFPROGRAM",
        ),
        (vec![&files, &named("assuming")], &[], "ASIAOFROLE"),
        (vec![&files], &["--aws-profile", "sso"], "ASIAOFSSO"),
        (vec![&web], &[], "ASIAOFROLE"),
        (vec![&web, &files], &[], "ASIAOFROLE"),
        (vec![&env, &web], &[], "AKIDOFTESTS"),
        (vec![&pod], &[], "ASIAOFPOD"),
        (vec![&machine], &[], "ASIAOFMACHINE"),
    ] {
        // The original sends what a profile says of roles and sessions to AWS itself, whatever the variables say.
        let is_elsewhere = ["ASIAOFROLE", "ASIAOFSSO"].contains(&expected);
        for whose in if is_elsewhere { &BOTH[..1] } else { &BOTH } {
            let whose = *whose;
            let cloud = cloud();
            let mut desk = Desk::bare(&cloud.address);
            desk.write("config", CONFIG);
            desk.write("credentials", CREDENTIALS);
            desk.write("token", "token-of-a-pod");
            desk.write(
                SSO_CACHE,
                "{\"accessToken\": \"a\", \"expiresAt\": \"2999-01-01T00:00:00Z\"}",
            );
            let home = desk.path("person");
            desk = desk.with("HOME", home.to_str().expect("text"));
            for (name, value) in variables.iter().copied().flatten() {
                desk = desk.with(name, &value.replace("CLOUD", &cloud.address));
            }
            let args = [&["encrypt", "-i", "--kms", KEY][..], flags, &["a.yaml"]].concat();
            desk.sops(whose, &args).ok();
            let opened = desk.sops(whose, &["decrypt", "a.yaml"]).ok();
            assert!(opened.contains("hunter2"));
            let signers = signers(&cloud.seen());
            assert_eq!(
                signers,
                [expected, expected],
                "{whose:?} {variables:?} {flags:?}"
            );
        }
    }
}

#[test]
fn a_role_is_asked_for_as_sops_does() {
    let asked = BOTH.map(|whose| {
        let cloud = cloud();
        let desk = Desk::at(&cloud.address);
        let key = format!("{KEY}+arn:aws:iam::123456789012:role/shop");
        desk.sops(whose, &["encrypt", "-i", "--kms", &key, "a.yaml"])
            .ok();
        let seen = cloud.seen();
        assert_eq!(signers(&seen), ["ASIAOFROLE"]);
        assert_eq!(action(&seen[0]), "AssumeRole");
        let scope = header(&seen[0], "authorization").expect("it is signed");
        assert!(scope.contains("/eu-west-1/sts/aws4_request"), "{scope}");
        ["RoleArn", "RoleSessionName"].map(|name| form(&seen[0], name).expect("it is sent"))
    });
    assert_eq!(asked[0], asked[1]);
    assert!(asked[0][1].starts_with("sops%40"), "{asked:?}");
}

#[test]
fn a_service_may_have_an_endpoint_of_its_own() {
    let (cloud, elsewhere) = (cloud(), cloud());
    let desk = Desk::at(&elsewhere.address).with("AWS_ENDPOINT_URL_KMS", &cloud.address);
    assert!(desk.encrypt(KEY).status.success());
    assert_eq!(signers(&cloud.seen()), ["AKIDOFTESTS"]);
    assert!(elsewhere.seen().is_empty());
}

#[test]
fn a_profile_that_is_not_there_is_an_error() {
    let cloud = cloud();
    let desk = Desk::at(&cloud.address);
    let args = [
        "encrypt",
        "-i",
        "--kms",
        KEY,
        "--aws-profile",
        "nobody",
        "a.yaml",
    ];
    assert_eq!(desk.sops(Whose::Theirs, &args).output().code(), 1);
    desk.refuses(&args, 1, &["no credentials for AWS", "nobody"]);
    assert!(cloud.seen().is_empty());
    // Nor does another source take its place.
    let desk = desk.with(
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        &format!("{}/pod", cloud.address),
    );
    desk.refuses(&args, 1, &["no credentials for AWS", "nobody"]);
    assert!(cloud.seen().is_empty());
}

#[test]
fn a_program_that_gives_no_credentials_is_an_error() {
    let cloud = cloud();
    for (program, words) in [
        ("sh -c 'echo no >&2; exit 3'", "exit"),
        ("echo secret-of-tests", "could not parse response"),
        ("no-such-program-of-tests", "127"),
    ] {
        let desk = Desk::bare(&cloud.address).with("AWS_CONFIG_FILE", "config");
        desk.write(
            "config",
            &format!("[profile p]\ncredential_process = {program}\n"),
        );
        let args = [
            "encrypt",
            "-i",
            "--kms",
            KEY,
            "--aws-profile",
            "p",
            "a.yaml",
        ];
        assert_eq!(desk.sops(Whose::Theirs, &args).output().code(), 1);
        desk.refuses(&args, 1, &["no credentials for AWS", words]);
    }
    assert!(cloud.seen().is_empty());
}
