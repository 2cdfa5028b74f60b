//! The cookies of the dashboard.
//!
//! A browser sends the cookies of a host to all its ports. So the port is in the name: two dashboards on one computer do
//! not end each other's logins.

use axum::http::{HeaderMap, HeaderValue, header};

/// What a cookie is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cookie {
    /// It has the token of a visitor who has logged in.
    Visit,
    /// It has the token of a login's form.
    Form,
    /// It has the token of a browser that has logged in before.
    Device,
}

/// The names and flags of the cookies.
#[derive(Clone, Copy, Debug)]
pub struct Cookies {
    /// The port of the dashboard.
    pub port: u16,
    /// Whether browsers reach it with TLS.
    pub secure: bool,
}

impl Cookies {
    fn name(self, cookie: Cookie) -> String {
        // With this prefix, browsers take the cookie only from this very host, with TLS, and for all its paths.
        let prefix = if self.secure { "__Host-" } else { "" };
        let what = match cookie {
            Cookie::Visit => "rasadmin",
            Cookie::Form => "rasadmin-form",
            Cookie::Device => "rasadmin-device",
        };
        format!("{prefix}{what}-{}", self.port)
    }

    /// The values that a browser has sent under the cookie's name. Another program on this host may have added some.
    pub fn read(self, cookie: Cookie, headers: &HeaderMap) -> Vec<&str> {
        /// More are not tried.
        const MOST: usize = 4;
        let name = self.name(cookie);
        let texts = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
        let pairs = texts.flat_map(|text| text.split(';')).filter_map(|pair| pair.trim().split_once('='));
        pairs.filter(|(of, _)| *of == name).map(|(_, value)| value).take(MOST).collect()
    }

    /// The header that sets the cookie until the browser is closed; that of the browser itself, for a year. Scripts cannot
    /// read it, and no other site's page can make a browser send it.
    pub fn set(self, cookie: Cookie, token: &str) -> HeaderValue {
        self.header(cookie, token, if cookie == Cookie::Device { "; Max-Age=31536000" } else { "" })
    }

    /// The header that removes the cookie.
    pub fn remove(self, cookie: Cookie) -> HeaderValue {
        self.header(cookie, "", "; Max-Age=0")
    }

    fn header(self, cookie: Cookie, value: &str, more: &str) -> HeaderValue {
        let secure = if self.secure { "; Secure" } else { "" };
        let text = format!("{}={value}; Path=/; HttpOnly; SameSite=Strict{secure}{more}", self.name(cookie));
        // Of tokens in hexadecimal digits: it is always a header.
        HeaderValue::from_str(&text).unwrap_or_else(|_| HeaderValue::from_static(""))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn under_tls_it_is_secure_and_has_the_prefix() {
        let plain = Cookies { port: 8600, secure: false };
        assert_eq!(plain.set(Cookie::Visit, "ab"), "rasadmin-8600=ab; Path=/; HttpOnly; SameSite=Strict");
        let secure = Cookies { port: 443, secure: true };
        assert_eq!(
            secure.set(Cookie::Visit, "ab"),
            "__Host-rasadmin-443=ab; Path=/; HttpOnly; SameSite=Strict; Secure"
        );
        assert_eq!(
            plain.set(Cookie::Device, "ab"),
            "rasadmin-device-8600=ab; Path=/; HttpOnly; SameSite=Strict; Max-Age=31536000"
        );
        assert_eq!(plain.remove(Cookie::Form), "rasadmin-form-8600=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    }

    #[test]
    fn only_the_cookies_of_its_name_are_read() {
        let cookies = Cookies { port: 1, secure: false };
        let mut headers = HeaderMap::new();
        headers
            .append(header::COOKIE, HeaderValue::from_static("a=b; rasadmin-1=x;rasadmin-form-1=f ; rasadmin-12=no"));
        headers.append(header::COOKIE, HeaderValue::from_static("rasadmin-1=y; ; =; rasadmin-1"));
        headers.append(header::COOKIE, HeaderValue::from_bytes(b"rasadmin-1=\xff").unwrap());
        assert_eq!(cookies.read(Cookie::Visit, &headers), ["x", "y"]);
        assert_eq!(cookies.read(Cookie::Form, &headers), ["f"]);
        headers.append(header::COOKIE, HeaderValue::from_str(&"rasadmin-1=z;".repeat(50)).unwrap());
        assert_eq!(cookies.read(Cookie::Visit, &headers).len(), 4);
    }
}
