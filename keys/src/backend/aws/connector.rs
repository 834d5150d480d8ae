//! Our HTTP client as the SDK wants one: one try for each call, with our limits, certificates and proxies, and no redirections.

use std::{fmt, sync::Arc, time::Duration};

use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_runtime_api::http::StatusCode;
use aws_smithy_types::body::SdkBody;
use bytes::Bytes;

use crate::remote::{Failure, Service};

/// The way to all services of AWS.
#[derive(Clone)]
pub(super) struct Connector {
    service: Arc<Service>,
    /// What a try may take, where that is less than with other services: a machine's own is near or not there.
    limit: Option<Duration>,
}

impl Connector {
    pub(super) fn new(service: Arc<Service>) -> Self {
        Self {
            service,
            limit: None,
        }
    }

    async fn send(self, request: HttpRequest) -> Result<HttpResponse, ConnectorError> {
        let unsendable = |e: Box<dyn std::error::Error + Send + Sync>| ConnectorError::user(e);
        let request = request
            .try_into_http1x()
            .map_err(|e| unsendable(e.into()))?;
        let (head, body) = request.into_parts();
        let body = body.bytes().map(<[u8]>::to_vec);
        let body = body.ok_or_else(|| unsendable("its body is a stream".into()))?;
        let mut request = reqwest::Request::new(
            head.method,
            head.uri
                .to_string()
                .parse()
                .map_err(|_| unsendable("its address is none".into()))?,
        );
        *request.headers_mut() = head.headers;
        *request.body_mut() = Some(Bytes::from_owner(zeroize::Zeroizing::new(body)).into());
        *request.timeout_mut() = self.limit;
        let (head, body) = self.service.once(request).await.map_err(of_failure)?;
        let status = StatusCode::try_from(head.status().as_u16());
        let status = status.map_err(|e| ConnectorError::other(e.into(), None))?;
        let mut response = HttpResponse::new(status, SdkBody::from(Bytes::from_owner(body)));
        for (name, value) in head.headers() {
            // Headers that are no text say nothing to the SDK.
            if let Ok(value) = value.to_str() {
                let (name, value) = (name.as_str().to_owned(), value.to_owned());
                let _ = response.headers_mut().try_append(name, value);
            }
        }
        Ok(response)
    }
}

/// What may be tried again is said by the kind of an error.
fn of_failure(failure: Failure) -> ConnectorError {
    match failure {
        Failure::Unreached(text) => ConnectorError::io(text.into()).never_connected(),
        Failure::Lost(text) => ConnectorError::io(text.into()),
        Failure::Lasting(text) => ConnectorError::other(text.into(), None),
    }
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        HttpConnectorFuture::new(self.clone().send(request))
    }
}

impl HttpClient for Connector {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        _components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        let limits = (settings.connect_timeout(), settings.read_timeout());
        SharedHttpConnector::new(Self {
            service: self.service.clone(),
            limit: match limits {
                (Some(connect), Some(read)) => Some(connect + read),
                _ => None,
            },
        })
    }
}

impl fmt::Debug for Connector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Connector")
    }
}
