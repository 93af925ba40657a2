//! Writes every page to `target/gallery`, to be looked at: `SIGNET_TEST_GALLERY=1 cargo test --test it gallery`.

use std::{fs, path::Path};

use signet::{
    app::text,
    http::pages::{assets, brand},
};

use super::samples::{self, Data};

#[test]
fn the_gallery_shows_every_page() {
    #[expect(clippy::disallowed_methods, reason = "a switch for whoever looks at the pages, not a setting")]
    let Some(accent) = std::env::var_os("SIGNET_TEST_GALLERY") else { return };
    let accent = accent.to_string_lossy();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/gallery");
    fs::create_dir_all(folder.join("static")).expect("a folder");
    for asset in assets::ASSETS {
        fs::write(folder.join("static").join(asset.name), asset.content).expect("a file");
    }
    fs::write(folder.join("static/brand.css"), brand::brand_css(&accent)).expect("a file");
    for texts in text::languages() {
        for (data, kind) in [(Data::Pleasant, ""), (Data::Hostile, "-hostile")] {
            for sample in samples::all(texts, data) {
                let html =
                    sample.html.replace("\"/static/", "\"static/").replace("/clients/client/logo?v=1", "static/rp.svg");
                let html = html.replace("<script>", "<script type=\"off\">");
                let name = format!("{}-{}{kind}.html", texts.tag(), sample.name);
                fs::write(folder.join(name), html).expect("a file");
            }
        }
    }
    let logo = r##"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 48 48"><path fill="#0f766e" d="M6 34c6 5 12 5 18 0s12-5 18 0v6H6z"/><path fill="#f59e0b" d="M23 6v24H8zM26 12v18h13z"/></svg>"##;
    fs::write(folder.join("static/rp.svg"), logo).expect("a file");
}
