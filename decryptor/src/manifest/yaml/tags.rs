//! What a scalar means under its style and its tag.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use saphyr_parser::{ScalarStyle, Tag};
use serde_json::{Number, Value};
use zeroize::Zeroizing;

use super::Refusal;
use crate::manifest::go_float::{Bits, go_float};
use crate::manifest::scalar::{Resolved, resolve, text_of_number};

const CORE: &str = "tag:yaml.org,2002:";

/// Resolves a scalar. Returns `Resolved::Text` where the text itself is meant.
pub(in crate::manifest) fn meaning(
    text: &str,
    style: ScalarStyle,
    tag: Option<&Tag>,
) -> Result<Resolved, Refusal> {
    let Some(tag) = tag else {
        return Ok(match style {
            ScalarStyle::Plain => resolve(text),
            _ => Resolved::Text,
        });
    };
    let name = format!("{}{}", tag.handle, tag.suffix);
    let found = match name.strip_prefix(CORE) {
        Some("bool" | "int" | "float" | "null" | "timestamp") => resolve(text),
        Some("merge") if text == "<<" => return Ok(Resolved::Merge),
        // A tag that is not known leaves the text as it is.
        _ => return Ok(Resolved::Text),
    };
    match (&name[CORE.len()..], found) {
        ("bool", Resolved::Bool(_))
        | ("int", Resolved::Int(_) | Resolved::Uint(_))
        | ("float", Resolved::Float(_))
        | ("null", Resolved::Null)
        | ("timestamp", Resolved::Timestamp) => Ok(found),
        #[expect(
            clippy::cast_precision_loss,
            reason = "go-yaml converts in the same way"
        )]
        ("float", Resolved::Int(value)) => Ok(Resolved::Float(value as f64)),
        (wanted, _) => Err(format!("the value does not fit its tag !!{wanted}")),
    }
}

/// Returns the text under a `!!binary` tag, decoded. `None` for other tags.
pub(super) fn binary(text: &str, tag: Option<&Tag>) -> Option<Result<String, Refusal>> {
    tag.filter(|tag| tag.handle == CORE && tag.suffix == "binary")?;
    let packed = Zeroizing::new(text.replace(['\r', '\n'], ""));
    Some(
        BASE64_STANDARD
            .decode(packed.as_bytes())
            .map_err(|_| "the !!binary value is not base64".to_owned())
            .and_then(|bytes| {
                // The original would put U+FFFD where the bytes are no UTF-8.
                String::from_utf8(bytes)
                    .map_err(|_| "the !!binary value is not UTF-8: JSON cannot hold it".to_owned())
            }),
    )
}

/// The value of a scalar.
pub(super) fn value(text: String, meaning: Resolved) -> Result<Value, Refusal> {
    Ok(match meaning {
        Resolved::Null => Value::Null,
        Resolved::Bool(truth) => Value::Bool(truth),
        Resolved::Int(number) => Value::Number(number.into()),
        Resolved::Uint(number) => Value::Number(number.into()),
        Resolved::Float(number) => Number::from_f64(number)
            .map(Value::Number)
            .ok_or("JSON has no infinity and no NaN: quote the value if it is text")?,
        Resolved::Timestamp | Resolved::Merge | Resolved::Text => Value::String(text),
    })
}

/// The text of a key: sigs.k8s.io/yaml turns booleans and numbers into strings.
pub(in crate::manifest) fn key(text: String, meaning: Resolved) -> Result<String, Refusal> {
    match meaning {
        Resolved::Null => Err("a key is null".to_owned()),
        Resolved::Bool(truth) => Ok(truth.to_string()),
        Resolved::Int(number) => Ok(number.to_string()),
        Resolved::Uint(_) => Err("a key is a number past 9223372036854775807: quote it".to_owned()),
        Resolved::Float(number) => Ok(match go_float(number, Bits::Single).as_str() {
            "+Inf" => ".inf".to_owned(),
            "-Inf" => "-.inf".to_owned(),
            "NaN" => ".nan".to_owned(),
            text => text.to_owned(),
        }),
        Resolved::Timestamp | Resolved::Merge | Resolved::Text => Ok(text),
    }
}

/// The text of a key that is the alias of a value.
pub(super) fn key_of_value(value: &Value) -> Result<String, Refusal> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Bool(truth) => Ok(truth.to_string()),
        Value::Number(number) if number.is_u64() && !number.is_i64() => {
            Err("a key is a number past 9223372036854775807: quote it".to_owned())
        }
        Value::Number(number) => Ok(text_of_number(number)),
        Value::Null => Err("a key is null".to_owned()),
        Value::Array(_) | Value::Object(_) => Err("a key is a mapping or a sequence".to_owned()),
    }
}
