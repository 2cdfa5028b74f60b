//! The pages over the ledger of a scene, as a visitor gets them.
#![allow(dead_code, clippy::unwrap_used)] // Each test file uses a part.

#[path = "../../../rasadmin-recorder/tests/support/scene.rs"]
mod scene;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use axum::{Extension, Router};
use rasadmin_engine::Name;
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_web::{App, Events, Role, Source, Visitor};
pub use scene::*;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tower::ServiceExt;

pub const CONFIG: &str = r#"
time_zone = "UTC"
default_domain = "CORP"
default.action = "allow"
addresses.pool = "staff"
journal.durability = "process"
[pools.staff]
addresses = ["10.8.0.0/24"]
[pools.guests]
addresses = ["10.9.0.1-10.9.0.2"]
[groups.office]
users = ["alice", "bob"]
[[reservations]]
user = 'CORP\carol'
address = "10.8.0.99"
[[rules]]
name = "Not Mallory"
action = "deny"
users = ["mallory"]
reason = "this user is banned"
[[rules]]
name = "Two each"
action = "deny"
users = ["*"]
user_sessions = { at_least = 2 }
[[rules]]
name = "Enough for a day"
action = "deny"
users = ["*"]
connect_time = { per = "day", at_least = "10h" }
"#;

/// A name that a stranger chose: markup, quotes, a control character, and text that turns the line around.
pub const HOSTILE: &str = "<script>alert'\"&\u{1b}[31m\u{202e}";

/// A scene, and the pages over its ledger.
pub struct Pages {
    pub scene: Scene,
    routes: Router,
}

/// A page as a visitor gets it.
pub struct Page {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub html: String,
}

impl Pages {
    pub fn of(scene: Scene) -> Self {
        Self::with(scene, "VPN1")
    }

    pub fn with(scene: Scene, server: &str) -> Self {
        Self::for_role(scene, server, Role::Viewer)
    }

    pub fn of_operator(scene: Scene) -> Self {
        Self::for_role(scene, "VPN1", Role::Operator)
    }

    fn for_role(scene: Scene, server: &str, role: Role) -> Self {
        let soon = Instant::now() + Duration::from_secs(20);
        let mut ledger = Sqlite::open(&scene.config.ledger, Create::Yes, false, soon).unwrap();
        ledger.ingest(&scene.config.journal, &Name::new(server), &mut |_| {}).unwrap();
        let source = Source::open(&scene.folder.path().join("rasadmin.toml"), &Name::new(server)).unwrap();
        let (_, stop) = tokio::sync::watch::channel(false);
        let app = App { source, events: Arc::new(Events::new(stop)) };
        let visitor = Visitor { name: "CORP\\admin".into(), role, csrf: "token".into() };
        Self { scene, routes: Arc::new(app).routes().layer(Extension(visitor)) }
    }

    pub fn get(&self, address: &str) -> Page {
        loop {
            let page = self.send(Request::get(address).body(Body::empty()).unwrap());
            // As a browser does, it looks again until the figures are ready.
            if !page.html.contains("The figures are being made") {
                return page;
            }
        }
    }

    /// Sends a form.
    pub fn post(&self, address: &str, fields: &[(&str, &str)]) -> Page {
        let encoded = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
        let body: Vec<_> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let request = Request::post(address).header("content-type", "application/x-www-form-urlencoded");
        self.send(request.body(Body::from(body.join("&"))).unwrap())
    }

    fn send(&self, request: Request<Body>) -> Page {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let answer = self.routes.clone().oneshot(request).await.unwrap();
            let (status, headers) = (answer.status(), answer.headers().clone());
            let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
            Page { status, headers, html: String::from_utf8(bytes.to_vec()).unwrap() }
        })
    }

    /// The page, which must be there.
    #[track_caller]
    pub fn shows(&self, address: &str) -> Page {
        let page = self.get(address);
        assert_eq!(page.status, StatusCode::OK, "{address}: {}", page.text());
        page.is_sound();
        page
    }

    /// The address must be refused, with a remedy, in sentences, and with the navigation.
    #[track_caller]
    pub fn refuses(&self, address: &str, what: &str) {
        let page = self.get(address);
        assert_eq!(page.status, StatusCode::BAD_REQUEST, "{address}: {}", page.text());
        let says = page.text().to_lowercase().contains(&what.to_lowercase());
        assert!(says, "{address}: expected `{what}`: {}", page.text());
        assert!(page.html.contains("<nav aria-label=\"Sections\">"), "{address}: {}", page.html);
    }
}

impl Page {
    /// What a person reads: no tags, one space between words.
    pub fn text(&self) -> String {
        let (mut text, mut rest) = (String::new(), self.html.as_str());
        while let Some((before, after)) = rest.split_once('<') {
            text.push_str(before);
            // Words of two cells or lines are apart; those within a line are not torn.
            let inline = ["a", "/a", "span", "/span", "time", "/time", "code", "/code", "strong", "/strong"];
            let tag = after.split_once('>').map_or(after, |(tag, _)| tag);
            if !inline.contains(&tag.split(' ').next().unwrap_or_default()) {
                text.push(' ');
            }
            rest = &after[tag.len() + 1..];
        }
        text.push_str(rest);
        let text = text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&");
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[track_caller]
    pub fn says(&self, what: &str) -> &Self {
        assert!(self.text().contains(what), "expected `{what}`: {}", self.text());
        self
    }

    #[track_caller]
    pub fn does_not_say(&self, what: &str) -> &Self {
        assert!(!self.text().contains(what), "unexpected `{what}`: {}", self.text());
        self
    }

    /// The address of the link with this text.
    #[track_caller]
    pub fn link(&self, text: &str) -> String {
        let end = self.html.find(&format!(">{text}</a>")).unwrap_or_else(|| panic!("no link `{text}`: {}", self.html));
        let tag = &self.html[self.html[..end].rfind("<a ").unwrap()..end];
        let href = tag.split_once("href=\"").unwrap().1.split_once('"').unwrap().0;
        href.replace("&amp;", "&")
    }

    /// What every page must be.
    #[track_caller]
    pub fn is_sound(&self) {
        assert_eq!(self.html.matches("<h1").count(), 1, "one first heading: {}", self.html);
        let first = self.html.find("<h1");
        assert!(self.html.find("<h2").is_none_or(|second| first < Some(second)), "headings in order");
        for bad in [" style=", " onclick=", "<SCRIPT", "<script>", "\u{1b}", "\u{202e}"] {
            assert!(!self.html.contains(bad), "{bad:?}: {}", self.html);
        }
        for tag in self.html.split('<').filter_map(|tag| tag.split_once('>')).map(|(tag, _)| tag) {
            assert!(tag.matches(" class=").count() < 2, "one class attribute: {tag}");
        }
    }
}

/// A session of some seconds.
pub fn visit(scene: &Scene, handle: u64, user: &str, seconds: i64) {
    let port = format!("VPN0-{handle}");
    let given = scene.begin(handle, user, &port).unwrap();
    scene.wait(seconds);
    scene.end(handle, user, &port, &given);
}

/// Alice for an hour from nine o'clock, and again now; bob and a stranger now; mallory was denied.
pub fn day() -> Scene {
    let scene = Scene::new(CONFIG);
    visit(&scene, 1, "alice", 3600);
    scene.begin(2, "alice", "VPN0-2").unwrap();
    scene.begin(3, "bob", "VPN0-3").unwrap();
    scene.begin(4, HOSTILE, "VPN0-4").unwrap();
    scene.begin(5, "mallory", "VPN0-5").unwrap_err();
    scene.wait(60);
    scene
}
