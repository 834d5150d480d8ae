//! Tokens that somebody signs with a key of their own (RFC 7515, RFC 7519).

use aws_lc_rs::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RSA_PSS_SHA256, RsaEncoding, RsaKeyPair},
};
use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};
use serde_json::Value;
use zeroize::Zeroizing;

use crate::master_key::KeyError;

/// How a token is signed, as its header says.
#[derive(Clone, Copy)]
pub(crate) enum Algorithm {
    Rs256,
    Ps256,
}

/// A token with this header and these claims, signed.
pub(crate) fn signed(
    key: &RsaKeyPair,
    algorithm: Algorithm,
    mut header: Value,
    claims: &Value,
) -> Result<Zeroizing<String>, KeyError> {
    let (name, encoding): (_, &dyn RsaEncoding) = match algorithm {
        Algorithm::Rs256 => ("RS256", &RSA_PKCS1_SHA256),
        Algorithm::Ps256 => ("PS256", &RSA_PSS_SHA256),
    };
    header["alg"] = name.into();
    header["typ"] = "JWT".into();
    let encode = |json: &Value| BASE64_URL_SAFE_NO_PAD.encode(json.to_string());
    let text = format!("{}.{}", encode(&header), encode(claims));
    let mut signature = vec![0; key.public_modulus_len()];
    key.sign(
        encoding,
        &SystemRandom::new(),
        text.as_bytes(),
        &mut signature,
    )
    .map_err(|_| KeyError("the private key does not sign".to_owned()))?;
    let signature = BASE64_URL_SAFE_NO_PAD.encode(signature);
    Ok(Zeroizing::new([text, signature].join(".")))
}

/// The first RSA key of a PEM text, by PKCS#8 or PKCS#1.
pub(crate) fn rsa_key(text: &str) -> Option<RsaKeyPair> {
    let blocks = pem::parse_many(text).ok()?;
    blocks.into_iter().find_map(|block| {
        let tag = block.tag().to_owned();
        let der = Zeroizing::new(block.into_contents());
        match tag.as_str() {
            "PRIVATE KEY" => RsaKeyPair::from_pkcs8(&der).ok(),
            "RSA PRIVATE KEY" => RsaKeyPair::from_der(&der).ok(),
            _ => None,
        }
    })
}
