//! The configuration from the outside: what is written, and what comes of it.

mod faults;
mod secrets;
mod values;

use super::{Config, Faults, Host, Inputs};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::TempDir;

/// 32 random bytes in base64.
const KEY: &str = "7siyaRKuSEgNVUzlVB2tA9WRn9PVGX7Tk7hWof77e7g=";
const OTHER_KEY: &str = "aUItKWRTiCMJm4vtqRH2nVeBXK4BDxNkI3YUTv6jMYg=";

/// What an operator has written.
struct Given {
    folder: TempDir,
    inputs: Inputs,
}

fn given() -> Given {
    let folder = tempfile::tempdir().unwrap();
    // An empty file, so that none in the working directory is read.
    let file = folder.path().join("vestibule.toml");
    fs::write(&file, "").unwrap();
    let host = Host { cores: 4, terminal: false };
    let inputs = Inputs { file: Some(file), environment: Vec::new(), with_database_url: true, flags: Vec::new(), host };
    Given { folder, inputs }
}

impl Given {
    fn file(self, toml: &str) -> Self {
        fs::write(self.folder.path().join("vestibule.toml"), toml).unwrap();
        self
    }

    fn variable(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        self.inputs.environment.push((name.into(), value.as_ref().into()));
        self
    }

    fn flag(mut self, key: &'static str, flag: &'static str, value: &str) -> Self {
        self.inputs.flags.push((key, flag, value.to_owned()));
        self
    }

    fn set_mode(&self, mode: u32) {
        fs::set_permissions(self.folder.path().join("vestibule.toml"), fs::Permissions::from_mode(mode)).unwrap();
    }

    /// Another file beside the configuration.
    fn path(&self, name: &str, content: &str) -> PathBuf {
        let path = self.folder.path().join(name);
        fs::write(&path, content).unwrap();
        path
    }

    fn load(&self) -> Result<Config, Faults> {
        Config::load(&self.inputs)
    }

    fn config(&self) -> Config {
        self.load().unwrap_or_else(|faults| panic!("{faults}"))
    }

    /// Key and text of each fault.
    fn faults(&self) -> Vec<(String, String)> {
        let faults = self.load().expect_err("there are faults");
        faults.iter().map(|fault| (fault.key.clone(), fault.to_string())).collect()
    }

    /// The text of the only fault.
    fn fault(&self) -> String {
        let faults = self.faults();
        assert_eq!(faults.len(), 1, "{faults:?}");
        faults.into_iter().map(|(_, text)| text).collect()
    }
}
