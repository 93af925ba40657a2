//! The picture on a provider's button, kept as a `data:` URL (RFC 2397).

use std::{fmt, sync::Arc};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde::{Deserialize, Serialize};

use crate::protocol::picture;

/// A small picture, in memory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Icon(Arc<[u8]>);

/// Why something is no icon.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoIcon {
    #[error("it is not a data: URL in base64")]
    Form,
    #[error("it is larger than 32 KiB")]
    Large,
    #[error("it is neither PNG, JPEG, GIF nor WebP")]
    Kind,
}

impl Icon {
    /// Bytes of a picture.
    pub const LARGEST: usize = 32 * 1024;

    /// # Errors
    /// When it is too large, or no picture that pages can show.
    pub fn new(content: &[u8]) -> Result<Self, NoIcon> {
        if content.len() > Self::LARGEST {
            return Err(NoIcon::Large);
        }
        // SVG is left out on purpose: it can carry script.
        picture::media_type(content).ok_or(NoIcon::Kind)?;
        Ok(Icon(content.into()))
    }

    /// As a `data:` URL says it. What it says of its kind is not looked at.
    ///
    /// # Errors
    /// When it is none, or no picture that pages can show.
    pub fn parse(url: &str) -> Result<Self, NoIcon> {
        let (_, encoded) =
            url.strip_prefix("data:").and_then(|rest| rest.split_once(";base64,")).ok_or(NoIcon::Form)?;
        if encoded.len() > Self::LARGEST.div_ceil(3) * 4 {
            return Err(NoIcon::Large);
        }
        Self::new(&STANDARD.decode(encoded).map_err(|_| NoIcon::Form)?)
    }

    /// What it is by its first bytes, whatever it is called.
    pub fn media_type(&self) -> &'static str {
        picture::media_type(&self.0).unwrap_or_default()
    }

    pub fn content(&self) -> &[u8] {
        &self.0
    }

    /// Its `data:` URL.
    pub fn url(&self) -> String {
        format!("data:{};base64,{}", self.media_type(), STANDARD.encode(&self.0))
    }
}

impl TryFrom<String> for Icon {
    type Error = NoIcon;

    fn try_from(url: String) -> Result<Self, NoIcon> {
        Self::parse(&url)
    }
}

impl From<Icon> for String {
    fn from(icon: Icon) -> Self {
        icon.url()
    }
}

impl fmt::Debug for Icon {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Icon({}, {} bytes)", self.media_type(), self.0.len())
    }
}
