//! `vestibule clients`: other services that ask about tokens.

use crate::config::Inputs;
use crate::failure::Failure;
use crate::output;
use crate::wire::Wired;
use serde_json::json;
use vestibule_domain::client::Client;
use vestibule_domain::id::ClientId;
use vestibule_domain::user::Name;

#[derive(Debug, clap::Subcommand)]
pub(crate) enum ClientsCommand {
    /// Let another service ask about tokens: prints the id and, this once, the secret
    #[command(after_help = "With both a service may call POST /introspect and POST /revoke; running services know it \
                            within a second.")]
    Create {
        /// What the service is called, for people
        #[arg(value_parser = name)]
        name: Name,
        /// One JSON object
        #[arg(long)]
        json: bool,
    },
    /// List the services, the oldest first
    List {
        /// One JSON object on each line
        #[arg(long)]
        json: bool,
    },
    /// Refuse a service from now on, everywhere within a second
    Delete {
        /// As in `clients list`
        #[arg(value_name = "ID", value_parser = |text: &str| ClientId::parse(text))]
        id: ClientId,
    },
}

pub(crate) async fn run(inputs: &Inputs, command: ClientsCommand) -> Result<(), Failure> {
    let wired = super::open(inputs).await?;
    match command {
        ClientsCommand::Create { name, json } => create(&wired, name, json).await?,
        ClientsCommand::List { json } => list(&wired, json).await?,
        ClientsCommand::Delete { id } => wired.services.clients.delete(id).await?,
    }
    wired.database.close().await;
    Ok(())
}

async fn create(wired: &Wired, name: Name, as_json: bool) -> Result<(), Failure> {
    let (client, secret) = wired.services.clients.create(name).await?;
    let secret = secret.reveal();
    if as_json {
        output::json(&as_value(&client, Some(&secret)))?;
    } else {
        output::line(format_args!("client id      {}", client.id))?;
        output::line(format_args!("client secret  {}   (shown this once)", secret.as_str()))?;
    }
    Ok(())
}

async fn list(wired: &Wired, as_json: bool) -> Result<(), Failure> {
    for client in wired.services.clients.list().await? {
        if as_json {
            output::json(&as_value(&client, None))?;
        } else {
            output::line(format_args!("{}  since {}  {}", client.id, client.created_at, client.name.as_str()))?;
        }
    }
    Ok(())
}

fn as_value(client: &Client, secret: Option<&str>) -> serde_json::Value {
    let mut value = json!({
        "id": client.id.to_string(),
        "name": client.name.as_str(),
        "created_at": client.created_at.to_string(),
    });
    if let (Some(secret), Some(members)) = (secret, value.as_object_mut()) {
        members.insert("secret".to_owned(), json!(secret));
    }
    value
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|fault| fault.detail.into_owned())
}
