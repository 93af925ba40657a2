//! Colours keep their contrast (WCAG 2.2, 1.4.3 and 1.4.11), whatever accent the operator names.

use std::collections::HashMap;

use regex::Regex;
use signet::http::pages::{
    assets,
    brand::{DEFAULT_ACCENT, brand_css},
};

type Colors = HashMap<String, [f64; 3]>;

/// The colours of the two themes, light first.
fn themes(css: &str) -> [Colors; 2] {
    let dark = css.find("prefers-color-scheme").expect("a dark theme");
    let end = css[dark..].find("}\n}").map_or(css.len(), |end| dark + end);
    [colors(&css[..dark]), colors(&css[dark..end])]
}

fn colors(css: &str) -> Colors {
    let property = Regex::new(r"--([a-z-]+):\s*#([0-9a-f]{3,6});").expect("a pattern");
    property.captures_iter(css).map(|found| (found[1].to_owned(), channels(&found[2]))).collect()
}

fn channels(hex: &str) -> [f64; 3] {
    let wide = if hex.len() == 3 { hex.chars().flat_map(|c| [c, c]).collect() } else { hex.to_owned() };
    [0, 2, 4].map(|at| f64::from(u8::from_str_radix(&wide[at..at + 2], 16).expect("hex")))
}

fn contrast(a: [f64; 3], b: [f64; 3]) -> f64 {
    let luminance = |color: [f64; 3]| {
        let [r, g, b] =
            color.map(|c| c / 255.0).map(|c| if c <= 0.040_45 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) });
        0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05
    };
    let (a, b) = (luminance(a), luminance(b));
    if a > b { a / b } else { b / a }
}

fn style() -> String {
    let asset = assets::find("signet.css").expect("the style");
    String::from_utf8(asset.content.to_vec()).expect("text")
}

#[test]
fn the_colors_of_the_pages_can_be_read() {
    for theme in themes(&style()) {
        for (text, ground) in [
            ("ink", "page"),
            ("ink", "card"),
            ("ink", "inset"),
            ("ink", "accent-soft"),
            ("ink-soft", "page"),
            ("ink-soft", "card"),
            ("ink-soft", "inset"),
            ("ink-soft", "accent-soft"),
            ("good", "card"),
            ("good", "page"),
            ("good", "good-soft"),
            ("bad", "card"),
            ("bad", "page"),
            ("bad", "bad-soft"),
        ] {
            let found = contrast(theme[text], theme[ground]);
            assert!(found >= 4.5, "{text} on {ground}: {found:.2}");
        }
        let found = contrast(theme["field-line"], theme["card"]);
        assert!(found >= 3.0, "the line around a field: {found:.2}");
    }
}

#[test]
fn the_colors_of_any_accent_can_be_read() {
    let grounds = themes(&style());
    const STEPS: [u8; 10] = [0, 16, 51, 85, 119, 136, 170, 204, 238, 255];
    let grid = STEPS.into_iter().flat_map(|r| STEPS.map(|g| STEPS.map(|b| (r, g, b)))).flatten();
    for accent in grid.map(|(r, g, b)| format!("#{r:02X}{g:02x}{b:02x}")) {
        for (theme, ground) in themes(&brand_css(&accent)).iter().zip(&grounds) {
            let at_least = |a: [f64; 3], b: [f64; 3], ratio: f64, what: &str| {
                let found = contrast(a, b);
                assert!(found >= ratio, "{accent}: {what}: {found:.2}");
            };
            for fill in ["accent-fill", "accent-fill-hover"] {
                at_least(theme["accent-on-fill"], theme[fill], 4.5, fill);
            }
            for (name, below) in [("card", ground["card"]), ("page", ground["page"]), ("soft", theme["accent-soft"])] {
                at_least(theme["accent-ink"], below, 4.5, name);
            }
            at_least(theme["accent-edge"], ground["card"], 3.0, "edge");
            at_least(ground["ink"], theme["accent-soft"], 4.5, "ink on a tint");
            at_least(ground["ink-soft"], theme["accent-soft"], 4.5, "soft ink on a tint");
        }
    }
}

#[test]
fn the_style_has_the_default_accent_built_in() {
    let (built_in, made) = (themes(&style()), themes(&brand_css(DEFAULT_ACCENT)));
    for (built_in, made) in built_in.iter().zip(&made) {
        for (name, color) in made {
            assert_eq!(built_in.get(name), Some(color), "{name}; brand.css is:\n{}", brand_css(DEFAULT_ACCENT));
        }
    }
}

#[test]
fn an_accent_that_is_no_color_is_the_default() {
    for accent in ["", "red", "#12", "#12345", "#1234567", "#+12345", "#ggg", "#fff;}body{display:none", "#ééé"] {
        assert_eq!(brand_css(accent), brand_css(DEFAULT_ACCENT), "{accent}");
    }
    assert_eq!(brand_css("#FA0"), brand_css("#ffaa00"));
    assert!(brand_css("#ffaa00").starts_with(":root{--accent-fill:#ffaa00;"));
}

#[test]
fn the_script_is_small_and_the_files_have_versions() {
    assert!(assets::find("signet.js").expect("the script").content.len() <= 3072);
    assert!(assets::find("touch-icon.png").expect("the icon").content.starts_with(b"\x89PNG"));
    assert!(assets::find("../signet.css").is_none());
    assert_eq!(assets::version().len(), 16);
    assert_ne!(assets::version_of([b"a".as_slice()]), assets::version_of([b"b".as_slice()]));
}
