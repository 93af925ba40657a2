//! What a setting is. A section file declares each of its keys once, with `section!`: name, type, default, parser and
//! documentation. The struct that the program uses, the reading, the environment's names, the check for unknown keys,
//! `check-config` and the test of the example file all come from that one declaration.
use std::path::Path;

use serde_json::Value;

use super::reader::Reader;

/// One key of the settings.
#[derive(Debug)]
pub struct Setting {
    /// The dotted path in the file; `[]` marks an entry of a list of tables: `clients[].client_id`.
    pub key: &'static str,
    /// What it is for, with unit and default.
    pub doc: &'static str,
    /// What applies when nobody says anything.
    pub fallback: Fallback,
    /// How much of its value may be printed.
    pub secrecy: Secrecy,
}

impl Setting {
    /// `SIGNET_LIFETIMES_CODE` for `lifetimes.code`; entries of lists have no variable.
    pub fn variable(&self) -> Option<String> {
        variable(self.key)
    }

    /// A secret can also be read from a file, which this key names.
    pub fn file_key(&self) -> Option<String> {
        (self.secrecy != Secrecy::Open).then(|| format!("{}_file", self.key))
    }

    /// Every key of the file that speaks of this setting.
    pub fn keys(&self) -> impl Iterator<Item = String> {
        std::iter::once(self.key.to_owned()).chain(self.file_key())
    }
}

/// The environment variable of a key.
pub fn variable(key: &str) -> Option<String> {
    (!key.contains("[]")).then(|| format!("SIGNET_{}", key.replace('.', "_").to_uppercase()))
}

/// What applies when nobody says anything.
#[derive(Debug)]
pub enum Fallback {
    /// Always the same text, read like a given one.
    Fixed(&'static str),
    /// Follows from other settings, which must be declared before this one.
    Derived(fn(&Reader<'_>) -> Option<String>),
    /// Nothing: the setting stays unset.
    Unset,
    /// There is none: the operator must say.
    Required,
}

/// How much of a value may be printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrecy {
    /// All of it.
    Open,
    /// All but the password inside.
    Url,
    /// Nothing.
    Hidden,
}

/// A type that a setting can have.
pub trait Shown: Sized {
    /// How much of a value that could not be read may be printed.
    const SECRECY: Secrecy = Secrecy::Open;

    /// The value as `check-config` prints it: never a secret.
    fn show(&self) -> Value;

    /// The value of a setting that is not set, for types that have one.
    fn absent() -> Option<Self> {
        None
    }
}

/// What the operator gave for one setting.
#[derive(Debug)]
pub struct Given<'a> {
    pub value: &'a Value,
    /// Relative paths start here: the folder of the settings file, or of the process.
    pub base: &'a Path,
}

/// Why a value cannot be used, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    pub problem: String,
    pub remedy: String,
}

impl Fault {
    pub fn new(problem: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { problem: problem.into(), remedy: remedy.into() }
    }
}

/// The outcome of reading one value.
pub type Parsed<T> = Result<T, Fault>;

/// Declares a section: a struct whose fields are settings.
///
/// ```ignore
/// section! {
///     /// How long things live.
///     pub struct Lifetimes at "lifetimes." {
///         /// An authorization code. Default 60s.
///         code: Seconds = Fallback::Fixed("60s"), seconds(1, 60);
///     }
/// }
/// ```
macro_rules! section {
    (
        $(#[doc = $about:literal])+
        $vis:vis struct $name:ident at $prefix:literal {
            $( $(#[doc = $doc:literal])+ $field:ident : $type:ty = $fallback:expr, $parse:expr; )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone)]
        $vis struct $name {
            $( $(#[doc = $doc])+ pub $field: $type, )+
        }

        impl $name {
            /// The keys of this section, in the order of the fields.
            pub const SETTINGS: &'static [$crate::config::setting::Setting] = &[$(
                $crate::config::setting::Setting {
                    key: concat!($prefix, stringify!($field)),
                    doc: concat!($($doc, "\n"),+),
                    fallback: $fallback,
                    secrecy: <$type as $crate::config::setting::Shown>::SECRECY,
                }
            ),+];

            /// Reads all of them before giving up, so that every mistake is reported at once.
            pub(super) fn read(reader: &mut $crate::config::reader::Reader<'_>) -> Option<Self> {
                let mut settings = Self::SETTINGS.iter();
                $( let $field: Option<$type> = settings.next().and_then(|setting| reader.take(setting, $parse)); )+
                Some(Self { $($field: $field?),+ })
            }
        }
    };
}
pub(super) use section;

/// Declares a setting that is one of a few words.
macro_rules! words {
    (
        $(#[doc = $about:literal])+
        $vis:vis enum $name:ident {
            $( $(#[doc = $doc:literal])+ $variant:ident = $word:literal, )+
        }
    ) => {
        $(#[doc = $about])+
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        $vis enum $name {
            $( $(#[doc = $doc])+ $variant, )+
        }

        impl $name {
            /// The word that stands for it in the settings.
            pub fn as_str(self) -> &'static str {
                match self {
                    $( Self::$variant => $word, )+
                }
            }
        }

        impl $crate::config::parse::Word for $name {
            const ALL: &'static [Self] = &[$(Self::$variant),+];

            fn word(self) -> &'static str {
                self.as_str()
            }
        }

        impl $crate::config::setting::Shown for $name {
            fn show(&self) -> serde_json::Value {
                self.as_str().into()
            }
        }
    };
}
pub(super) use words;
