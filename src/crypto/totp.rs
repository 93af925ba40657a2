//! RFC 6238: codes of authenticator apps, and the pictures from which the apps read the secret.

use qrcodegen::{QrCode, QrCodeEcc};
use totp_rs::{Builder, Totp};
use zeroize::Zeroizing;

use super::secret::equal;

/// RFC 6238 §4: seconds that a code is shown for.
const STEP: i64 = 30;

/// RFC 4226 §4: 160 bits.
pub const SECRET_LENGTH: usize = 20;

/// Somebody's authenticator app, as this server knows it.
pub struct Authenticator(Totp);

impl Authenticator {
    /// `issuer` and `account` are what the app shows.
    pub fn new(secret: [u8; SECRET_LENGTH], issuer: &str, account: &str) -> Self {
        // A colon stands between the two.
        let plain = |text: &str| text.replace(':', " ");
        let builder = Builder::new().with_secret(secret).with_issuer(Some(plain(issuer)));
        Authenticator(builder.with_account_name(plain(account)).build_noncompliant())
    }

    /// The step that the code belongs to: the present one, or with `late` the one before (decision D7).
    pub fn step_of(&self, code: &str, now: i64, late: bool) -> Option<i64> {
        let present = now / STEP;
        let steps = [Some(present), late.then_some(present - 1)];
        // Every step is computed, whichever fits.
        let fitting = steps.into_iter().flatten().filter(|step| equal(self.code_of(*step).as_bytes(), code.as_bytes()));
        fitting.max()
    }

    fn code_of(&self, step: i64) -> Zeroizing<String> {
        Zeroizing::new(self.0.generate(u64::try_from(step * STEP).unwrap_or_default()).to_string())
    }

    /// `otpauth://totp/…`, as authenticator apps read it.
    pub fn uri(&self) -> Zeroizing<String> {
        Zeroizing::new(self.0.to_url().unwrap_or_default())
    }

    /// The secret for who types it: base 32 (RFC 4648 §6) in groups of four.
    pub fn secret(&self) -> Zeroizing<String> {
        let text = Zeroizing::new(self.0.secret().to_base32());
        let groups: Vec<&str> = text.as_bytes().chunks(4).filter_map(|group| std::str::from_utf8(group).ok()).collect();
        Zeroizing::new(groups.join(" "))
    }

    /// The picture of [`uri`](Authenticator::uri).
    pub fn picture(&self) -> Picture {
        let code = QrCode::encode_text(&self.uri(), QrCodeEcc::Medium);
        Picture(code.expect("an issuer and an account of a few hundred characters fit"))
    }
}

/// Whether an app could show this as a code.
pub fn is_code(text: &str) -> bool {
    text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A QR code (ISO/IEC 18004).
pub struct Picture(QrCode);

/// White modules around it, which readers need.
const MARGIN: i32 = 4;

impl Picture {
    /// Modules on each side, the margin included.
    pub fn size(&self) -> i32 {
        self.0.size() + 2 * MARGIN
    }

    /// Its dark modules as the path of an SVG whose units are modules.
    pub fn path(&self) -> String {
        let all = (0..self.0.size()).flat_map(|y| (0..self.0.size()).map(move |x| (x, y)));
        let dark = all.filter(|(x, y)| self.0.get_module(*x, *y));
        dark.map(|(x, y)| format!("M{},{}h1v1h-1z", x + MARGIN, y + MARGIN)).collect()
    }

    /// A PNG in black and white.
    pub fn png(&self) -> Vec<u8> {
        const SCALE: i32 = 6;
        let side = self.size() * SCALE;
        let is_dark = |x: i32, y: i32| self.0.get_module(x / SCALE - MARGIN, y / SCALE - MARGIN);
        let mut rows = Vec::new();
        for y in 0..side {
            let lights: Vec<bool> = (0..side).map(|x| !is_dark(x, y)).collect();
            let byte =
                |eight: &[bool]| (0..).zip(eight).fold(0u8, |byte, (i, light)| byte | u8::from(*light) << (7 - i));
            rows.extend(lights.chunks(8).map(byte));
        }
        let mut png = Vec::new();
        let pixels = u32::try_from(side).unwrap_or_default();
        let mut encoder = png::Encoder::new(&mut png, pixels, pixels);
        encoder.set_color(png::ColorType::Grayscale);
        encoder.set_depth(png::BitDepth::One);
        let written = encoder.write_header().and_then(|mut writer| {
            writer.write_image_data(&rows)?;
            writer.finish()
        });
        written.expect("memory takes what is written");
        png
    }
}
