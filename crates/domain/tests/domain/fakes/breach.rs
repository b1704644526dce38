use std::sync::{Arc, Mutex};
use vestibule_domain::credential::{BreachKey, BreachedPasswords, PasswordPolicy, PasswordSettings};

/// A list in memory that counts how often it is asked. What begins with `~` is breached, but not common.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    words: Mutex<Vec<&'static str>>,
    asked: Mutex<usize>,
}

impl Listed {
    pub(crate) fn add(&self, word: &'static str) {
        self.words.lock().unwrap().push(word);
    }

    pub(crate) fn asked(&self) -> usize {
        *self.asked.lock().unwrap()
    }

    fn has(&self, key: BreachKey, marked: bool) -> bool {
        *self.asked.lock().unwrap() += 1;
        let words = self.words.lock().unwrap();
        words.iter().any(|word| match word.strip_prefix('~') {
            Some(word) => marked && BreachKey::of(word) == key,
            None => BreachKey::of(word) == key,
        })
    }
}

impl BreachedPasswords for Listed {
    fn contains(&self, key: BreachKey) -> bool {
        self.has(key, true)
    }

    fn is_common(&self, key: BreachKey) -> bool {
        self.has(key, false)
    }
}

/// The usual one, with these passwords known.
pub(crate) fn policy(words: &[&'static str]) -> PasswordPolicy {
    let breached = Listed { words: Mutex::new(words.to_vec()), asked: Mutex::default() };
    PasswordPolicy { settings: PasswordSettings::default(), breached: Arc::new(breached) }
}
