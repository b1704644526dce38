//! `docs/configuration.md`, from the table.

use super::roles;
use super::setting::{Fallback, Setting, Shape};
use super::table::{SECTIONS, SETTINGS};
use std::fmt::Write as _;

const INTRODUCTION: &str = "\
# Configuration

Every setting is a key of the TOML file (`vestibule.toml` in the working directory, or the one that `--config` or
`VESTIBULE_CONFIG` names) and an environment variable; the common ones are flags too. A flag beats a variable, a variable
beats the file, the file beats the default.

- A setting marked *secret* can also be given as the path of a file that holds it: `tokens.secret_file` in TOML,
  `VESTIBULE_TOKENS__SECRET_FILE` as a variable. One line break at the end is cut off.
- Lists are arrays in TOML and have commas elsewhere. Durations are a whole number and `ms`, `s`, `m`, `h` or `d`.
- Unknown keys and unknown variables that begin with `VESTIBULE_` are errors. All errors are told at once, and the exit
  status is 78.
- `vestibule config print` shows what is in use and where it comes from; `vestibule config check` only checks.

This page is made by `vestibule config reference`.
";

const ROLES: &str = "
## roles

What each role may do. `admin` may do everything and cannot be changed; `support` has `users:read` and `audit:read`, and
`user` has nothing, unless they are set here; any other name makes a new role. The permissions are `audit:read`,
`roles:write`, `users:read` and `users:write`.

```toml
";

/// Ends with a line break.
pub(crate) fn markdown() -> String {
    let mut page = INTRODUCTION.to_owned();
    for (section, about) in SECTIONS {
        let settings = SETTINGS.iter().filter(|setting| setting.key.split('.').next() == Some(section));
        let rows: String = settings.map(row).collect();
        let about = one_line(about);
        let _ = write!(page, "\n## {section}\n\n{about}\n\n| Key | Default | Value | |\n|---|---|---|---|\n{rows}");
    }
    page + ROLES + "[roles]\n" + roles::EXAMPLE.trim_start_matches("roles.") + "\n```\n"
}

fn row(setting: &Setting) -> String {
    let name = format!("`{}`<br>`{}`", setting.key, setting.variable());
    let flag = setting.flag.map(|flag| format!("<br>`{flag}`")).unwrap_or_default();
    let secret = if setting.may_come_from_file() { "<br>*secret*" } else { "" };
    let default = match (&setting.default, setting.shape) {
        (Fallback::Unset(documented) | Fallback::Computed { documented, .. }, _) => (*documented).to_owned(),
        (Fallback::Is(""), Shape::List) => "none".to_owned(),
        (Fallback::Is(text), _) => format!("`{text}`"),
    };
    let about = one_line(setting.documentation);
    format!("| {name}{flag}{secret} | {default} | {} | {about} |\n", setting.expected)
}

fn one_line(documentation: &str) -> String {
    documentation.split_whitespace().collect::<Vec<_>>().join(" ")
}
