//! `vestibule keys`

use crate::config::Inputs;
use crate::failure::Failure;
use crate::output;
use crate::wire::Wired;
use serde_json::json;
use vestibule_domain::id::KeyId;
use vestibule_domain::token::{KeyState, RotationTiming, SigningKey};

#[derive(Debug, clap::Subcommand)]
pub(crate) enum KeysCommand {
    /// List the keys, the newest first
    List {
        /// One JSON object on each line
        #[arg(long)]
        json: bool,
    },
    /// Add a key that takes over signing; running services follow within a second
    #[command(after_help = "Without --now the key is published for ten minutes before it signs, so that nobody meets \
                            a token whose key they have not seen. The old key goes on verifying what it has signed.")]
    Rotate {
        /// Let it sign at once
        #[arg(long)]
        now: bool,
    },
    /// End a key at once: every access token that it has signed is refused; sessions go on with their next refresh
    Revoke {
        /// As in `keys list`
        #[arg(value_name = "KID", value_parser = kid)]
        id: KeyId,
    },
}

fn kid(text: &str) -> Result<KeyId, String> {
    KeyId::parse(text).map_err(|error| format!("{error}, as in `vestibule keys list`"))
}

pub(crate) async fn run(inputs: &Inputs, command: KeysCommand) -> Result<(), Failure> {
    let wired = super::open(inputs).await?;
    let keys = &wired.services.keys;
    match command {
        KeysCommand::List { json } => list(&wired, json).await?,
        KeysCommand::Rotate { now } => {
            // On a new store there is nothing yet that could sign until the new key does.
            keys.ensure().await?;
            keys.rotate(if now { RotationTiming::Now } else { RotationTiming::Published }).await?;
            list(&wired, false).await?;
        }
        KeysCommand::Revoke { id } => {
            keys.revoke(id).await?;
            list(&wired, false).await?;
        }
    }
    wired.database.close().await;
    Ok(())
}

async fn list(wired: &Wired, as_json: bool) -> Result<(), Failure> {
    for (key, state) in wired.services.keys.list().await? {
        if as_json { output::json(&as_value(&key, state))? } else { output::line(as_line(&key, state))? }
    }
    Ok(())
}

fn as_line(key: &SigningKey, state: KeyState) -> String {
    let (state, algorithm) = (state.as_str(), key.algorithm.as_str());
    let retires = key.retires_at.map(|at| format!(", retires {at}")).unwrap_or_default();
    format!("{}  {state:<8}  {algorithm}  signs from {}{retires}", key.id, key.activates_at)
}

fn as_value(key: &SigningKey, state: KeyState) -> serde_json::Value {
    json!({
        "kid": key.id.to_string(),
        "state": state.as_str(),
        "alg": key.algorithm.as_str(),
        "created_at": key.created_at.to_string(),
        "activates_at": key.activates_at.to_string(),
        "retires_at": key.retires_at.map(|at| at.to_string()),
        "revoked_at": key.revoked_at.map(|at| at.to_string()),
    })
}
