//! The documentation: the document for machines, and a page that draws it for people with no outside request.

mod document;
mod page;

pub use document::DOCUMENT;
pub(crate) use document::Document;

use crate::endpoints::endpoints;

endpoints!(document::openapi_document, page::docs_page, page::docs_asset);
