//! The style sheet, the script and the icon. They are part of the program. Their names have a digest of what they contain,
//! so a browser may keep them for ever.

use crate::fault::Fault;
use axum::extract::Path;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use sha2::{Digest, Sha256};
use std::fmt::Write;
use std::sync::LazyLock;

/// A file.
pub struct Asset {
    /// Its address.
    pub address: String,
    content_type: &'static str,
    bytes: &'static [u8],
}

impl Asset {
    fn new(name: &str, content_type: &'static str, bytes: &'static [u8]) -> Self {
        let digest = Sha256::digest(bytes).iter().take(6).fold(String::new(), |mut text, byte| {
            let _ = write!(text, "{byte:02x}"); // To a text: cannot fail.
            text
        });
        let (stem, extension) = name.split_once('.').unwrap_or((name, ""));
        Self { address: format!("/assets/{stem}-{digest}.{extension}"), content_type, bytes }
    }
}

/// The style sheet.
pub static STYLE: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("style.css", "text/css; charset=utf-8", include_bytes!("assets/style.css")));

/// The script.
pub static SCRIPT: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("page.js", "text/javascript; charset=utf-8", include_bytes!("assets/page.js")));

/// The icon.
pub static ICON: LazyLock<Asset> =
    LazyLock::new(|| Asset::new("icon.svg", "image/svg+xml", include_bytes!("assets/icon.svg")));

/// Serves a file.
pub async fn serve(Path(name): Path<String>) -> Result<Response, Fault> {
    let address = format!("/assets/{name}");
    let all: [&Asset; 3] = [&STYLE, &SCRIPT, &ICON];
    let found = all.into_iter().find(|asset| asset.address == address);
    let asset = found.ok_or_else(|| Fault::not_found("there is no such file"))?;
    let headers =
        [(header::CONTENT_TYPE, asset.content_type), (header::CACHE_CONTROL, "public, max-age=31536000, immutable")];
    Ok((headers, asset.bytes).into_response())
}
