use aws_sdk_kms::config::endpoint::{DefaultResolver, Params, ResolveEndpoint};
use futures::executor::block_on;
use proptest::prelude::*;

use super::*;

const ARN: &str = "arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab";
const ROLE: &str = "arn:aws:iam::123456789012:role/team/shop@x";

#[test]
fn keys_are_told_apart_as_sops_does() {
    let fields = |pairs: &[(&str, Field)]| {
        let pairs = pairs.iter().cloned();
        Fields(
            pairs
                .map(|(name, field)| (name.to_owned(), field))
                .collect(),
        )
    };
    let text = |text: &str| Field::Text(text.to_owned());
    let context = Field::Map(fields(&[("b", text("2")), ("a", text("1"))]));
    let arn = || ("arn", text(ARN));
    for (entry, expected) in [
        (vec![arn()], ARN.to_owned()),
        (vec![arn(), ("aws_profile", text(""))], ARN.to_owned()),
        (vec![arn(), ("role", text(ROLE))], format!("{ARN}+{ROLE}")),
        (
            vec![arn(), ("context", context.clone())],
            format!("{ARN}|a:1,b:2"),
        ),
        (vec![arn(), ("aws_profile", text("p"))], format!("{ARN}||p")),
        (
            vec![
                arn(),
                ("role", text(ROLE)),
                ("context", context),
                ("aws_profile", text("p")),
            ],
            format!("{ARN}+{ROLE}|a:1,b:2|p"),
        ),
    ] {
        let key = KmsKey::load(&fields(&entry)).expect("a key");
        assert_eq!(key.to_string(), expected);
        assert_eq!(KmsKey::load(&key.fields()), Ok(key));
    }
    let typed = KmsKey::parse(&format!(" {ARN} + {ROLE} ")).expect("spaces are no matter");
    assert_eq!(typed.to_string(), format!("{ARN}+{ROLE}"));
    let listed = [
        ("arn", text(&format!("{ARN}+{ROLE}"))),
        ("aws_profile", text("p")),
    ];
    let listed = KmsKey::load_config(&fields(&listed)).expect("a role behind the ARN");
    assert_eq!(listed.to_string(), format!("{ARN}+{ROLE}||p"));
}

#[test]
fn what_names_no_key_of_aws_is_refused() {
    for arn in [
        "",
        "alias/shop",
        "arn:aws:kms:eu-west-1:123456789012",
        "arn:aws:kms::123456789012:key/k",
        "arn:aws:kms:eu-west-1::key/k",
        "arn:aws:kms:eu-west-1:123456789012:key/",
        "arn:aws:kms:eu-west-1:123456789012:grant/k",
        "arn:aws:kms:evil.example/x:123456789012:key/k",
        "arn:aws:kms:evil.example:123456789012:key/k",
        "arn:aws:kms:x@evil:123456789012:key/k",
        "arn:aws:kms:EU-WEST-1:123456789012:key/k",
        "arn:aws:kms:-:123456789012:key/k",
        "arn:aws:kms:eu-west-1\n:123456789012:key/k",
        "arn:aws-evil:kms:eu-west-1:123456789012:key/k",
        "arn:aws:s3:eu-west-1:123456789012:key/k",
        "arn:aws:kms:eu-west-1:123456789012:key/k?x=y",
        "arn:aws:kms:eu-west-1:123456789012:key/k\u{1b}[2J",
    ] {
        assert!(KmsKey::parse(arn).is_err(), "{arn}");
    }
    for role in [
        "arn:aws:iam::123456789012:user/u",
        "arn:aws:iam:eu-west-1:123456789012:role/r",
        "arn:aws:sts::123456789012:role/r",
        "arn:evil:iam::123456789012:role/r",
        "arn:aws:iam::123456789012:role/a:b",
    ] {
        assert!(KmsKey::parse(&format!("{ARN}+{role}")).is_err(), "{role}");
    }
    let context = |field: Field| {
        let fields = Fields::default().with("arn", ARN);
        let mut fields = fields;
        fields.0.push(("context".to_owned(), field));
        KmsKey::load(&fields)
    };
    let deep = Field::Map(Fields(vec![("a".to_owned(), Field::List(Vec::new()))]));
    assert!(context(deep).is_err());
    assert!(context(Field::Text("a:b".to_owned())).is_err());
    assert!(context(Field::Text(String::new())).is_ok());
}

/// Whether a host is one of the domains that belong to AWS.
fn is_of_aws(host: &str) -> bool {
    [
        "amazonaws.com",
        "amazonaws.com.cn",
        "amazonaws.eu",
        "c2s.ic.gov",
        "sc2s.sgov.gov",
        "cloud.adc-e.uk",
        "csp.hci.ic.gov",
    ]
    .iter()
    .any(|domain| {
        let front = host.strip_suffix(domain);
        front.is_some_and(|front| front.starts_with("kms.") && front.ends_with('.'))
    })
}

#[test]
fn endpoints_are_those_of_the_partition() {
    for (region, expected) in [
        ("eu-west-1", "kms.eu-west-1.amazonaws.com"),
        ("cn-north-1", "kms.cn-north-1.amazonaws.com.cn"),
        ("us-gov-west-1", "kms.us-gov-west-1.amazonaws.com"),
        ("us-iso-east-1", "kms.us-iso-east-1.c2s.ic.gov"),
        ("nowhere", "kms.nowhere.amazonaws.com"),
    ] {
        assert_eq!(host_of(region).as_deref(), Some(expected));
    }
}

fn host_of(region: &str) -> Option<String> {
    let params = Params::builder()
        .region(region)
        .build()
        .expect("parameters");
    let endpoint = block_on(DefaultResolver::new().resolve_endpoint(&params)).ok()?;
    let url = reqwest::Url::parse(endpoint.url()).expect("a URL");
    assert_eq!((url.scheme(), url.port(), url.path()), ("https", None, "/"));
    assert!(url.username().is_empty() && url.password().is_none());
    url.host_str().map(str::to_owned)
}

proptest! {
    #[test]
    fn no_name_of_a_region_leads_away_from_aws(
        partition in "aws|aws-cn|aws-us-gov|aws-iso|aws[-a-z]{0,8}",
        region in "[a-z0-9-]{0,40}|[ -~]{0,20}|[a-z]{2}-[a-z]{3,9}-[0-9]",
    ) {
        let arn = format!("arn:{partition}:kms:{region}:123456789012:key/k");
        if let Ok(key) = KeyArn::parse(&arn) {
            let host = host_of(key.region());
            prop_assert!(host.as_deref().is_none_or(is_of_aws), "{arn}: {host:?}");
        }
    }
}
