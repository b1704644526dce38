//! Reading lists of breached passwords, line by line.

use std::fmt;
use std::io::{self, BufRead, Read};
use vestibule_domain::credential::{BreachKey, PasswordAttempt};

/// More than any line of such a list has.
const MAX_LINE: u64 = 4 * 1024;
const FAULTS_KEPT: usize = 5;

/// What a line is.
#[derive(Debug, Clone, Copy)]
pub enum ListForm {
    /// 40 hexadecimal digits of SHA-1, perhaps a colon and how often the password was seen: the form of «Have I Been
    /// Pwned». Passwords that were seen fewer times than `min_count` are left out.
    Hashes { min_count: u64 },
    /// A password in UTF-8.
    Plain,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineFault {
    NoHash,
    NoCount,
    /// Nobody can have it here, so nobody needs to be warned of it.
    NoPassword,
}

impl fmt::Display for LineFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoHash => "is not 40 hexadecimal digits of SHA-1, with or without `:COUNT`",
            Self::NoCount => "does not say how often the password was seen",
            Self::NoPassword => "is not a password of 1 to 256 characters in UTF-8",
        })
    }
}

/// All that was read; 8 bytes of memory for each password.
#[derive(Debug, Default)]
pub struct List {
    pub keys: Vec<BreachKey>,
    pub lines: u64,
    /// Left out because they were seen too rarely.
    pub rare: u64,
    /// Lines that were passed over, and the first five of them by number.
    pub faulty: u64,
    pub faults: Vec<(u64, LineFault)>,
}

impl List {
    /// Faulty lines are noted and passed over.
    pub fn read(mut from: impl BufRead, form: ListForm) -> io::Result<Self> {
        let (mut list, mut line) = (Self::default(), Vec::new());
        while next_line(&mut from, &mut line)? {
            list.lines += 1;
            match parse(&line, form) {
                Ok(Some(key)) => list.keys.push(key),
                Ok(None) => list.rare += 1,
                Err(fault) => list.note(fault),
            }
        }
        Ok(list)
    }

    fn note(&mut self, fault: LineFault) {
        self.faulty += 1;
        if self.faults.len() < FAULTS_KEPT {
            self.faults.push((self.lines, fault));
        }
    }
}

/// `false` at the end. What is too long is cut: then it is no good line of any form.
fn next_line(from: &mut impl BufRead, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    if from.by_ref().take(MAX_LINE).read_until(b'\n', line)? == 0 {
        return Ok(false);
    }
    if line.pop_if(|last| *last == b'\n').is_some() {
        line.pop_if(|last| *last == b'\r');
    } else {
        from.skip_until(b'\n')?;
    }
    Ok(true)
}

/// `None` for what is too rare.
fn parse(line: &[u8], form: ListForm) -> Result<Option<BreachKey>, LineFault> {
    match form {
        ListForm::Plain => {
            let text = str::from_utf8(line).map_err(|_| LineFault::NoPassword)?;
            PasswordAttempt::parse(text).map(|password| Some(password.breach_key())).map_err(|_| LineFault::NoPassword)
        }
        ListForm::Hashes { min_count } => {
            let (hash, count) = line.split_at_checked(40).ok_or(LineFault::NoHash)?;
            let key = sha1(hash).map(BreachKey::from_sha1).ok_or(LineFault::NoHash)?;
            let count = match count.split_first() {
                None if min_count > 1 => return Err(LineFault::NoCount),
                None => min_count,
                Some((b':', digits)) => number(digits).ok_or(LineFault::NoCount)?,
                Some(_) => return Err(LineFault::NoHash),
            };
            Ok((count >= min_count).then_some(key))
        }
    }
}

fn sha1(hex: &[u8]) -> Option<[u8; 20]> {
    let mut digest = [0; 20];
    for (byte, digits) in digest.iter_mut().zip(hex.chunks(2)) {
        for digit in digits {
            let value = char::from(*digit).to_digit(16)?;
            *byte = *byte << 4 | u8::try_from(value).ok()?;
        }
    }
    Some(digest)
}

fn number(digits: &[u8]) -> Option<u64> {
    let digits = str::from_utf8(digits).ok()?;
    digits.bytes().all(|digit| digit.is_ascii_digit()).then(|| digits.parse().ok())?
}
