//! Where a command gets a new password from: never from the command line, which everybody on the machine can read.

use crate::config::environment::PASSWORD_FILE;
use crate::config::{Inputs, secret_file};
use crate::failure::Failure;
use crate::output;
use crate::wire::Wired;
use std::io::{IsTerminal, Read};
use std::path::Path;
use vestibule_domain::Rng;
use vestibule_domain::credential::{NewPassword, Owner, PasswordSettings};
use zeroize::Zeroizing;

/// More than any password has: whatever is longer is not one.
const MOST_BYTES: u64 = 4 * 1024;

#[derive(Debug, clap::Args)]
pub(super) struct PasswordSource {
    /// Read the password from standard input; one line break at its end is cut off
    #[arg(long)]
    password_stdin: bool,
}

pub(super) struct ChosenPassword {
    pub(super) password: NewPassword,
    /// To be shown once, if nobody knows it yet.
    pub(super) generated: Option<Zeroizing<String>>,
}

impl PasswordSource {
    pub(super) fn choose(&self, inputs: &Inputs, wired: &Wired, owner: Owner<'_>) -> Result<ChosenPassword, Failure> {
        let policy = &wired.services.password_policy;
        let file = inputs.environment.iter().find(|(name, _)| name == PASSWORD_FILE).map(|(_, path)| Path::new(path));
        let given = match (self.password_stdin, file) {
            (true, _) => Some(read_stdin()?),
            (false, Some(path)) => Some(read_file(path)?),
            (false, None) => None,
        };
        let generated = given.is_none().then(|| generate(&*wired.services.ports.rng, policy.settings));
        let text = given.or_else(|| generated.clone()).unwrap_or_default();
        let password = NewPassword::parse(secret_file::without_line_break(&text), policy, owner)
            .map_err(|fault| Failure::refused(format!("the password {}", fault.detail)))?;
        Ok(ChosenPassword { password, generated })
    }
}

fn read_stdin() -> Result<Zeroizing<String>, Failure> {
    let stdin = std::io::stdin();
    if stdin.is_terminal() {
        output::note("type the password, which shows, then press Enter and Ctrl-D");
    }
    read_all(stdin.lock()).map_err(|error| Failure::refused(format!("the password on standard input: {error}")))
}

fn read_file(path: &Path) -> Result<Zeroizing<String>, Failure> {
    let read = std::fs::File::open(path).and_then(read_all);
    read.map_err(|error| Failure::refused(format!("{PASSWORD_FILE}: {}: {error}", path.display())))
}

fn read_all(from: impl Read) -> std::io::Result<Zeroizing<String>> {
    let mut text = Zeroizing::new(String::new());
    from.take(MOST_BYTES).read_to_string(&mut text)?;
    Ok(text)
}

/// Groups of five letters and digits without those that look alike: 24 bits each, at least four of them, and as many
/// as the policy asks for.
pub(crate) fn generate(rng: &dyn Rng, settings: PasswordSettings) -> Zeroizing<String> {
    /// 32, so that five bits choose one without bias.
    const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
    let mut password = Zeroizing::new(String::with_capacity(128));
    while password.len() < settings.min_length.max(23) {
        if !password.is_empty() {
            password.push('-');
        }
        for byte in *Zeroizing::new(rng.bytes::<5>()) {
            let chosen = ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or_default();
            password.push(char::from(chosen));
        }
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;
    use vestibule_infrastructure::system::SystemRng;

    #[test]
    fn what_is_generated_is_long_enough_and_differs_each_time() {
        for min_length in 8..=64 {
            let settings = PasswordSettings { min_length };
            let (one, other) = (generate(&SystemRng, settings), generate(&SystemRng, settings));
            assert!(one.len() >= min_length && *one != *other, "{min_length}");
        }
    }

    #[test]
    fn what_is_generated_has_a_hundred_bits() {
        let made = generate(&SystemRng, PasswordSettings::default());
        assert_eq!(made.chars().filter(|c| *c != '-').count(), 20);
    }

    #[test]
    fn more_than_the_limit_is_not_read() {
        assert_eq!(read_all(std::io::repeat(b'a')).unwrap().len(), 4 * 1024);
    }
}
