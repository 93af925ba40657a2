//! The files that the pages need beside themselves: compiled in, named by content so that they may be cached for good.

use std::sync::LazyLock;

/// A file under `/static/`.
#[derive(Debug)]
pub struct Asset {
    pub name: &'static str,
    pub media_type: &'static str,
    pub content: &'static [u8],
}

pub static ASSETS: &[Asset] = &[
    Asset {
        name: "signet.css",
        media_type: "text/css; charset=utf-8",
        content: include_bytes!("../../../static/signet.css"),
    },
    Asset {
        name: "signet.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../../static/signet.js"),
    },
    Asset {
        name: "new_password.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../../static/new_password.js"),
    },
    Asset {
        name: "passkey.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../../static/passkey.js"),
    },
    Asset {
        name: "session.js",
        media_type: "text/javascript; charset=utf-8",
        content: include_bytes!("../../../static/session.js"),
    },
    Asset { name: "favicon.svg", media_type: "image/svg+xml", content: include_bytes!("../../../static/favicon.svg") },
    Asset {
        name: "touch-icon.png",
        media_type: "image/png",
        content: include_bytes!("../../../static/touch-icon.png"),
    },
];

static VERSION: LazyLock<String> = LazyLock::new(|| version_of(ASSETS.iter().map(|asset| asset.content)));

/// The file of this name.
pub fn find(name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.name == name)
}

/// The `v` of the links to the files: it changes when one of them does.
pub fn version() -> &'static str {
    &VERSION
}

/// A short name for a content, for links only: FNV-1a guards against nothing but stale caches.
pub fn version_of<'a>(contents: impl IntoIterator<Item = &'a [u8]>) -> String {
    let bytes = contents.into_iter().flatten();
    let hash = bytes
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3));
    format!("{hash:016x}")
}
