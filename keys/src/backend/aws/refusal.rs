//! What an error of the SDK says to people.

use aws_sdk_kms::error::{ProvideErrorMetadata, SdkError};

use crate::remote::{chain, reason};

/// Why a call did not do what it should.
pub(super) enum Refusal {
    /// The service says why.
    Said(String),
    /// The service was not reached, or has no time for anybody.
    Silence(String),
}

/// Reads an error. What was `sent` and is secret is not repeated.
pub(super) fn refusal<E>(error: &SdkError<E>, sent: &[&str]) -> Refusal
where
    E: ProvideErrorMetadata + std::error::Error + 'static,
{
    match error {
        SdkError::ServiceError(answer) => said(answer.err(), answer.raw().status().as_u16(), sent),
        SdkError::DispatchFailure(failure) => {
            let error = failure.as_connector_error();
            let source = error.and_then(std::error::Error::source);
            let why = source.map_or_else(
                || "it was not reached".to_owned(),
                |source| chain(source, sent),
            );
            let why = match why.contains("certificate") {
                true => {
                    format!(
                        "{why} (AWS_CA_BUNDLE names a file with the authority of its certificate)"
                    )
                }
                false => why,
            };
            match failure.is_other() || failure.is_user() {
                true => Refusal::Said(why),
                false => Refusal::Silence(why),
            }
        }
        SdkError::TimeoutError(_) => Refusal::Silence("no answer in time".to_owned()),
        SdkError::ResponseError(answer) => Refusal::Said(format!(
            "{}: the answer is not what AWS answers",
            answer.raw().status().as_u16()
        )),
        other => Refusal::Said(chain(other, sent)),
    }
}

fn said<E: ProvideErrorMetadata>(error: &E, status: u16, sent: &[&str]) -> Refusal {
    let code = match error.code() {
        Some(code) => reason(code, sent),
        None => status.to_string(),
    };
    let message = match reason(error.message().unwrap_or_default(), sent) {
        text if !text.is_empty() => text,
        _ if (200..300).contains(&status) => "the answer is not what AWS answers".to_owned(),
        _ => "nothing is said of why".to_owned(),
    };
    let text = format!("{code}: {message}{}", next(&code));
    match is_overload(&code) || matches!(status, 429 | 502 | 503 | 504) {
        true => Refusal::Silence(text),
        false => Refusal::Said(text),
    }
}

/// What may help.
fn next(code: &str) -> &'static str {
    match code {
        "AccessDeniedException" | "AccessDenied" => {
            " (no policy allows it, neither one of this identity nor the one of the key or role)"
        }
        "ExpiredTokenException" | "ExpiredToken" => {
            " (the credentials are over: log in again, or take AWS_SESSION_TOKEN out)"
        }
        "UnrecognizedClientException"
        | "InvalidClientTokenId"
        | "InvalidSignatureException"
        | "SignatureDoesNotMatch"
        | "IncompleteSignature" => {
            " (the credentials are wrong, or of another partition; is the clock right?)"
        }
        "InvalidCiphertextException" | "IncorrectKeyException" => {
            " (the data key was wrapped by another key or with another context, or was changed)"
        }
        "NotFoundException" => " (there is no such key in that account and region)",
        "DisabledException" | "KMSInvalidStateException" => " (somebody has to enable the key)",
        _ => "",
    }
}

fn is_overload(code: &str) -> bool {
    matches!(
        code,
        "ThrottlingException"
            | "Throttling"
            | "LimitExceededException"
            | "RequestLimitExceeded"
            | "TooManyRequestsException"
    )
}
