//! Keys in AWS KMS: the share goes there in clear with a context, and comes back as a blob.
//!
//! A document names the key's ARN, and calls go to the endpoint of the region in it. Credentials never go along, only signatures
//! by them; still an ARN is read so strictly that no other host than one of AWS can come out of it, unless the person or the
//! administrator names one in `AWS_ENDPOINT_URL`.

use std::{collections::BTreeMap, fmt};

use aws_sdk_kms::primitives::Blob;
use base64::prelude::{BASE64_STANDARD, Engine};
use zeroize::Zeroizing;

use crate::{
    env::Env,
    master_key::{Backend, Field, Fields, KeyError, MasterKey, ParseError, Pending, Wrapped},
    remote::Opened,
    secret::KeyShare,
};

mod account;
mod arn;
mod connector;
mod credentials;
mod refusal;
mod settings;

use account::{Accounts, Principal};
use arn::{KeyArn, RoleArn};

/// Keys in AWS KMS.
pub static BACKEND: Backend = Backend {
    name: "kms",
    field: "kms",
    recipients_var: "SOPS_KMS_ARN",
    local: false,
    parse: |text| Ok(Box::new(KmsKey::parse(text)?)),
    load: |fields| Ok(Box::new(KmsKey::load(fields)?)),
    load_config: |fields| Ok(Box::new(KmsKey::load_config(fields)?)),
};

/// A key in AWS KMS, and who may use it under which name.
#[derive(Clone, Debug, PartialEq, Eq)]
struct KmsKey {
    arn: KeyArn,
    /// What is assumed before the key is used.
    role: Option<RoleArn>,
    /// What KMS binds the share to; it is no secret.
    context: BTreeMap<String, String>,
    /// The profile whose credentials count; empty if no document names one.
    profile: String,
}

impl KmsKey {
    /// Reads `ARN` or `ARN+ROLE`, with spaces anywhere, as sops does.
    fn parse(text: &str) -> Result<Self, ParseError> {
        let text = text.replace(' ', "");
        let (arn, role) = match text.split_once("+arn:") {
            None => (text.as_str(), String::new()),
            Some((arn, role)) => (arn, format!("arn:{role}")),
        };
        Self::new(arn, &role, BTreeMap::new(), "")
    }

    fn load(fields: &Fields) -> Result<Self, ParseError> {
        Self::new(
            fields.text("arn")?,
            fields.text("role")?,
            context(fields)?,
            fields.text("aws_profile")?,
        )
    }

    /// Where the role may stand behind the ARN.
    fn load_config(fields: &Fields) -> Result<Self, ParseError> {
        let mut key = Self::parse(fields.text("arn")?)?;
        if let role @ Some(_) = role(fields.text("role")?)? {
            key.role = role;
        }
        key.context = context(fields)?;
        key.profile = profile(fields.text("aws_profile")?)?;
        Ok(key)
    }

    fn new(
        arn: &str,
        role: &str,
        context: BTreeMap<String, String>,
        profile: &str,
    ) -> Result<Self, ParseError> {
        Ok(Self {
            arn: KeyArn::parse(arn)?,
            role: self::role(role)?,
            context,
            profile: self::profile(profile)?,
        })
    }

    /// Who asks, and where.
    fn principal(&self) -> Principal {
        Principal {
            profile: self.profile.clone(),
            region: self.arn.region().to_owned(),
            role: self.role.clone(),
        }
    }

    async fn close(&self, share: &KeyShare, env: &Env) -> Result<Wrapped, KeyError> {
        let accounts = env.once(|| Accounts::new(env));
        let accounts = (*accounts).as_ref().map_err(KeyError::clone)?;
        let account = accounts.account(self.principal(), env).await?;
        let call = account.kms().encrypt().key_id(self.arn.text());
        // What the SDK makes of it is freed as it is: it knows no zeroing.
        let call = call.plaintext(Blob::new(share.expose_secret()));
        let call = call.set_encryption_context(self.sent_context());
        let secret = Zeroizing::new(BASE64_STANDARD.encode(share.expose_secret()));
        let secrets = [secret.as_str()];
        let answer = account.ask("kms:Encrypt", call.send(), &secrets, env);
        let blob = answer.await?.ciphertext_blob.map(Blob::into_inner);
        let blob = blob.filter(|blob| !blob.is_empty() && blob.len() <= LONGEST_BLOB);
        let blob = blob.ok_or_else(|| {
            KeyError("kms:Encrypt: the answer holds no encrypted data key".to_owned())
        })?;
        Ok(Wrapped {
            enc: BASE64_STANDARD.encode(blob),
            created_at: Some(env.now()),
        })
    }

    async fn open(&self, wrapped: &Wrapped, env: &Env) -> Result<KeyShare, KeyError> {
        let blob = BASE64_STANDARD.decode(wrapped.enc.trim());
        let blob = blob.ok().filter(|blob| blob.len() <= LONGEST_BLOB);
        let blob = blob.ok_or_else(|| {
            KeyError("the encrypted data key is not base64 of a blob of KMS".to_owned())
        })?;
        let accounts = env.once(|| Accounts::new(env));
        let accounts = (*accounts).as_ref().map_err(KeyError::clone)?;
        let account = accounts.account(self.principal(), env).await?;
        let call = account.kms().decrypt().key_id(self.arn.text());
        let call = call.ciphertext_blob(Blob::new(blob));
        let call = call.set_encryption_context(self.sent_context());
        let answer = account.ask("kms:Decrypt", call.send(), &[], env).await?;
        let share = answer
            .plaintext
            .map(|share| Zeroizing::new(share.into_inner()));
        let share = share.filter(|share| !share.is_empty());
        let share = share
            .ok_or_else(|| KeyError("kms:Decrypt: the answer holds no data key".to_owned()))?;
        Ok(KeyShare::from(share))
    }

    fn sent_context(&self) -> Option<std::collections::HashMap<String, String>> {
        let context = self.context.clone();
        (!context.is_empty()).then(|| context.into_iter().collect())
    }
}

/// No blob of KMS is longer.
const LONGEST_BLOB: usize = 6144;
/// No name of a profile is longer.
const LONGEST_PROFILE: usize = 256;

fn role(text: &str) -> Result<Option<RoleArn>, ParseError> {
    match text.is_empty() {
        true => Ok(None),
        false => RoleArn::parse(text).map(Some),
    }
}

fn profile(text: &str) -> Result<String, ParseError> {
    match text.len() <= LONGEST_PROFILE && !text.contains(char::is_control) {
        true => Ok(text.to_owned()),
        false => Err(ParseError::Malformed(format!(
            "{text:?} is no name of an AWS profile"
        ))),
    }
}

/// The context of an entry: a mapping of text.
fn context(fields: &Fields) -> Result<BTreeMap<String, String>, ParseError> {
    let pairs = match fields.get("context") {
        None => return Ok(BTreeMap::new()),
        Some(Field::Text(text)) if text.is_empty() => return Ok(BTreeMap::new()),
        Some(Field::Map(pairs)) => pairs,
        Some(_) => {
            let text = "context is no mapping of names to text";
            return Err(ParseError::Malformed(text.to_owned()));
        }
    };
    let pair = |(name, value): &(String, Field)| match value {
        Field::Text(value) => Ok((name.clone(), value.clone())),
        _ => Err(ParseError::NotText("a value of context")),
    };
    pairs.0.iter().map(pair).collect()
}

impl MasterKey for KmsKey {
    fn backend(&self) -> &'static Backend {
        &BACKEND
    }

    fn fields(&self) -> Fields {
        let mut fields = Fields::default().with("arn", self.arn.text());
        if let Some(role) = &self.role {
            fields = fields.with("role", role.text());
        }
        if !self.context.is_empty() {
            let pairs = self.context.iter();
            let pairs = pairs.map(|(name, value)| (name.clone(), Field::Text(value.clone())));
            let context = Field::Map(Fields(pairs.collect()));
            fields.0.push(("context".to_owned(), context));
        }
        fields.with("aws_profile", &self.profile)
    }

    fn wrap_key<'a>(
        &'a self,
        share: &'a KeyShare,
        env: &'a Env,
    ) -> Pending<'a, Result<Wrapped, KeyError>> {
        Box::pin(self.close(share, env))
    }

    fn unwrap_key<'a>(
        &'a self,
        wrapped: &'a Wrapped,
        env: &'a Env,
    ) -> Pending<'a, Result<KeyShare, KeyError>> {
        Box::pin(async move { Opened::share(self, wrapped, env, self.open(wrapped, env)).await })
    }
}

/// `ARN[+ROLE][|CONTEXT][|PROFILE]`, which is what tells keys apart. An empty context stays in front of a profile.
impl fmt::Display for KmsKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.arn.text())?;
        if let Some(role) = &self.role {
            write!(f, "+{}", role.text())?;
        }
        let pairs = self.context.iter();
        let pairs: Vec<_> = pairs
            .map(|(name, value)| format!("{name}:{value}"))
            .collect();
        if !pairs.is_empty() || !self.profile.is_empty() {
            write!(f, "|{}", pairs.join(","))?;
        }
        match self.profile.is_empty() {
            true => Ok(()),
            false => write!(f, "|{}", self.profile),
        }
    }
}

#[cfg(test)]
mod tests;
