//! The pages in the operator's own name and colour.
use super::{Place, refusal, settings};

#[test]
fn an_accent_is_refused_when_white_text_on_it_cannot_be_read() {
    assert_eq!(
        refusal("[branding]\naccent = '#777777'"),
        "signet.toml:2: branding.accent = \"#777777\": white text on it has a contrast of 4.47, below 4.5, and many people \
         cannot read it; use a darker colour: \"#757575\" is the nearest that passes"
    );
    for accent in ["#ffffff", "#ff0000", "#00ff00", "#ffcc00", "#3b82f6"] {
        let error = refusal(&format!("[branding]\naccent = '{accent}'"));
        let darker = error.rsplit('"').nth(1).unwrap();
        assert_eq!(settings(&format!("[branding]\naccent = '{darker}'")).branding.accent.to_string(), darker);
    }
}

#[test]
fn an_accent_is_refused_when_it_is_not_a_colour() {
    for accent in ["blue", "#fff", "1d4e89", "#1d4e8g", "#+1+1+1", "#1d4e89ff", "#ééé", ""] {
        let error = refusal(&format!("[branding]\naccent = '{accent}'"));
        assert!(error.contains("the value is not a colour; write #rrggbb"), "{error}");
    }
}

#[test]
fn an_accent_can_be_any_colour_that_carries_white_text() {
    for accent in ["#767676", "#000000", "#1d4e89", "#b00020"] {
        assert_eq!(settings(&format!("[branding]\naccent = '{accent}'")).branding.accent.to_string(), accent);
    }
    assert_eq!(settings("[branding]\naccent = '#B00020'").branding.accent.to_string(), "#b00020");
}

#[test]
fn a_logo_is_what_its_bytes_say() {
    let place = Place::with("[branding]\nlogo = 'logo.svg'\n");
    for (bytes, media_type) in [
        (&b"\x89PNG\r\n\x1a\n...."[..], "image/png"),
        (b"\xff\xd8\xff\xe0....", "image/jpeg"),
        (b"RIFF\x10\0\0\0WEBPVP8 ", "image/webp"),
    ] {
        place.write("logo.svg", bytes);
        let logo = place.load(&[]).unwrap().branding.logo.unwrap();
        assert_eq!((logo.media_type, &*logo.bytes), (media_type, bytes));
    }
}

#[test]
fn a_logo_is_refused_when() {
    let place = Place::with("[branding]\nlogo = 'logo'\n");
    let refused = |says: &str| {
        let error = place.refusal(&[]);
        assert!(error.starts_with("signet.toml:2: branding.logo = \"logo\": ") && error.contains(says), "{error}");
    };
    refused("the picture cannot be read (no such file or directory)");
    for bytes in [&b""[..], b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"GIF89a", b"RIFF\0\0\0\0WAVE"] {
        place.write("logo", bytes);
        refused("the picture is neither PNG, JPEG nor WebP");
    }
    let mut large = b"\x89PNG\r\n\x1a\n".to_vec();
    large.resize(512 * 1024, 0);
    place.write("logo", &large);
    place.load(&[]).unwrap();
    large.push(0);
    place.write("logo", &large);
    refused("the picture is larger than 512 KiB");
}
