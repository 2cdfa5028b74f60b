//! Under TLS, browsers remember that a host is encrypted, and never send to it without.

use axum::Router;
use axum::extract::Request;
use axum::http::header::{HOST, STRICT_TRANSPORT_SECURITY};
use axum::http::{HeaderMap, HeaderValue};
use axum::middleware::{Next, from_fn};
use axum::response::Response;

/// Half a year.
const REMEMBER: HeaderValue = HeaderValue::from_static("max-age=15768000");

/// Adds the header to every answer.
pub fn remember(routes: Router) -> Router {
    routes.layer(from_fn(async |request: Request, next: Next| -> Response {
        let is_named = is_named(request.headers());
        let mut answer = next.run(request).await;
        if is_named {
            answer.headers_mut().insert(STRICT_TRANSPORT_SECURITY, REMEMBER);
        }
        answer
    }))
}

/// Whether the host has a name of its own. It would hold for all ports: every program on localhost would need TLS.
fn is_named(headers: &HeaderMap) -> bool {
    let host = headers.get(HOST).and_then(|host| host.to_str().ok()).unwrap_or_default();
    let name = host.split(':').next().unwrap_or_default();
    !name.is_empty()
        && !host.starts_with('[')
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !name.eq_ignore_ascii_case("localhost")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_with_a_name_are_remembered() {
        let is_named = |host: &'static str| {
            let mut headers = HeaderMap::new();
            headers.insert(HOST, HeaderValue::from_static(host));
            is_named(&headers)
        };
        for host in ["dash.example", "vpn1:8600", "vpn1.example:443"] {
            assert!(is_named(host), "{host}");
        }
        for host in ["", "localhost:8600", "LOCALHOST", "127.0.0.1:8600", "10.0.0.1", "[::1]:8600"] {
            assert!(!is_named(host), "{host}");
        }
        assert!(!super::is_named(&HeaderMap::new()));
    }
}
