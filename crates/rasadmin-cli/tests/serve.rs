//! `rasadmin serve` and `rasadmin dashboard user`, as an administrator types them.
#![allow(clippy::unwrap_used)]

mod support;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use support::{PATIENCE, rasadmin, words};

/// A folder with a configuration.
struct Folder(tempfile::TempDir);

impl Folder {
    fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        std::fs::write(folder.config(), "default.action = \"allow\"\nserver.name = \"VPN1\"\n").unwrap();
        folder
    }

    fn config(&self) -> PathBuf {
        self.0.path().join("rasadmin.toml")
    }

    fn users(&self) -> PathBuf {
        self.0.path().join("dashboard-users.toml")
    }

    /// Adds a user with a password from standard input.
    fn add(&self, name: &str, more: &[&str], password: &str) -> std::process::Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        command.args(words([&"dashboard", &"user", &"add", &name, &"--config", &self.config()])).args(more);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A name that is refused ends it before it reads.
        let _ = child.stdin.take().unwrap().write_all(password.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn serve(&self, more: &[&str]) -> Serving {
        let mut command = Command::new(env!("CARGO_BIN_EXE_rasadmin"));
        command.args(words([&"serve", &"--listen", &"127.0.0.1:0", &"--config", &self.config()])).args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut first = String::new();
        // A warning may come first: Wine lets everyone read a key.
        while first.is_empty() || first.contains("warning: ") {
            first.clear();
            assert_ne!(lines.read_line(&mut first).unwrap(), 0, "it has ended");
        }
        let address = first.split("://").nth(1).and_then(|rest| rest.split('/').next());
        let address = address.unwrap_or_else(|| panic!("no address in {first:?}")).to_owned();
        Serving { child, lines, address }
    }
}

/// A dashboard. It is killed at the end, however the test ends.
struct Serving {
    child: Child,
    lines: BufReader<std::process::ChildStdout>,
    address: String,
}

impl Serving {
    fn line(&mut self) -> String {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        line.trim_end().to_owned()
    }

    /// The whole answer.
    fn get(&self, path: &str, cookie: &str) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head =
            format!("GET {path} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {cookie}\r\n\r\n", self.address);
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn the_printed_link_opens_the_dashboard_once() {
    let folder = Folder::new();
    let mut serving = folder.serve(&["--open"]);
    let line = serving.line();
    let path = line.split(&serving.address).nth(1).unwrap_or_else(|| panic!("no link in {line:?}")).to_owned();
    assert!(path.starts_with("/open?key="), "{line}");
    assert!(serving.get("/", "").starts_with("HTTP/1.1 303"));
    let answer = serving.get(&path, "");
    let cookie =
        answer.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap_or_else(|| panic!("{answer}"));
    let cookie = cookie.split(';').next().unwrap();
    // There is no ledger: the page says so, to a visitor only.
    let page = serving.get("/", cookie);
    assert!(page.starts_with("HTTP/1.1 503") || page.starts_with("HTTP/1.1 200"), "{page}");
    assert!(page.contains("<!DOCTYPE html>"), "{page}");
    assert!(serving.get(&path, "").starts_with("HTTP/1.1 403"));
    let told = serving.line();
    assert!(told.contains("login of `") && told.contains("with a one-time link"), "{told}");
}

#[cfg(unix)]
#[test]
fn it_ends_when_it_is_asked_to() {
    let folder = Folder::new();
    let mut serving = folder.serve(&["--open"]);
    assert!(serving.get("/healthz", "").ends_with("ok\n"));
    // On Windows a test cannot press Ctrl-C for another process alone.
    let id = serving.child.id().to_string();
    assert!(Command::new("kill").args(["-INT", &id]).status().unwrap().success());
    assert_eq!(serving.child.wait().unwrap().code(), Some(0));
}

#[test]
fn other_computers_need_a_decision_and_nobody_is_told() {
    let folder = Folder::new();
    let serve = |listen: &str| rasadmin(words([&"serve", &"--listen", &listen, &"--config", &folder.config()]));
    serve("0.0.0.0:0").ends(2).complains("must be encrypted").complains("--self-signed").complains("--insecure");
    serve("nonsense").ends(2).complains("--listen");
    let config = folder.0.path().join("missing.toml");
    rasadmin(words([&"serve", &"--config", &config])).ends(2).complains("missing.toml");
    std::fs::write(folder.users(), "users = 7").unwrap();
    serve("127.0.0.1:0").ends(2).complains("dashboard-users.toml: the dashboard's users are not valid");
    std::fs::remove_file(folder.users()).unwrap();
    let warning = || {
        let mut serving = folder.serve(&[]);
        serving.child.kill().unwrap();
        let mut warning = String::new();
        serving.child.stderr.take().unwrap().read_to_string(&mut warning).unwrap();
        warning
    };
    assert!(warning().contains("nobody can log in: add a user with `rasadmin dashboard user add`, or use --open"));
    rasadmin(words([&"dashboard", &"token", &"add", &"prometheus", &"--config", &folder.config()])).ends(0);
    assert!(warning().contains("only programs with a token are answered, and no person can log in: add a user"));
    folder.add("alice", &[], "correct horse battery\n");
    assert!(!warning().contains("can log in"));
}

#[test]
fn the_options_of_encryption() {
    let folder = Folder::new();
    let kept = folder.0.path().join("dashboard-self-signed.pem");
    let first = {
        let mut serving = folder.serve(&["--open", "--self-signed"]);
        assert!(serving.line().contains(&format!("once, within 5 minutes: https://{}/open?key=", serving.address)));
        serving.line()
    };
    let print = first.strip_prefix("the certificate's SHA-256 fingerprint is ").unwrap_or_else(|| panic!("{first}"));
    assert_eq!(print.len(), 32 * 3 - 1, "{first}");
    // It is kept beside the users, and can be given as files too.
    let file = kept.to_str().unwrap();
    let mut serving = folder.serve(&["--tls-certificate", file, "--tls-key", file]);
    assert_eq!(serving.line(), first);
    let refused = |more: &[&str]| {
        let mut all = words([&"serve", &"--listen", &"127.0.0.1:0", &"--config", &folder.config()]);
        all.extend(more.iter().map(Into::into));
        rasadmin(all)
    };
    refused(&["--tls-certificate", file]).ends(2).complains("--tls-key");
    refused(&["--tls-key", file]).ends(2).complains("--tls-certificate");
    refused(&["--self-signed", "--insecure"]).ends(2).complains("--insecure");
    let missing = folder.0.path().join("missing.pem");
    let missing = missing.to_str().unwrap();
    refused(&["--tls-certificate", file, "--tls-key", missing]).ends(2).complains("missing.pem: it cannot be read");
}

#[test]
fn the_configuration_says_what_no_option_does() {
    let folder = Folder::new();
    let configured = |table: &str| {
        let text = format!("default.action = \"allow\"\nserver.name = \"VPN1\"\n[dashboard]\n{table}");
        std::fs::write(folder.config(), text).unwrap();
    };
    configured("listen = '127.0.0.1:1'\nnames = ['vpn1.example']\nself_signed = true\nusers = 'people/who.toml'\n");
    std::fs::create_dir(folder.0.path().join("people")).unwrap();
    let mut serving = folder.serve(&["--open"]);
    let link = serving.line();
    assert!(
        link.contains(&format!("https://{}/open?key=", serving.address)),
        "the option counts for the address: {link}"
    );
    assert!(folder.0.path().join("people/dashboard-self-signed.pem").is_file(), "beside its users");
    drop(serving);
    assert_eq!(folder.add("alice", &[], "correct horse battery").status.code(), Some(0));
    assert!(folder.0.path().join("people/who.toml").is_file() && !folder.users().exists());
    let mut serving = folder.serve(&["--open", "--insecure"]);
    assert!(serving.line().contains(": http://"), "the option counts, and the configuration does not");
    drop(serving);
    // A name is one of the configuration's.
    configured("names = ['vpn1.example']\n");
    let serving = folder.serve(&[]);
    let status = |host: &str| {
        let mut stream = TcpStream::connect(&serving.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let head = format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
        stream.write_all(head.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        text.split(' ').nth(1).unwrap().to_owned()
    };
    assert_eq!((status("vpn1.example"), status("vpn2.example")), ("200".to_owned(), "421".to_owned()));
    configured("listen = '0.0.0.0:0'\n");
    rasadmin(words([&"serve", &"--config", &folder.config()])).ends(2).complains("the dashboard is not encrypted");
}

#[test]
fn users_are_added_listed_and_removed() {
    let folder = Folder::new();
    let config = folder.config();
    let list = || rasadmin(words([&"dashboard", &"user", &"list", &"--config", &config]));
    list().ends(0).prints("the dashboard has no users");
    let added = folder.add("alice", &["--role", "operator"], "correct horse battery\r\nsecond line");
    assert_eq!(added.status.code(), Some(0), "{added:?}");
    assert!(String::from_utf8_lossy(&added.stdout).contains("`alice` may use the dashboard as operator"), "{added:?}");
    assert_eq!(folder.add("bob", &[], "another password").status.code(), Some(0));
    list().ends(0).prints("alice").prints("operator").prints("viewer");
    let json = rasadmin(words([&"dashboard", &"user", &"list", &"--json", &"--config", &config])).ends(0).json();
    assert_eq!(json, serde_json::json!([{"name": "alice", "role": "operator"}, {"name": "bob", "role": "viewer"}]));
    for (name, password, code, told) in [
        ("ALICE", "correct horse battery", 1, "there is a user `alice`"),
        ("carol", "short", 2, "fewer than 12 characters"),
        ("carol", "", 2, "fewer than 12 characters"),
        ("a\u{1b}b", "correct horse battery", 2, "cannot be the name of a user or a token"),
    ] {
        let refused = folder.add(name, &[], password);
        let text = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(code), "{name}: {text}");
        assert!(text.contains(told) && !text.contains('\u{1b}'), "{name}: {text}");
    }
    let remove = |name: &str| rasadmin(words([&"dashboard", &"user", &"remove", &name, &"--config", &config]));
    remove("alice").ends(0).prints("`alice` was removed");
    remove("alice").ends(2).complains("there is no user `alice`");
    let text = std::fs::read_to_string(folder.users()).unwrap();
    assert!(text.contains("bob") && !text.contains("alice") && !text.contains("another password"), "{text}");
}

/// A dashboard that runs takes the new user, without being started again.
#[test]
fn a_user_who_is_added_can_log_in_at_once() {
    let folder = Folder::new();
    let serving = folder.serve(&[]);
    assert_eq!(folder.add("alice", &[], "correct horse battery").status.code(), Some(0));
    let login = serving.get("/login", "");
    let cookie = login.lines().find_map(|line| line.strip_prefix("set-cookie: ")).unwrap().split(';').next().unwrap();
    let csrf = login.split("name=\"csrf\" value=\"").nth(1).unwrap().split('"').next().unwrap();
    let body = format!("csrf={csrf}&name=alice&password=correct+horse+battery");
    let mut stream = TcpStream::connect(&serving.address).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let head = format!(
        "POST /login HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nCookie: {cookie}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        serving.address,
        body.len()
    );
    stream.write_all(head.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 303") && answer.contains("location: /\r\n"), "{answer}");
}

/// The dashboard lets the program in, without being started again, and the file does not have its token.
#[test]
fn tokens_are_made_listed_and_removed() {
    let folder = Folder::new();
    let config = folder.config();
    let token = |words_of: &[&str]| {
        rasadmin([&["dashboard", "token"], words_of, &["--config", config.to_str().unwrap()]].concat())
    };
    token(&["list"]).ends(0).prints("there are no tokens");
    let made = token(&["add", "prometheus"]).ends(0);
    let text = made.stdout.trim().to_owned();
    assert!(text.starts_with("rasadmin_") && text.len() == 52 && !text.contains('\n'), "{text}");
    token(&["add", "PROMETHEUS"]).ends(1).complains("there is a token `prometheus`");
    token(&["add", "a\u{1b}b"]).ends(2).complains("cannot be the name of a user or a token");
    token(&["add", "helpdesk", "--role", "operator"]).ends(0);
    let json = token(&["list", "--json"]).ends(0).json();
    let rows = [("prometheus", "viewer"), ("helpdesk", "operator")];
    assert_eq!(json, serde_json::json!(rows.map(|(name, role)| serde_json::json!({"name": name, "role": role}))));
    assert!(!std::fs::read_to_string(folder.users()).unwrap().contains(&text));
    let serving = folder.serve(&[]);
    let ask = || {
        // The header of the token is in the place of a cookie's.
        serving.get("/api/v1/configuration", &format!("x=y\r\nAuthorization: Bearer {text}"))
    };
    assert!(ask().starts_with("HTTP/1.1 200"), "{}", ask());
    token(&["remove", "prometheus"]).ends(0).prints("the token `prometheus` was removed");
    assert!(ask().starts_with("HTTP/1.1 401"), "{}", ask());
    token(&["remove", "prometheus"]).ends(2).complains("there is no token `prometheus`");
}
