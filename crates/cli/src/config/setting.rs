//! What a setting is; [`super::table`] lists them all.

use super::entry::Entries;
use super::fault::{Fault, Faults};
use super::parse::{Parsed, Written};
use super::table::SETTINGS;
use std::borrow::Cow;

/// One row of the table.
#[derive(Debug)]
pub(crate) struct Setting {
    /// `section.name`, as in TOML.
    pub(crate) key: &'static str,
    pub(crate) default: Fallback,
    pub(crate) expected: &'static str,
    pub(crate) example: &'static str,
    /// The flag that sets it, if it is a common one.
    pub(crate) flag: Option<&'static str>,
    pub(crate) secrecy: Secrecy,
    pub(crate) shape: Shape,
    pub(crate) documentation: &'static str,
}

/// What holds if nobody sets it.
#[derive(Debug)]
pub(crate) enum Fallback {
    /// Nothing; the text says what that means.
    Unset(&'static str),
    Is(&'static str),
    /// What the machine suggests.
    Computed {
        documented: &'static str,
        value: fn(Host) -> String,
    },
}

/// How much of a value may be shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Secrecy {
    Open,
    /// A URL that may hold a password.
    Url,
    Secret,
}

/// How a value is written in TOML.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shape {
    Text,
    /// A number or a truth value.
    Bare,
    List,
}

/// What defaults depend on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Host {
    pub(crate) cores: usize,
    /// Whether the log goes to a terminal.
    pub(crate) terminal: bool,
}

impl Setting {
    /// What a row need not say.
    pub(crate) const PLAIN: Self = Self {
        key: "",
        default: Fallback::Unset(""),
        expected: "",
        example: "",
        flag: None,
        secrecy: Secrecy::Open,
        shape: Shape::Text,
        documentation: "",
    };

    pub(crate) fn variable(&self) -> String {
        variable(self.key)
    }

    pub(crate) fn default(&self, host: Host) -> Option<Cow<'static, str>> {
        match self.default {
            Fallback::Unset(_) => None,
            Fallback::Is(text) => Some(Cow::Borrowed(text)),
            Fallback::Computed { value, .. } => Some(Cow::Owned(value(host))),
        }
    }
}

/// The environment variable of a key: `http.listen` is `VESTIBULE_HTTP__LISTEN`.
pub(crate) fn variable(key: &str) -> String {
    format!("VESTIBULE_{}", key.to_uppercase().replace('.', "__"))
}

pub(super) fn find(key: &str) -> Option<&'static Setting> {
    SETTINGS.iter().find(|setting| setting.key == key)
}

/// A setting that can come from a file of its own.
pub(super) fn find_secret(key: &str) -> Option<&'static Setting> {
    find(key).filter(|setting| setting.may_come_from_file())
}

/// Takes the value of `setting` in use. `None` only after a fault: what it then is does not matter any more.
pub(super) fn take<T>(
    setting: &'static Setting,
    parse: impl Fn(Option<&Written>) -> Parsed<T>,
    entries: &Entries,
    faults: &mut Faults,
) -> Option<T> {
    let entry = entries.get(setting.key);
    match parse(entry.map(|entry| &entry.written)) {
        Ok(value) => Some(value),
        Err(reason) => {
            faults.push(Fault::of_value(setting, entry, reason));
            // With the default in its place, what depends on it can still be checked.
            let default = setting.default(entries.host()).map(|text| Written::from_text(&text));
            parse(default.as_ref()).ok()
        }
    }
}

/// Makes, from one description of every setting, the table of [`Setting`]s and the struct that holds their values.
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident: $Section:ident {
            $(
                $(#[doc = $doc:literal])+
                $name:ident: $Type:ty {
                    parse: $parse:expr,
                    $($attribute:ident: $value:expr,)+
                }
            )+
        }
    )+) => {
        /// Every setting, in the order of the reference.
        pub(crate) static SETTINGS: &[$crate::config::setting::Setting] = &[$($(
            $crate::config::setting::Setting {
                key: concat!(stringify!($section), ".", stringify!($name)),
                documentation: concat!($($doc),+),
                $($attribute: $value,)+
                ..$crate::config::setting::Setting::PLAIN
            },
        )+)+];

        /// Every section with what it is about.
        pub(crate) static SECTIONS: &[(&str, &str)] = &[$((stringify!($section), concat!($($section_doc),+)),)+];

        $(
            $(#[doc = $section_doc])+
            #[derive(Debug)]
            pub(crate) struct $Section {
                $($(#[doc = $doc])+ pub(crate) $name: $Type,)+
            }

            impl $Section {
                fn read(
                    entries: &$crate::config::entry::Entries,
                    faults: &mut $crate::config::fault::Faults,
                ) -> Option<Self> {
                    // Every value is looked at before the first fault ends it.
                    $(
                        let $name = $crate::config::setting::find(concat!(stringify!($section), ".", stringify!($name)))
                            .and_then(|setting| $crate::config::setting::take(setting, $parse, entries, faults));
                    )+
                    Some(Self { $($name: $name?,)+ })
                }
            }
        )+

        /// The values of all settings.
        #[derive(Debug)]
        pub(crate) struct Values {
            $($(#[doc = $section_doc])+ pub(crate) $section: $Section,)+
        }

        impl Values {
            pub(super) fn read(
                entries: &$crate::config::entry::Entries,
                faults: &mut $crate::config::fault::Faults,
            ) -> Option<Self> {
                $(let $section = $Section::read(entries, faults);)+
                Some(Self { $($section: $section?,)+ })
            }
        }
    };
}
pub(super) use settings;
