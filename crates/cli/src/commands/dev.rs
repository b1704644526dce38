//! `vestibule dev`: everything made for whoever wants to see it run.

use super::users::generate;
use crate::boot::{self, Listeners};
use crate::config::environment::DATABASE_URL;
use crate::config::{Config, Inputs, StoreUrl};
use crate::failure::Failure;
use crate::prepare::{Migrations, prepare};
use crate::process::Shutdown;
use crate::wire::{Purpose, Wired, wire};
use crate::{logging, output};
use std::collections::BTreeSet;
use std::net::SocketAddr;
use vestibule_api::serve::ServeSettings;
use vestibule_domain::RequestContext;
use vestibule_domain::access::RoleName;
use vestibule_domain::credential::{NewPassword, Owner};
use vestibule_domain::fault::Fault;
use vestibule_domain::user::{Email, Name, Register, UserError};
use zeroize::Zeroizing;

const ADMINISTRATOR: &str = "admin@example.com";

#[derive(Debug, clap::Args)]
#[command(
    after_help = "Keeps everything in var/ of the working directory; remove that to begin anew. DATABASE_URL is \
                        left alone; --store-url is not.

Examples:
  vestibule dev
  vestibule dev --listen 127.0.0.1:9000 --ops-listen off"
)]
pub(crate) struct DevArgs {}

pub(crate) async fn run(mut inputs: Inputs, _: DevArgs) -> Result<(), Failure> {
    // It may belong to whatever else is developed in this shell, and would be migrated without a question.
    inputs.with_database_url = false;
    let mut config = Config::load(&inputs)?;
    logging::start(config.log.format, config.log.level.clone());
    if inputs.environment.iter().any(|(name, _)| name == DATABASE_URL) {
        output::note("note: `vestibule dev` does not use DATABASE_URL; use --store-url, or `vestibule serve`");
    }
    let shutdown = Shutdown::on_signals()?;
    let listeners = Listeners::bind(&config).await?;
    let base = base_url(listeners.public_address()?);
    config.suggest_public_url(&base);
    let Some(made) = shutdown.graceful.run_until_cancelled(make_everything(&mut config)).await else {
        return Ok(());
    };
    let (wired, password) = made?;
    let reset = format!("{} users set-password {ADMINISTRATOR}", program(&inputs));
    let password = match &password {
        Some(password) => format!("{}   (shown this once; another: {reset})", password.as_str()),
        None => format!("as before; another: {reset}"),
    };
    output::text(&welcome(&config, &base, &password, listeners.ops_address()?))?;
    // Nobody balances load here: there is nobody to warn before the end.
    let settings = ServeSettings { drain: std::time::Duration::ZERO, ..ServeSettings::default() };
    boot::run(&config, &wired, listeners, Migrations::Apply, settings, shutdown).await
}

/// The service on a store that is ready, and the password of the administrator if one had to be made.
async fn make_everything(config: &mut Config) -> Result<(Wired, Option<Zeroizing<String>>), Failure> {
    let wired = wire(config, Purpose::Serve).await?;
    prepare(&wired, Migrations::Apply).await?;
    let password = ensure_administrator(&wired).await?;
    Ok((wired, password))
}

/// The password of the administrator if one had to be made.
async fn ensure_administrator(wired: &Wired) -> Result<Option<Zeroizing<String>>, Failure> {
    if wired.services.ports.store.has_administrator().await? {
        return Ok(None);
    }
    let password = generate(&*wired.services.ports.rng, wired.services.password_policy.settings);
    let request = registration(wired, &password).map_err(|fault| Failure::refused(fault.detail))?;
    let roles = BTreeSet::from([RoleName::admin()]);
    match wired.services.users.create(request, roles, &RequestContext::default()).await {
        Ok(_) => Ok(Some(password)),
        // Somebody registered the address: whoever it is stays what they are.
        Err(UserError::EmailTaken) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

fn registration(wired: &Wired, password: &str) -> Result<Register, Fault> {
    let email = Email::parse(ADMINISTRATOR)?;
    let name = Name::parse("Administrator")?;
    let owner = Owner { email: Some(&email), name: Some(&name) };
    let password = NewPassword::parse(password, &wired.services.password_policy, owner)?;
    Ok(Register { email, name, password })
}

/// How this program is called for the same store; without a URL that may hold a password.
fn program(inputs: &Inputs) -> String {
    let program = std::env::args().next().unwrap_or_else(|| "vestibule".to_owned());
    let file = inputs.file.iter().map(|file| format!(" --config {}", file.display()));
    let is_path = |key: &str, url: &str| key == "store.url" && url.starts_with("sqlite:");
    let store =
        inputs.flags.iter().filter(|(key, _, url)| is_path(key, url)).map(|(_, flag, url)| format!(" {flag} {url}"));
    file.chain(store).fold(program, |program, flag| program + &flag)
}

/// How this machine reaches the listener.
fn base_url(address: SocketAddr) -> String {
    match address.ip() {
        ip if ip.is_loopback() || ip.is_unspecified() => format!("http://localhost:{}", address.port()),
        _ => format!("http://{address}"),
    }
}

/// Ends with a line break.
fn welcome(config: &Config, base: &str, password: &str, ops: Option<SocketAddr>) -> String {
    let store = match &config.store.url {
        StoreUrl::Sqlite(path) => path.display().to_string(),
        StoreUrl::Postgres(_) => "PostgreSQL".to_owned(),
    };
    let ops = ops.map(|address| format!("operators      {}/health/ready\n  ", base_url(address))).unwrap_or_default();
    format!(
        r#"
Vestibule runs at {base} and keeps its data in {store}. Ctrl-C ends it.

  administrator  {ADMINISTRATOR}
  password       {password}
  {ops}documentation  {base}/docs

Paste into another terminal:

  # Register.
  curl -sS -w '\n' {base}/users -H 'content-type: application/json' \
    -d '{{"email": "ada@example.com", "password": "a lantern on the ninth stair", "name": "Ada"}}'

  # Log in and keep the access token.
  TOKEN=$(curl -sS {base}/login -H 'content-type: application/json' \
    -d '{{"email": "ada@example.com", "password": "a lantern on the ninth stair"}}' \
    | sed -n 's/.*"access_token": *"\([^"]*\)".*/\1/p')

  # Who am I?
  curl -sS -w '\n' {base}/users/me -H "authorization: Bearer $TOKEN"

"#
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule_domain::credential::{PasswordPolicy, PasswordSettings};
    use vestibule_infrastructure::breach::KnownPasswords;

    #[test]
    fn the_administrator_and_the_example_are_accepted_by_the_domain() {
        let email = Email::parse("ada@example.com").unwrap();
        let owner = Owner { email: Some(&email), name: None };
        let breached = std::sync::Arc::new(KnownPasswords::shipped().unwrap());
        let policy = PasswordPolicy { settings: PasswordSettings::default(), breached };
        assert!(NewPassword::parse("a lantern on the ninth stair", &policy, owner).is_ok());
        assert!(Email::parse(ADMINISTRATOR).is_ok());
    }

    #[test]
    fn a_listener_on_this_machine_is_reached_by_name() {
        for (address, expected) in [
            ("127.0.0.1:8080", "http://localhost:8080"),
            ("0.0.0.0:80", "http://localhost:80"),
            ("192.0.2.7:8080", "http://192.0.2.7:8080"),
            ("[2001:db8::1]:8080", "http://[2001:db8::1]:8080"),
        ] {
            assert_eq!(base_url(address.parse().unwrap()), expected);
        }
    }
}
