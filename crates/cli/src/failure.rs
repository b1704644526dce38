//! How a command can fail, and what the shell learns of it.

use crate::config::Faults;
use crate::output;
use crate::wire::WireError;
use std::error::Error;
use std::io;
use std::process::ExitCode;
use vestibule_domain::StoreError;
use vestibule_domain::client::ClientError;
use vestibule_domain::credential::CredentialError;
use vestibule_domain::token::KeyServiceError;
use vestibule_domain::user::UserError;
use vestibule_sqlite::BackupError;

/// `EX_CONFIG` of sysexits(3).
const EX_CONFIG: u8 = 78;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Failure {
    #[error(transparent)]
    Configuration(#[from] Faults),
    /// With what to do about it.
    #[error("{0}")]
    Refused(String),
    /// Has been told already.
    #[error("failed")]
    Told,
    #[error(transparent)]
    Output(#[from] io::Error),
    #[error(transparent)]
    Wiring(#[from] WireError),
    #[error(transparent)]
    Backup(#[from] BackupError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    User(#[from] UserError),
    #[error(transparent)]
    Credential(#[from] CredentialError),
    #[error(transparent)]
    Client(#[from] ClientError),
    #[error(transparent)]
    Key(#[from] KeyServiceError),
}

impl Failure {
    pub(crate) fn refused(message: impl Into<String>) -> Self {
        Self::Refused(message.into())
    }

    /// Whether trying again later may help without anybody doing anything.
    pub(crate) fn is_outage(&self) -> bool {
        matches!(
            self,
            Self::Store(StoreError::Unavailable { .. } | StoreError::Contention)
                | Self::Key(KeyServiceError::Store(StoreError::Unavailable { .. } | StoreError::Contention))
        )
    }

    /// What to do about an error that does not say so itself.
    fn remedy(&self) -> Option<&'static str> {
        Some(match self {
            Self::User(UserError::LastAdministrator) => {
                "make another one first, with `vestibule users set-role USER admin`"
            }
            Self::User(UserError::EmailTaken) => "`vestibule users list --search ADDRESS` shows whose it is",
            Self::Key(KeyServiceError::NoSuchKey) => "`vestibule keys list` shows them all",
            _ if self.is_outage() => "`vestibule doctor` looks for the cause",
            _ => return None,
        })
    }

    pub(crate) fn report(&self) -> ExitCode {
        match self {
            // Whoever read the output has seen enough (`| head`).
            Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe => return ExitCode::SUCCESS,
            Self::Told => return ExitCode::FAILURE,
            _ => output::note(format_args!("vestibule: {}", with_causes(self))),
        }
        if let Some(remedy) = self.remedy() {
            output::note(format_args!("  {remedy}"));
        }
        match self {
            Self::Configuration(_) | Self::Wiring(WireError::BreachFilter { .. }) => ExitCode::from(EX_CONFIG),
            _ => ExitCode::FAILURE,
        }
    }
}

/// An error and what led to it, for operators.
pub(crate) fn with_causes(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text
}
