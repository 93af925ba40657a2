//! The operator's accent colour as a style sheet. One colour is given; the shades around it are chosen so that text,
//! links, borders and focus rings keep the contrast of WCAG 2.2 AA (1.4.3, 1.4.11) in light and in dark.

/// Used where the settings name no accent, or one that cannot be read. `static/signet.css` has its shades built in.
pub const DEFAULT_ACCENT: &str = "#1d4e89";

/// What a page and a card are painted with, by theme; the same values stand in `static/signet.css`.
const LIGHT: Theme = Theme {
    page: Color(0xf4, 0xf5, 0xf7),
    card: Color(0xff, 0xff, 0xff),
    ink: Color(0x00, 0x00, 0x00),
    tint: 0.08,
    text: TEXT,
};
const DARK: Theme = Theme {
    page: Color(0x0e, 0x11, 0x16),
    card: Color(0x17, 0x1b, 0x22),
    ink: Color(0xff, 0xff, 0xff),
    tint: 0.16,
    text: 6.0,
};

const WHITE: Color = Color(0xff, 0xff, 0xff);
const BLACK: Color = Color(0x00, 0x00, 0x00);
/// Text (1.4.3) and parts of controls (1.4.11).
const TEXT: f64 = 4.5;
const SHAPE: f64 = 3.0;

struct Theme {
    page: Color,
    card: Color,
    /// The direction in which a shade gains contrast.
    ink: Color,
    /// How much accent is in a tinted surface.
    tint: f64,
    /// The contrast of links and icons: more in the dark, where colours glow less.
    text: f64,
}

/// The `/static/brand.css` of this accent, `#rgb` or `#rrggbb`.
pub fn brand_css(accent: &str) -> String {
    let accent = Color::parse(accent).or_else(|| Color::parse(DEFAULT_ACCENT)).unwrap_or(BLACK);
    format!(
        ":root{{{}}}\n@media (prefers-color-scheme:dark){{:root{{{}}}}}\n",
        shades(accent, &LIGHT),
        shades(accent, &DARK)
    )
}

fn shades(accent: Color, theme: &Theme) -> String {
    let edge = accent.until(theme.ink, SHAPE, &[theme.card, theme.page]);
    // On paper the brand's own colour stands, with an edge where it is pale. In the dark a deep colour would sink.
    let fill = if theme.ink == BLACK { accent } else { edge };
    let on_fill = if WHITE.contrast(fill) >= TEXT { WHITE } else { BLACK };
    let away = if on_fill == WHITE { BLACK } else { WHITE };
    let soft = theme.card.mix(accent, theme.tint);
    let ink = accent.until(theme.ink, theme.text, &[theme.card, theme.page, soft]);
    [
        ("fill", fill),
        ("fill-hover", fill.mix(away, 0.14)),
        ("on-fill", on_fill),
        ("edge", edge),
        ("ink", ink),
        ("soft", soft),
    ]
    .map(|(name, color)| format!("--accent-{name}:{};", color.hex()))
    .concat()
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Color(u8, u8, u8);

impl Color {
    fn parse(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#')?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        let byte = |shift: u32| u8::try_from(value >> shift & 0xff).ok();
        let nibble = |shift: u32| u8::try_from(value >> shift & 0xf).ok().map(|digit| digit * 17);
        match digits.len() {
            6 => Some(Self(byte(16)?, byte(8)?, byte(0)?)),
            3 => Some(Self(nibble(8)?, nibble(4)?, nibble(0)?)),
            _ => None,
        }
    }

    fn hex(self) -> String {
        format!("#{:02x}{:02x}{:02x}", self.0, self.1, self.2)
    }

    fn mix(self, other: Self, share: f64) -> Self {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of two bytes is a byte")]
        let part = |a: u8, b: u8| (f64::from(a) * (1.0 - share) + f64::from(b) * share).round() as u8;
        Self(part(self.0, other.0), part(self.1, other.1), part(self.2, other.2))
    }

    /// WCAG 2.2, "relative luminance".
    fn luminance(self) -> f64 {
        let linear = |byte: u8| {
            let value = f64::from(byte) / 255.0;
            if value <= 0.040_45 { value / 12.92 } else { ((value + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(self.0) + 0.7152 * linear(self.1) + 0.0722 * linear(self.2)
    }

    /// WCAG 2.2, "contrast ratio".
    fn contrast(self, other: Self) -> f64 {
        let (a, b) = (self.luminance() + 0.05, other.luminance() + 0.05);
        if a > b { a / b } else { b / a }
    }

    /// This colour, moved towards `ink` only as far as it must to stand out from every ground.
    fn until(self, ink: Self, ratio: f64, grounds: &[Self]) -> Self {
        (0..=50)
            .map(|step| self.mix(ink, f64::from(step) / 50.0))
            .find(|color| grounds.iter().all(|ground| color.contrast(*ground) >= ratio))
            .unwrap_or(ink)
    }
}
