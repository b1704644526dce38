//! The documentation: the document for machines, and a page that draws it for people with no outside request.

mod document;
mod page;

pub(crate) use document::Document;

use crate::state::AppState;
use axum::Extension;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

pub(crate) fn routes(document: Document) -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(document::openapi_document))
        .layer(Extension(document))
        .routes(routes!(page::docs_page))
        .routes(routes!(page::docs_asset))
}
