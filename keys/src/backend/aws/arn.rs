//! Names of keys and roles in AWS, read so strictly that a name leads nowhere but to AWS.

use crate::master_key::ParseError;

/// The parts of the cloud that AWS has; each has its own endpoints and its own accounts.
const PARTITIONS: [&str; 8] = [
    "aws",
    "aws-cn",
    "aws-eusc",
    "aws-iso",
    "aws-iso-b",
    "aws-iso-e",
    "aws-iso-f",
    "aws-us-gov",
];
/// No name of a region is longer.
const LONGEST_REGION: usize = 32;
/// No ARN of KMS or IAM is longer.
const LONGEST: usize = 2048;

/// The name of a key: `arn:aws:kms:REGION:ACCOUNT:key/ID`, or of an alias. Its region is small letters, digits and hyphens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyArn {
    text: String,
    region: String,
}

/// The name of a role: `arn:aws:iam::ACCOUNT:role/NAME`.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct RoleArn(String);

impl KeyArn {
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let malformed = |why: &str| {
            ParseError::Malformed(format!(
                "{text:?} is not the ARN of a KMS key: {why}; write it as \
                 arn:aws:kms:eu-west-1:123456789012:key/1234abcd-12ab-34cd-56ef-1234567890ab"
            ))
        };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let ["arn", partition, "kms", region, account, key] = parts.as_slice() else {
            return Err(malformed("it lacks parts"));
        };
        if !PARTITIONS.contains(partition) {
            return Err(malformed("AWS has no such partition"));
        }
        if !is_region(region) {
            return Err(malformed("its region is no name of a region"));
        }
        if self::partition(region) != *partition {
            return Err(malformed("its region is of another partition"));
        }
        if !is_account(account) {
            return Err(malformed("its account is no number"));
        }
        let name = key
            .strip_prefix("key/")
            .or_else(|| key.strip_prefix("alias/"));
        let is_name = |name: &str| {
            !name.is_empty()
                && name
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"/_-".contains(&b))
        };
        if text.len() > LONGEST || !name.is_some_and(is_name) {
            return Err(malformed("it names neither a key nor an alias"));
        }
        Ok(Self {
            text: text.to_owned(),
            region: (*region).to_owned(),
        })
    }

    pub(super) fn text(&self) -> &str {
        &self.text
    }

    pub(super) fn region(&self) -> &str {
        &self.region
    }
}

impl RoleArn {
    pub(super) fn parse(text: &str) -> Result<Self, ParseError> {
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let is_role = match parts.as_slice() {
            ["arn", partition, "iam", "", account, role] => {
                PARTITIONS.contains(partition) && is_account(account) && is_role(role)
            }
            _ => false,
        };
        match is_role && text.len() <= LONGEST {
            true => Ok(Self(text.to_owned())),
            false => Err(ParseError::Malformed(format!(
                "{text:?} is not the ARN of a role; write it as arn:aws:iam::123456789012:role/name"
            ))),
        }
    }

    pub(super) fn text(&self) -> &str {
        &self.0
    }
}

/// The part of the cloud that a region is in.
pub(super) fn partition(region: &str) -> &'static str {
    const OTHERS: [(&str, &str); 7] = [
        ("cn-", "aws-cn"),
        ("eusc-", "aws-eusc"),
        ("us-iso-", "aws-iso"),
        ("us-isob-", "aws-iso-b"),
        ("eu-isoe-", "aws-iso-e"),
        ("us-isof-", "aws-iso-f"),
        ("us-gov-", "aws-us-gov"),
    ];
    let other = OTHERS.iter().find(|(start, _)| region.starts_with(start));
    other.map_or("aws", |(_, partition)| partition)
}

/// One label of a host's name.
fn is_region(text: &str) -> bool {
    let is_inside = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-';
    !text.is_empty()
        && text.len() <= LONGEST_REGION
        && text.bytes().all(is_inside)
        && !text.starts_with('-')
        && !text.ends_with('-')
}

fn is_account(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

fn is_role(text: &str) -> bool {
    text.strip_prefix("role/").is_some_and(|name| {
        !name.is_empty()
            && name
                .bytes()
                .all(|b| b.is_ascii_graphic() && !b":*?".contains(&b))
    })
}
