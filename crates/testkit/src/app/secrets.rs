//! What no store may ever hold in plain text.

use serde_json::Value;
use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};

const SENT: [&str; 3] = ["password", "current_password", "new_password"];
const RECEIVED: [&str; 3] = ["access_token", "refresh_token", "device_token"];

/// Every secret that a client sent and the service accepted, or that the service handed out.
#[derive(Debug, Default)]
pub(super) struct Secrets(Mutex<BTreeSet<String>>);

impl Secrets {
    pub(super) fn note(&self, sent: Option<&Value>, received: &Value) {
        let mut secrets = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sent = SENT.iter().filter_map(|field| sent?.get(field)?.as_str());
        let received = RECEIVED.iter().filter_map(|field| received.get(field)?.as_str());
        secrets.extend(sent.chain(received).map(str::to_owned));
    }

    pub(super) fn add(&self, secret: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(secret.to_owned());
    }

    pub(super) fn all(&self) -> BTreeSet<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
