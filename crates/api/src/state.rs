//! What every handler can reach.

use http::{HeaderName, HeaderValue};
use ipnet::IpNet;
use std::ops::Deref;
use std::sync::Arc;
use vestibule_domain::Services;

use crate::docs::Document;
use crate::metrics::Metrics;
use crate::middleware::RequestIds;
use crate::news::News;
pub use crate::readiness::Readiness;

/// Copied several times for each request: a pointer.
#[derive(Debug, Clone)]
pub struct AppState(Arc<Shared>);

#[derive(Debug)]
pub struct Shared {
    pub services: Services,
    pub http: HttpSettings,
    pub readiness: Readiness,
    pub(crate) news: News,
    pub(crate) metrics: Metrics,
    pub(crate) request_ids: RequestIds,
    pub(crate) document: Document,
}

impl AppState {
    pub fn new(services: Services, http: HttpSettings) -> Self {
        let metrics = Metrics::new(Arc::clone(&services.ports));
        Self(Arc::new(Shared {
            services,
            http,
            readiness: Readiness::default(),
            news: News::default(),
            metrics,
            request_ids: RequestIds::default(),
            document: Document::default(),
        }))
    }
}

impl Deref for AppState {
    type Target = Shared;

    fn deref(&self) -> &Shared {
        &self.0
    }
}

/// What an operator decides about HTTP.
#[derive(Debug, Clone)]
pub struct HttpSettings {
    /// How clients reach the service, without a slash at the end. The only source of links: no header of a request
    /// gets into one.
    pub public_url: String,
    /// Whose word about the client's address counts. None: nobody's.
    pub trusted_proxies: Vec<IpNet>,
    /// The one header in which those proxies name the client.
    pub forwarded_header: HeaderName,
    /// Exact origins whose scripts may read answers. None: no CORS at all.
    pub cors_origins: Vec<HeaderValue>,
    /// Whether answers carry `Strict-Transport-Security`.
    pub hsts: bool,
}

impl Default for HttpSettings {
    fn default() -> Self {
        Self {
            public_url: "http://localhost:8080".to_owned(),
            trusted_proxies: Vec::new(),
            forwarded_header: HeaderName::from_static("x-forwarded-for"),
            cors_origins: Vec::new(),
            hsts: false,
        }
    }
}
