//! How users are printed.

use super::Format;
use crate::output;
use serde_json::{Value, json};
use std::io;
use vestibule_domain::access::RoleName;
use vestibule_domain::user::User;
use vestibule_domain::user::store::ListedUser;

/// `password` is one that nobody knows yet.
pub(super) fn print_user(user: &User, password: Option<&str>, format: Format) -> io::Result<()> {
    if format.json {
        let mut value = as_value(user);
        if let (Some(password), Some(members)) = (password, value.as_object_mut()) {
            members.insert("password".to_owned(), password.into());
        }
        return output::json(&value);
    }
    output::line(as_line(user))?;
    match password {
        Some(password) => output::line(format_args!("password: {password}  (shown this once)")),
        None => Ok(()),
    }
}

pub(super) fn print_listed(listed: &ListedUser, format: Format) -> io::Result<()> {
    if format.json {
        let mut value = as_value(&listed.user);
        if let Some(members) = value.as_object_mut() {
            members.insert("active_sessions".to_owned(), listed.active_sessions.into());
            let breached_at = listed.password_breached_at.map(|at| at.to_string());
            members.insert("password_breached_at".to_owned(), breached_at.into());
        }
        output::json(&value)
    } else {
        let mark = if listed.password_breached_at.is_some() { "  (password breached)" } else { "" };
        output::line(format_args!("{}{mark}", as_line(&listed.user)))
    }
}

fn as_line(user: &User) -> String {
    let roles: Vec<_> = user.roles.iter().map(RoleName::as_str).collect();
    let roles = if roles.is_empty() { "-".to_owned() } else { roles.join(",") };
    let (status, email) = (user.status.as_str(), user.email.as_written());
    format!("{}  {status:<8}  {roles:<12}  {email}  {}", user.id, user.name.as_str())
}

/// As the API shows a user.
fn as_value(user: &User) -> Value {
    json!({
        "id": user.id.to_string(),
        "email": user.email.as_written(),
        "email_verified": user.email_verified,
        "name": user.name.as_str(),
        "status": user.status.as_str(),
        "roles": user.roles.iter().map(RoleName::as_str).collect::<Vec<_>>(),
        "created_at": user.created_at.to_string(),
        "updated_at": user.updated_at.to_string(),
        "last_login_at": user.last_login_at.map(|at| at.to_string()),
    })
}
