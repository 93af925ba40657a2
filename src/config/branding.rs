//! `[branding]`: the pages in the operator's own name and colour.
use std::{fmt, fs::File, io::Read, path::PathBuf, sync::Arc};

use serde_json::Value;

use super::{
    parse::{optional, path, text},
    secret::reason,
    setting::{Fallback, Fault, Given, Parsed, Shown, section},
};

section! {
    /// How the pages look.
    pub struct Branding at "branding." {
        /// The name on every page, at most 60 characters. Default: Signet.
        name: String = Fallback::Fixed("Signet"), text(60);
        /// A PNG, JPEG or WebP file of at most 512 KiB, read at the start. Default: none.
        logo: Option<Logo> = Fallback::Unset, optional(logo);
        /// The colour of buttons and links, as #rrggbb; white text on it must be readable (WCAG 2.2, 1.4.3: a contrast
        /// of 4.5). Default: #1d4e89.
        accent: Accent = Fallback::Fixed("#1d4e89"), accent;
    }
}

/// A picture, in memory.
#[derive(Clone, PartialEq, Eq)]
pub struct Logo {
    /// Where it was read from.
    pub path: PathBuf,
    /// What it is by its first bytes, whatever the file is called.
    pub media_type: &'static str,
    pub bytes: Arc<[u8]>,
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {}, {} bytes)", self.path.display(), self.media_type, self.bytes.len())
    }
}

impl Shown for Logo {
    fn show(&self) -> Value {
        self.path.show()
    }
}

fn logo(given: &Given<'_>) -> Parsed<Logo> {
    const LARGEST: u64 = 512 * 1024;
    let path = path(given)?;
    let unreadable = |error: std::io::Error| {
        Fault::new(
            format!("the picture cannot be read ({})", reason(&error)),
            "name a file that exists and can be read",
        )
    };
    let mut bytes = Vec::new();
    File::open(&path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut bytes)).map_err(unreadable)?;
    if bytes.len() as u64 > LARGEST {
        return Err(Fault::new("the picture is larger than 512 KiB", "scale it down: 512 pixels are plenty"));
    }
    // SVG is left out on purpose: it can carry script.
    let media_type = media_type(&bytes)
        .ok_or_else(|| Fault::new("the picture is neither PNG, JPEG nor WebP", "export it as PNG"))?;
    Ok(Logo { path, media_type, bytes: bytes.into() })
}

fn media_type(bytes: &[u8]) -> Option<&'static str> {
    match bytes {
        [0x89, b'P', b'N', b'G', b'\r', b'\n', 0x1a, b'\n', ..] => Some("image/png"),
        [0xff, 0xd8, 0xff, ..] => Some("image/jpeg"),
        [b'R', b'I', b'F', b'F', _, _, _, _, b'W', b'E', b'B', b'P', ..] => Some("image/webp"),
        _ => None,
    }
}

/// A colour that carries white text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Accent {
    red: u8,
    green: u8,
    blue: u8,
}

impl Accent {
    const ENOUGH: f64 = 4.5;

    /// Red, green and blue.
    pub fn rgb(self) -> [u8; 3] {
        [self.red, self.green, self.blue]
    }

    /// The contrast to white, from 1 to 21 (WCAG 2.2, "contrast ratio").
    fn contrast(self) -> f64 {
        let linear = |part: u8| match f64::from(part) / 255.0 {
            part if part <= 0.04045 => part / 12.92,
            part => ((part + 0.055) / 1.055).powf(2.4),
        };
        let luminance = 0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue);
        1.05 / (luminance + 0.05)
    }

    /// The first darker shade of the same hue that carries white text. Black always does.
    fn darker(self) -> Self {
        let shade = |percent: u16| {
            let part = |part: u8| u8::try_from(u16::from(part) * percent / 100).unwrap_or(part);
            Self { red: part(self.red), green: part(self.green), blue: part(self.blue) }
        };
        let black = Self { red: 0, green: 0, blue: 0 };
        (0..100).rev().map(shade).find(|shade| shade.contrast() >= Self::ENOUGH).unwrap_or(black)
    }
}

impl fmt::Display for Accent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl Shown for Accent {
    fn show(&self) -> Value {
        self.to_string().into()
    }
}

fn accent(given: &Given<'_>) -> Parsed<Accent> {
    let accent = given
        .value
        .as_str()
        .and_then(hex)
        .ok_or_else(|| Fault::new("the value is not a colour", "write #rrggbb, like \"#1d4e89\""))?;
    if accent.contrast() >= Accent::ENOUGH {
        return Ok(accent);
    }
    // Rounded down, so that 4.499 does not read as enough.
    let contrast = (accent.contrast() * 100.0).floor() / 100.0;
    let problem =
        format!("white text on it has a contrast of {contrast:.2}, below 4.5, and many people cannot read it");
    Err(Fault::new(problem, format!("use a darker colour: \"{}\" is the nearest that passes", accent.darker())))
}

fn hex(text: &str) -> Option<Accent> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6 && digits.is_ascii())?;
    // A sign is no digit, though the standard library takes one.
    let digits = Some(digits).filter(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))?;
    let part = |at: usize| u8::from_str_radix(&digits[at..at + 2], 16).ok();
    Some(Accent { red: part(0)?, green: part(2)?, blue: part(4)? })
}
