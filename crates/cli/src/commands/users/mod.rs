//! `vestibule users`: what an operator does to accounts, on nobody's permission but the machine's.

mod new_password;
mod show;

use crate::config::Inputs;
use crate::failure::Failure;
use crate::wire::Wired;
pub(crate) use new_password::generate;
use new_password::{ChosenPassword, PasswordSource};
use show::{print_listed, print_user};
use std::collections::BTreeSet;
use std::fmt;
use vestibule_domain::RequestContext;
use vestibule_domain::access::{Authority, RoleName};
use vestibule_domain::credential::Owner;
use vestibule_domain::id::UserId;
use vestibule_domain::page::{Limit, PageRequest};
use vestibule_domain::user::store::UserFilter;
use vestibule_domain::user::{Email, Name, Register, Status, User};

const PASSWORDS: &str = "The password comes from standard input with --password-stdin, from the file that \
                         VESTIBULE_PASSWORD_FILE names, or else is made and printed once.";

#[derive(Debug, clap::Subcommand)]
pub(crate) enum UsersCommand {
    /// Create a user, whatever registration.mode says
    #[command(after_help = PASSWORDS)]
    Create(CreateArgs),
    /// List users, in the order in which they registered
    List(ListArgs),
    /// End all sessions of a user and let nobody log in as them
    Disable(TargetArgs),
    /// Let a disabled user log in again
    Enable(TargetArgs),
    /// Let unknown devices try again, if too many wrong passwords have closed the account to them for a day
    Unlock(TargetArgs),
    /// Give a user these roles and no others
    SetRole(SetRoleArgs),
    /// Give a user another password and end all their sessions
    #[command(after_help = PASSWORDS)]
    SetPassword(SetPasswordArgs),
}

#[derive(Debug, clap::Args)]
pub(crate) struct CreateArgs {
    /// The address with which the user logs in
    #[arg(value_parser = email)]
    email: Email,
    /// How the user is called [default: the address]
    #[arg(long, value_parser = name)]
    name: Option<Name>,
    /// A role of the configuration; may be given again
    #[arg(long = "role", value_name = "ROLE", value_parser = role, default_value = "user")]
    roles: Vec<RoleName>,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct ListArgs {
    /// Only those who are «active» or «disabled»
    #[arg(long, value_parser = status)]
    status: Option<Status>,
    /// Only those with this role
    #[arg(long, value_parser = role)]
    role: Option<RoleName>,
    /// Only those whose address or name begins so
    #[arg(long)]
    search: Option<String>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct TargetArgs {
    /// An id or an address
    #[arg(value_parser = target)]
    user: Target,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetRoleArgs {
    /// An id or an address
    #[arg(value_parser = target)]
    user: Target,
    /// None takes all roles away
    #[arg(value_name = "ROLE", value_parser = role)]
    roles: Vec<RoleName>,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, clap::Args)]
pub(crate) struct SetPasswordArgs {
    /// An id or an address
    #[arg(value_parser = target)]
    user: Target,
    #[command(flatten)]
    password: PasswordSource,
    #[command(flatten)]
    format: Format,
}

#[derive(Debug, Clone, Copy, clap::Args)]
struct Format {
    /// One JSON object on each line
    #[arg(long)]
    json: bool,
}

/// Whom a command is about.
#[derive(Debug, Clone)]
enum Target {
    Id(UserId),
    Email(Email),
}

pub(crate) async fn run(inputs: &Inputs, command: UsersCommand) -> Result<(), Failure> {
    let wired = super::open(inputs).await?;
    let (users, context) = (&wired.services.users, RequestContext::default());
    match command {
        UsersCommand::Create(args) => create(inputs, &wired, args).await?,
        UsersCommand::List(args) => list(&wired, args).await?,
        UsersCommand::Disable(args) => {
            let id = find(&wired, &args.user).await?.id;
            print_user(&users.disable(Authority::Operator, id, &context).await?, None, args.format)?;
        }
        UsersCommand::Enable(args) => {
            let id = find(&wired, &args.user).await?.id;
            print_user(&users.enable(Authority::Operator, id, &context).await?, None, args.format)?;
        }
        UsersCommand::Unlock(args) => {
            let id = find(&wired, &args.user).await?.id;
            print_user(&users.unlock(Authority::Operator, id, &context).await?, None, args.format)?;
        }
        UsersCommand::SetRole(args) => {
            let id = find(&wired, &args.user).await?.id;
            let roles = args.roles.into_iter().collect();
            print_user(&users.set_roles(Authority::Operator, id, &roles, &context).await?, None, args.format)?;
        }
        UsersCommand::SetPassword(args) => set_password(inputs, &wired, args).await?,
    }
    wired.database.close().await;
    Ok(())
}

async fn create(inputs: &Inputs, wired: &Wired, args: CreateArgs) -> Result<(), Failure> {
    let name = match args.name {
        Some(name) => name,
        // An address can be longer than a name.
        None => name(args.email.as_written()).map_err(|fault| Failure::refused(format!("--name {fault}")))?,
    };
    let owner = Owner { email: Some(&args.email), name: Some(&name) };
    let ChosenPassword { password, generated } = args.password.choose(inputs, wired, owner)?;
    let request = Register { email: args.email, name, password };
    let roles: BTreeSet<_> = args.roles.into_iter().collect();
    let user = wired.services.users.create(request, roles, &RequestContext::default()).await?;
    Ok(print_user(&user, generated.as_deref().map(String::as_str), args.format)?)
}

async fn list(wired: &Wired, args: ListArgs) -> Result<(), Failure> {
    let prefix = args.search.map(|text| text.to_lowercase());
    let filter = UserFilter { email: None, status: args.status, role: args.role, prefix };
    let mut request = PageRequest { limit: Limit::parse("200").unwrap_or_default(), after: None };
    loop {
        let page = wired.services.users.list(Authority::Operator, &filter, request).await?;
        page.data.iter().try_for_each(|listed| print_listed(listed, args.format))?;
        match page.next {
            None => return Ok(()),
            next => request.after = next,
        }
    }
}

async fn set_password(inputs: &Inputs, wired: &Wired, args: SetPasswordArgs) -> Result<(), Failure> {
    let user = find(wired, &args.user).await?;
    let owner = Owner { email: Some(&user.email), name: Some(&user.name) };
    let ChosenPassword { password, generated } = args.password.choose(inputs, wired, owner)?;
    wired.services.credentials.set_password(user.id, password, &RequestContext::default()).await?;
    Ok(print_user(&user, generated.as_deref().map(String::as_str), args.format)?)
}

async fn find(wired: &Wired, target: &Target) -> Result<User, Failure> {
    let store = &wired.services.ports.store;
    let found = match target {
        Target::Id(id) => store.user(*id).await?,
        Target::Email(email) => store.user_by_email(email).await?,
    };
    found.ok_or_else(|| Failure::refused(format!("there is no user {target}\n  `vestibule users list` shows them all")))
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
            Self::Email(email) => f.write_str(email.as_written()),
        }
    }
}

fn email(text: &str) -> Result<Email, String> {
    Email::parse(text).map_err(|fault| fault.detail.into_owned())
}

fn name(text: &str) -> Result<Name, String> {
    Name::parse(text).map_err(|fault| fault.detail.into_owned())
}

fn role(text: &str) -> Result<RoleName, String> {
    RoleName::parse(text).map_err(|fault| fault.detail.into_owned())
}

fn status(text: &str) -> Result<Status, String> {
    Status::parse(text).ok_or_else(|| "must be active or disabled".to_owned())
}

fn target(text: &str) -> Result<Target, String> {
    let id = UserId::parse(text).map(Target::Id);
    id.or_else(|_| Email::parse(text).map(Target::Email))
        .map_err(|_| "must be an id, as in `vestibule users list`, or an address like name@example.com".to_owned())
}
