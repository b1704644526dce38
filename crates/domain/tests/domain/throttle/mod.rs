//! Who is let in to try, and what it costs.

mod login;
mod others;
mod rules;
mod running;
mod together;

use vestibule_domain::RequestContext;

fn from(address: &str) -> RequestContext {
    RequestContext { ip: Some(address.parse().unwrap()), ..RequestContext::default() }
}
