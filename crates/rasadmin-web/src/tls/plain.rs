//! The answer to a browser that does not encrypt: the address that does.

use crate::served::Served;
use axum::body::Body;
use axum::http::header::{CACHE_CONTROL, CONNECTION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST};
use axum::http::{Request, Response, StatusCode};
use maud::{DOCTYPE, html};
use std::net::SocketAddr;

/// The first byte of a connection with TLS: a record of the handshake.
pub const HANDSHAKE: u8 = 0x16;

/// The answer to a request without TLS that came to this address of the server.
pub fn answer<B>(request: &Request<B>, served: &Served, local: SocketAddr) -> Response<Body> {
    let host = request.headers().get(HOST).and_then(|host| host.to_str().ok());
    // No other site's name gets into the page.
    let host = host.filter(|host| served.is_ours(host, local.ip())).map_or_else(|| local.to_string(), str::to_owned);
    let path = request.uri().path_and_query().map_or("/", |whole| whole.as_str());
    // A key that was sent without encryption is not sent once more.
    let path = if path.starts_with("/open") { "/" } else { path };
    let link = format!("https://{host}{path}");
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head { meta charset="utf-8"; title { "The dashboard is encrypted" } }
            body {
                h1 { "The dashboard is encrypted" }
                p { "This address begins with http. Use " a href=(link) { (link) } " instead." }
            }
        }
    };
    let answer = Response::builder()
        .status(StatusCode::BAD_REQUEST)
        .header(CONTENT_TYPE, "text/html; charset=utf-8")
        .header(CONTENT_SECURITY_POLICY, "default-src 'none'; base-uri 'none'; frame-ancestors 'none'")
        .header(CACHE_CONTROL, "no-store")
        .header(CONNECTION, "close");
    // Of headers that are all constants: it is always an answer.
    answer.body(Body::from(page.into_string())).unwrap_or_default()
}
