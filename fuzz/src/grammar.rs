//! RFC 8259 read once more, by nothing that the service uses: what the two readers disagree about is a defect of one.

use std::collections::HashSet;

/// As many levels as `serde_json` takes.
const LEVELS: u8 = 127;

/// Whether this is one object in UTF-8 that is not nested too deep, has no name twice in one object and no lone
/// surrogate.
pub(crate) fn is_object(text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| {
        let mut reader = Reader { rest: text };
        reader.space();
        reader.rest.starts_with('{') && reader.value(LEVELS).is_some() && reader.rest.is_empty()
    })
}

struct Reader<'a> {
    rest: &'a str,
}

impl Reader<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn eat(&mut self, token: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(token)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next();
        self.rest = chars.as_str();
        next
    }

    /// With the space around it.
    fn value(&mut self, levels: u8) -> Option<()> {
        self.space();
        match self.rest.chars().next()? {
            '{' => self.object(levels.checked_sub(1)?)?,
            '[' => self.array(levels.checked_sub(1)?)?,
            '"' => drop(self.string()?),
            't' => self.eat("true")?,
            'f' => self.eat("false")?,
            'n' => self.eat("null")?,
            _ => self.number()?,
        }
        self.space();
        Some(())
    }

    fn object(&mut self, levels: u8) -> Option<()> {
        self.eat("{")?;
        self.space();
        let mut names = HashSet::new();
        while self.eat("}").is_none() {
            if !names.is_empty() {
                self.eat(",")?;
                self.space();
            }
            names.insert(self.string()?).then_some(())?;
            self.space();
            self.eat(":")?;
            self.value(levels)?;
        }
        Some(())
    }

    fn array(&mut self, levels: u8) -> Option<()> {
        self.eat("[")?;
        self.space();
        let mut first = true;
        while self.eat("]").is_none() {
            if !std::mem::take(&mut first) {
                self.eat(",")?;
            }
            self.value(levels)?;
        }
        Some(())
    }

    fn string(&mut self) -> Option<String> {
        self.eat("\"")?;
        let mut text = String::new();
        loop {
            text.push(match self.next()? {
                '"' => return Some(text),
                '\\' => self.escape()?,
                '\0'..='\x1f' => return None,
                plain => plain,
            });
        }
    }

    fn escape(&mut self) -> Option<char> {
        Some(match self.next()? {
            same @ ('"' | '\\' | '/') => same,
            'b' => '\x08',
            'f' => '\x0c',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let mut units = vec![self.unit()?];
                if let Some(0xd800..=0xdbff) = units.first() {
                    self.eat("\\u")?;
                    units.push(self.unit()?);
                }
                return String::from_utf16(&units).ok()?.chars().next();
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u16> {
        let digits = self.rest.get(..4).filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()))?;
        self.rest = self.rest.get(4..)?;
        u16::from_str_radix(digits, 16).ok()
    }

    fn number(&mut self) -> Option<()> {
        let _ = self.eat("-");
        if self.eat("0").is_none() {
            self.digits()?;
        }
        if self.eat(".").is_some() {
            self.digits()?;
        }
        if self.eat("e").or_else(|| self.eat("E")).is_some() {
            let _ = self.eat("+").or_else(|| self.eat("-"));
            self.digits()?;
        }
        Some(())
    }

    fn digits(&mut self) -> Option<()> {
        let rest = self.rest.trim_start_matches(|digit: char| digit.is_ascii_digit());
        let some = rest.len() < self.rest.len();
        self.rest = rest;
        some.then_some(())
    }
}
