//! Who gets in, and what every request and every answer must have: over real connections.
#![allow(clippy::unwrap_used)]

mod support;

use rasadmin_web::server::{NotServed, serve};
use rasadmin_web::{Role, accounts};
use std::sync::Arc;
use support::{Answer, Browser, PASSWORD, Server, form, options, request, source};

#[test]
fn without_a_visit_a_page_leads_to_the_login_and_a_program_gets_401() {
    let server = Server::new();
    server.get("/").is(303).leads_to("/login?next=/");
    server.get("/sessions?user=a&x=%20").is(303).leads_to("/login?next=/sessions%3Fuser%3Da%26x%3D%2520");
    server.get("/no/such/page").is(303);
    server.send("GET", "/", &[("X-Live", "1")], "").is(401);
    server.get("/api/sessions").is(401);
    server.get("/events").is(401);
    server.send("POST", "/sessions/1/disconnect", &[], "csrf=x").is(303).leads_to("/login?ended=1");
    server.get("/login?ended=1").is(200).shows("You were logged out, so what you sent had no effect");
    server.send("POST", "/logout", &[], "csrf=x").is(303).leads_to("/login?next=/");
    server.get("/login").is(200).shows("Log in");
    server.get("/healthz").is(200).shows("ok");
    server.get("/assets/nothing.css").is(404);
    for cookie in ["", "x", &"0".repeat(64), &"\u{e9}".repeat(32)] {
        let cookie = format!("rasadmin-{}={cookie}", server.address.port());
        server.send("GET", "/", &[("Cookie", &cookie)], "").is(303);
    }
}

#[test]
fn what_the_framework_refuses_has_a_page_too() {
    let server = Server::new();
    let mut browser = server.opened();
    for (path, status, heading, says) in [
        ("/logout", 405, "Not possible", "cannot be asked for in this way"),
        ("/sessions/%ff", 400, "Not valid", "The address is not valid"),
        ("/decisions/%ff", 400, "Not valid", "The address is not valid"),
        ("/events?seen=abc", 400, "Not valid", "The address is not valid"),
    ] {
        let page = browser.get(path).is(status).shows(says).shows("Go back to the first page");
        page.shows(&format!("<h1>{heading}</h1>")).shows(&format!("<title>{heading} · rasadmin</title>"));
    }
    server.send("GET", "/API/v1/sessions", &[("Authorization", "Bearer x")], "").is(401);
}

#[test]
fn another_sites_name_is_refused() {
    let server = Server::new();
    let port = server.address.port();
    let get = |host: &str| server.raw(request(host, "GET", "/login", &[], "").as_bytes());
    for host in
        [format!("localhost:{port}"), format!("127.0.0.1:{port}"), format!("[::1]:{port}"), "dash.example".into()]
    {
        get(&host).is(200);
    }
    for host in ["evil.example".into(), format!("evil.example:{port}"), "localhost".into(), String::new()] {
        get(&host).is(421).shows("not served under this name");
    }
    let own = server.host();
    for head in [
        "GET /login HTTP/1.0\r\n\r\n".to_owned(),
        format!("GET /login HTTP/1.1\r\nConnection: close\r\nHost: {own}\r\nHost: evil.example\r\n\r\n"),
        format!("GET /login HTTP/1.1\r\nConnection: close\r\nHost: {own}\r\nHost: {own}\r\n\r\n"),
        format!("GET http://evil.example/login HTTP/1.1\r\nConnection: close\r\nHost: {own}\r\n\r\n"),
        format!("GET http://{own}/login HTTP/1.1\r\nConnection: close\r\nHost: evil.example\r\n\r\n"),
    ] {
        server.raw(head.as_bytes()).is(421);
    }
    server
        .raw(format!("GET http://{own}/login HTTP/1.1\r\nConnection: close\r\nHost: {own}\r\n\r\n").as_bytes())
        .is(200);
}

#[test]
fn a_one_time_link_works_once() {
    let server = Server::new();
    assert!(server.link.starts_with(&format!("http://{}/open?key=", server.address)), "{}", server.link);
    server.send("HEAD", server.link_path(), &[], "").is(204);
    server.get("/open").is(403);
    server.get(&format!("/open?key={}", "0".repeat(64))).is(403);
    let mut browser = server.opened();
    browser.get("/").is(200).shows("CORP\\admin");
    server.get(server.link_path()).is(403).shows("has been used already");
    server.has_told("login of `CORP\\admin` (operator) from 127.0.0.1 with a one-time link");
    server.has_told("failed login from 127.0.0.1: the one-time link");
}

#[test]
fn a_user_logs_in_and_out() {
    let server = Server::new();
    server.user("alice", Role::Viewer);
    let mut browser = server.browser();
    browser
        .log_in("alice", "another password", "/")
        .is(403)
        .shows("The name or the password is wrong")
        .shows("value=\"alice\"");
    browser.log_in("nobody", PASSWORD, "/").is(403).shows("The name or the password is wrong");
    assert!(!browser.is_in());
    browser.log_in("alice", PASSWORD, "/sessions?user=bob").is(303).leads_to("/sessions?user=bob");
    let kept = browser.clone();
    let page = browser.get("/").is(200);
    browser.get("/login?next=/users").is(303).leads_to("/users");
    browser.post("/logout", &[("csrf", &page.csrf())]).is(303).leads_to("/login");
    assert!(!browser.is_in());
    assert!(!kept.clone().is_in(), "a kept cookie is worth nothing");
    server.has_told("failed login as `alice` from 127.0.0.1");
    server.has_told("failed login as `nobody` from 127.0.0.1");
    server.has_told("login of `alice` (viewer) from 127.0.0.1");
    server.has_told("logout of `alice` from 127.0.0.1");
}

#[test]
fn a_login_ends_the_browsers_visit_of_before() {
    let server = Server::new();
    server.user("alice", Role::Viewer);
    let mut browser = server.opened();
    let before = browser.clone();
    let csrf = browser.get("/").csrf();
    // The page of the login is not shown to a visitor; the form of another tab may still be there.
    let mut tab = server.browser();
    let form = tab.get("/login").csrf();
    browser.cookies.extend(tab.cookies);
    browser.post("/login", &[("csrf", &csrf), ("name", "alice"), ("password", PASSWORD)]).is(403);
    browser.post("/login", &[("csrf", &form), ("name", "alice"), ("password", PASSWORD)]).is(303);
    browser.get("/").is(200).shows("alice");
    assert!(!before.clone().is_in());
}

#[test]
fn behind_a_proxy_that_encrypts_browsers_send_cookies_encrypted_only() {
    let server = Server::with(|options| options.names = vec!["https://dash.example".to_owned()]);
    let ask = |host: &str, path: &str, headers: &[(&str, &str)]| {
        server.raw(request(host, "GET", path, headers, "").as_bytes())
    };
    let form = ask(&server.host(), "/login", &[]);
    assert!(form.set_cookies().iter().all(|cookie| cookie.starts_with("rasadmin-form-") && !cookie.contains("Secure")));
    let opened = ask("dash.example", server.link_path(), &[]).is(303);
    let [cookie] = opened.set_cookies()[..] else { panic!("{opened:?}") };
    assert!(cookie.starts_with("__Host-rasadmin-") && cookie.contains("; Secure"), "{cookie}");
    let visit = cookie.split(';').next().unwrap();
    ask("dash.example", "/", &[("Cookie", visit)]).is(200);
    ask(&server.host(), "/", &[("Cookie", visit)]).is(303);
}

#[test]
fn a_login_leads_to_this_site_only() {
    let server = Server::new();
    server.user("alice", Role::Viewer);
    for next in ["https://evil.example/", "//evil.example", "/\\evil.example", "/\r\nSet-Cookie: a=b", "\u{0}", ""] {
        server.browser().log_in("alice", PASSWORD, next).is(303).leads_to("/");
    }
    let page = server.get("/login?next=https://evil.example/").is(200);
    assert!(!page.body.contains("evil.example"), "{}", page.body);
}

#[test]
fn no_script_and_no_other_site_gets_the_cookies() {
    let server = Server::new();
    let port = server.address.port();
    let answer = server.get(server.link_path());
    let [cookie] = answer.set_cookies()[..] else { panic!("{answer:?}") };
    let (name, rest) = cookie.split_once('=').unwrap();
    let (token, flags) = rest.split_once("; ").unwrap();
    assert_eq!((name, flags), (format!("rasadmin-{port}").as_str(), "Path=/; HttpOnly; SameSite=Strict"));
    assert!(token.len() == 64 && token.bytes().all(|byte| byte.is_ascii_hexdigit()), "{token}");
    let page = server.send("GET", "/", &[("Cookie", &format!("{name}={token}"))], "").is(200);
    assert!(!page.body.contains(token), "a page has another token for its forms");
    let form = server.get("/login");
    let [cookie] = form.set_cookies()[..] else { panic!("{form:?}") };
    assert!(cookie.starts_with(&format!("rasadmin-form-{port}=")), "{cookie}");
    assert!(cookie.ends_with("; Path=/; HttpOnly; SameSite=Strict"), "{cookie}");
}

#[test]
fn a_change_needs_the_token_of_the_visit() {
    let server = Server::new();
    server.user("alice", Role::Operator);
    let mut browser = server.opened();
    let mut alice = server.browser();
    alice.log_in("alice", PASSWORD, "/").is(303);
    let (own, others) = (browser.get("/").csrf(), alice.get("/").csrf());
    assert_ne!(own, others);
    let cookie = browser.cookies[0].1.clone();
    for fields in [
        vec![],
        vec![("csrf", "")],
        vec![("csrf", others.as_str())],
        vec![("csrf", cookie.as_str())],
        vec![("csrf", own.as_str()), ("csrf", own.as_str())],
        vec![("CSRF", own.as_str())],
    ] {
        browser.post("/logout", &fields).is(403).shows("not from a page of this visit");
    }
    let cookies = browser.cookie_header();
    let length = form(&[("csrf", &own)]).len().to_string();
    let json = [("Cookie", cookies.as_str()), ("Content-Type", "text/plain"), ("Content-Length", &length)];
    server.send("PUT", "/logout", &json, &form(&[("csrf", &own)])).is(403);
    browser.send("POST", &format!("/logout?csrf={own}"), &[], "").is(403);
    assert!(browser.is_in());
    browser.post("/logout", &[("csrf", &own)]).is(303);
    assert!(!browser.is_in() && alice.is_in());
}

#[test]
fn a_login_needs_the_token_of_its_form() {
    let server = Server::new();
    server.user("mallory", Role::Viewer);
    let fields = [("name", "mallory"), ("password", PASSWORD)];
    server.browser().post("/login", &fields).is(403);
    let theirs = server.get("/login").csrf();
    server.browser().post("/login", &[&fields[..], &[("csrf", &theirs)]].concat()).is(403);
    // Two tabs with the form: both work.
    let mut browser = server.browser();
    let (one, other) = (browser.get("/login").csrf(), browser.get("/login").csrf());
    assert_eq!(one, other);
    browser.post("/login", &[&fields[..], &[("csrf", &one)]].concat()).is(303);
}

#[test]
fn a_change_that_another_site_asks_for_is_refused() {
    let server = Server::new();
    let mut browser = server.opened();
    let body = form(&[("csrf", &browser.get("/").csrf())]);
    let (own, port) = (format!("http://{}", server.host()), server.address.port());
    let other_name = format!("http://127.0.0.1:{port}");
    for headers in [
        vec![("Origin", "http://evil.example")],
        vec![("Origin", "null")],
        vec![("Origin", "http://localhost:1")],
        vec![("Origin", other_name.as_str())],
        vec![("Origin", own.as_str()), ("Origin", "http://evil.example")],
        vec![("Sec-Fetch-Site", "cross-site")],
        vec![("Sec-Fetch-Site", "same-site")],
        vec![("Sec-Fetch-Site", "none")],
        vec![("Origin", own.as_str()), ("Sec-Fetch-Site", "cross-site")],
    ] {
        browser.send("POST", "/logout", &headers, &body).is(403).shows("a page of another site");
    }
    assert!(browser.is_in());
    browser.send("POST", "/logout", &[("Origin", &own), ("Sec-Fetch-Site", "same-origin")], &body).is(303);
}

#[test]
fn every_answer_has_the_headers() {
    let server = Server::with(|options| options.limits.request = std::time::Duration::from_millis(300));
    let mut browser = server.opened();
    let style = browser.get("/").body;
    let style = &style[style.find("/assets/style").unwrap()..];
    let style = style.split('"').next().unwrap();
    let cookies = browser.cookie_header();
    let large = [("Cookie", cookies.as_str()), ("Content-Length", "70000")];
    let slow =
        format!("POST /logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\nContent-Length: 9\r\n\r\n", server.host());
    let all = [
        browser.get("/").is(200),
        browser.get("/no/such/page").is(404),
        browser.send("POST", "/healthz", &[], &form(&[("csrf", &browser.clone().get("/").csrf())])).is(405),
        browser.post("/logout", &[]).is(403),
        server.send("GET", "/login", &large, "").is(413),
        server.raw(slow.as_bytes()).is(408),
        server.raw(request("evil.example", "GET", "/", &[], "").as_bytes()).is(421),
        server.get("/").is(303),
        server.get("/api/x").is(401),
        server.get("/open?key=x").is(403),
        server.get("/login").is(200),
        server.get("/assets/x").is(404),
        server.get(style).is(200),
    ];
    for (at, answer) in all.iter().enumerate() {
        let expected = [
            (
                "content-security-policy",
                "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; \
                 form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
            ),
            ("x-content-type-options", "nosniff"),
            ("x-frame-options", "DENY"),
            ("referrer-policy", "same-origin"),
            ("cross-origin-opener-policy", "same-origin"),
            ("cross-origin-resource-policy", "same-origin"),
            ("cache-control", if at == all.len() - 1 { "public, max-age=31536000, immutable" } else { "no-store" }),
        ];
        for (name, value) in expected {
            assert_eq!(answer.header(name), Some(value), "{answer:#?}");
        }
    }
}

#[test]
fn a_large_body_is_refused() {
    let server = Server::new();
    let mut browser = server.opened();
    let csrf = browser.get("/").csrf();
    let cookies = browser.cookie_header();
    // It is refused before it is sent,
    let head = format!(
        "POST /logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\nConnection: close\r\nContent-Length: 65537\r\n\r\n",
        server.host()
    );
    server.raw(head.as_bytes()).is(413);
    // and also if its length is not told.
    let piece = "x".repeat(0x8000);
    let chunks: String = (0..3).map(|_| format!("8000\r\n{piece}\r\n")).collect();
    let chunked = format!(
        "POST /logout HTTP/1.1\r\nHost: {}\r\nCookie: {cookies}\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n\
         {chunks}0\r\n\r\n",
        server.host()
    );
    server.raw(chunked.as_bytes()).is(413);
    assert!(browser.is_in());
    let largest = "x".repeat((64 << 10) - form(&[("csrf", &csrf), ("x", "")]).len());
    let body = form(&[("csrf", &csrf), ("x", "")]) + &largest;
    assert_eq!(body.len(), 64 << 10);
    browser.send("POST", "/logout", &[], &body).is(303);
}

/// Whether a browser must wait for the failures of before. On a slow machine, a pause may be over; the next one is longer.
fn is_delayed(browser: &mut Browser<'_>, name: &str) -> bool {
    (0..3).any(|_| browser.log_in(name, "a wrong password", "/").status == 429)
}

/// Fails until it must wait.
fn fail(browser: &mut Browser<'_>, name: &str) -> Answer {
    let mut answers = (0..30).map(|_| browser.log_in(name, "a wrong password", "/"));
    answers.find(|answer| answer.status != 403).unwrap().is(429)
}

#[test]
fn failed_logins_cost_time_but_a_link_works_at_once() {
    let server = Server::new();
    server.user("alice", Role::Viewer);
    server.user("bob", Role::Viewer);
    let mut browser = server.browser();
    let refused = fail(&mut browser, "alice").shows("too many failed logins");
    assert!(refused.header("retry-after").unwrap().parse::<u64>().unwrap() >= 1);
    let told = server.told().len();
    let tried = ["alice", "Alice", "ALICE"].map(|name| browser.log_in(name, "a wrong password", "/").status);
    assert!(tried.contains(&429), "{tried:?}");
    let made = tried.iter().filter(|status| **status == 403).count();
    assert_eq!(server.told().len(), told + made, "attempts that are not made fill no log: {:?}", server.told());
    server.has_told("the next attempt from there is possible in");
    server.browser().log_in("bob", PASSWORD, "/").is(303);
    assert!(server.opened().is_in());
}

#[test]
fn a_stranger_does_not_delay_a_browser_that_has_logged_in_before() {
    let server = Server::new();
    server.user("alice", Role::Viewer);
    server.user("bob", Role::Viewer);
    let mut known = server.browser();
    known.log_in("alice", PASSWORD, "/").is(303);
    let csrf = known.get("/").csrf();
    known.post("/logout", &[("csrf", &csrf)]).is(303);
    fail(&mut server.browser(), "alice");
    assert!(is_delayed(&mut server.browser(), "alice"), "another browser");
    let mut copy = known.clone();
    known.log_in("ALICE", PASSWORD, "/").is(303);
    // It is for one name, and has a limit too.
    fail(&mut server.browser(), "bob");
    assert!(is_delayed(&mut copy, "bob"));
    fail(&mut copy, "alice");
    assert!(is_delayed(&mut copy, "alice"));
}

#[test]
fn another_password_makes_a_browser_unknown() {
    let server = Server::new();
    server.user("carol", Role::Viewer);
    let mut known = server.browser();
    known.log_in("carol", PASSWORD, "/").is(303);
    accounts::remove(&server.users(), "carol").unwrap();
    server.user("carol", Role::Viewer);
    fail(&mut server.browser(), "carol");
    assert!(is_delayed(&mut known, "carol"));
}

#[test]
fn a_removed_or_changed_user_is_out_at_once() {
    let server = Server::new();
    server.user("alice", Role::Operator);
    server.user("bob", Role::Viewer);
    let (mut alice, mut bob) = (server.browser(), server.browser());
    alice.log_in("alice", PASSWORD, "/").is(303);
    bob.log_in("bob", PASSWORD, "/").is(303);
    accounts::remove(&server.users(), "alice").unwrap();
    assert!(!alice.is_in() && bob.is_in());
    server.has_told("the visit of `alice` has ended");
    // The same name and password again: another user.
    server.user("alice", Role::Operator);
    assert!(!alice.is_in());
    alice.log_in("alice", PASSWORD, "/").is(303);
    let text = std::fs::read_to_string(server.users()).unwrap();
    std::fs::write(server.users(), text.replace("operator", "viewer")).unwrap();
    assert!(!alice.is_in() && bob.is_in());
}

#[test]
fn a_users_file_that_breaks_lets_nobody_in_until_it_is_mended() {
    let server = Server::new();
    server.user("alice", Role::Viewer);
    let (mut alice, mut other) = (server.browser(), server.browser());
    alice.log_in("alice", PASSWORD, "/").is(303);
    let good = std::fs::read_to_string(server.users()).unwrap();
    std::fs::write(server.users(), "users = 7").unwrap();
    assert!(!alice.is_in());
    let answer = other.log_in("alice", PASSWORD, "/").is(503);
    assert!(!answer.body.contains("dashboard-users"), "{}", answer.body);
    server.has_told("dashboard-users.toml: the dashboard's users are not valid");
    assert!(server.opened().is_in(), "a link needs no file");
    std::fs::write(server.users(), good).unwrap();
    assert!(alice.is_in());
}

#[test]
fn a_hostile_name_is_harmless_on_the_page_and_in_the_log() {
    let server = Server::new();
    let name = "\"><script>alert(1)</script>\r\nlogin of `root`\u{1b}[2J\u{202e}";
    let page = server.browser().log_in(name, PASSWORD, "/").is(403);
    assert!(!page.body.contains("<script>alert"), "{}", page.body);
    let told = server.told();
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(!told[0].contains(|c: char| c.is_control() || c == '\u{202e}'), "{told:?}");
    let long = "x".repeat(10_000);
    server.browser().log_in(&long, PASSWORD, "/").is(403);
    assert!(server.told()[1].len() < 300);
    // A user of the file may have it in their name.
    let name = "<b>O'Neil & \"sons\"</b>";
    server.user(name, Role::Viewer);
    let mut browser = server.browser();
    browser.log_in(name, PASSWORD, "/").is(303);
    browser.get("/").is(200).shows("&lt;b&gt;O'Neil &amp; ");
}

#[test]
fn other_computers_are_served_only_with_tls_or_if_it_is_demanded() {
    let folder = tempfile::tempdir().unwrap();
    let refused = |change: &dyn Fn(&mut rasadmin_web::server::Options)| {
        let mut options = options(folder.path());
        change(&mut options);
        serve(source(folder.path()), options, || true, Arc::new(|_: &str| ()), |_| ()).unwrap_err()
    };
    for listen in ["0.0.0.0:0", "10.0.0.1:0", "[::]:0", "[::ffff:10.0.0.1]:0"] {
        let error = refused(&|options| options.listen = listen.parse().unwrap());
        assert!(matches!(error, NotServed::WithoutTls(_)), "{error}");
        for way in ["--tls-certificate", "--self-signed", "--insecure"] {
            assert!(error.to_string().contains(way), "{error}");
        }
    }
    let error = refused(&|options| options.names = vec!["*".into()]);
    assert!(error.to_string().starts_with("`*` is not the name of a host"), "{error}");
    std::fs::write(folder.path().join("dashboard-users.toml"), "users = 7").unwrap();
    let error = refused(&|options| options.link_for = None);
    assert!(matches!(error, NotServed::Users(_)), "{error}");
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let error = refused(&|options| options.listen = taken.local_addr().unwrap());
    assert!(matches!(error, NotServed::Address(..)) && error.to_string().contains("--listen"), "{error}");
    let server = Server::with(|options| {
        options.listen = "0.0.0.0:0".parse().unwrap();
        options.insecure = true;
    });
    assert!(
        server.link.starts_with(&format!("http://127.0.0.1:{}/open?key=", server.address.port())),
        "{}",
        server.link
    );
}

/// Under Wine, everyone can read every file.
#[cfg(unix)]
#[test]
fn a_users_file_that_others_can_read_is_reported_at_the_start() {
    use std::os::unix::fs::PermissionsExt as _;
    let of_mode = |mode: u32| {
        Server::with(|options| {
            accounts::add(&options.users, "alice", Role::Viewer, PASSWORD).unwrap();
            std::fs::set_permissions(&options.users, std::fs::Permissions::from_mode(mode)).unwrap();
        })
    };
    let server = of_mode(0o644);
    server.has_told(
        "dashboard-users.toml: the hashes of the users' passwords are not private: it can be read by everyone",
    );
    server.has_told("chmod go= ");
    server.browser().log_in("alice", PASSWORD, "/").is(303);
    assert_eq!(of_mode(0o600).told(), Vec::<String>::new());
}
