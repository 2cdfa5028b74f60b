//! A dashboard with which visitors change things, and what they see there.

use super::super::*;
use crate::accounts::Accounts;
use crate::bearer::Program;
pub use crate::scene::{Scene, With, connection};
use crate::served::Served;
use crate::token;
use crate::visitor::{Role, Visitor};
use crate::{Events, Source};
use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use rasadmin_engine::{Name, Record};
use rasadmin_journal::{ServiceLock, Taken};
use rasadmin_ledger::sqlite::{Create, Sqlite};
use rasadmin_service::{Current, Log, Service, Settings, duties, pipe};
use std::sync::Mutex;
use tokio::sync::watch;
use tower::ServiceExt as _;

const CONFIG: &str = r#"
time_zone = "UTC"
default_domain = "CORP"
default.action = "allow"
server.name = "VPN1"
addresses.pool = "staff"
journal.durability = "process"
[pools.staff]
addresses = ["10.8.0.0/29"]
[[rules]]
name = "nine each"
action = "deny"
user_sessions = { at_least = 9 }
[service.retention]
enabled = false
"#;

/// Far more than any wait here takes.
const LONG: Duration = Duration::from_secs(120);

/// A dashboard with which visitors change things: alice and bob are connected, alice twice.
pub struct Dashboard {
    pub scene: Scene,
    service: Option<Service>,
    pub app: Arc<App>,
    routes: Router,
    pub told: Arc<Mutex<Vec<String>>>,
    runtime: tokio::runtime::Runtime,
}

pub struct Page {
    pub status: StatusCode,
    pub location: String,
    pub headers: HeaderMap,
    pub html: String,
}

impl Dashboard {
    pub fn new() -> Self {
        let mut dashboard = Self::without_service();
        dashboard.start_service();
        dashboard
    }

    pub fn start_service(&mut self) {
        let scene = &self.scene;
        let settings = Settings::of(&scene.config, &Name::new("VPN1"));
        let Taken::Ours(lock, _) = ServiceLock::take(&settings.journal).unwrap() else { panic!("it is served") };
        let log = Arc::new(Log::new(None, |_| ()));
        let all = duties(&Arc::new(settings.clone()), &Arc::new(Current::new(scene.config.clone())), None);
        self.service = Some(Service::start(&settings, lock, all, 1, &log).unwrap());
        let address = pipe::address(&settings.journal);
        let deadline = Instant::now() + LONG;
        while rasadmin_pipe::ask::<serde_json::Value>(&address, &rasadmin_pipe::Request::Status {}, LONG).is_err() {
            assert!(Instant::now() < deadline, "{address} does not answer");
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn without_service() -> Self {
        Self::of(connected(), "rasadmin.toml")
    }

    /// As the Windows service of the dashboard: its process may not read the journal, but asks the service over its pipe.
    #[cfg(unix)]
    pub fn that_may_not_read_the_journal() -> Self {
        /// The header of a segment in a version of the format that no program knows yet.
        const UNREADABLE: &[u8; 20] = b"rasjrnl\n\x02\0\0\0\x14\0\0\0\xf4\x2a\xea\x70";
        let scene = connected();
        let (folder, journal) = (scene.folder.path().join("unreadable"), scene.path());
        std::fs::create_dir(&folder).unwrap();
        let first = "0000000001.segment";
        std::fs::copy(journal.join(first), folder.join(first)).unwrap();
        std::fs::write(folder.join("0000000002.segment"), UNREADABLE).unwrap();
        std::os::unix::fs::symlink(journal.join("service.sock"), folder.join("service.sock")).unwrap();
        let config = format!("journal.folder = \"unreadable\"\n{CONFIG}").replace("server.name = \"VPN1\"\n", "");
        std::fs::write(scene.folder.path().join("dashboard.toml"), config).unwrap();
        let mut dashboard = Self::of(scene, "dashboard.toml");
        dashboard.start_service();
        assert!(rasadmin_recorder::present::read(&dashboard.app.source.config().journal).is_err());
        dashboard
    }

    fn of(scene: Scene, config: &str) -> Self {
        let source = Source::open(&scene.folder.path().join(config), &Name::new("VPN1")).unwrap();
        let (_, stop) = watch::channel(false);
        let app = Arc::new(App { source, events: Arc::new(Events::new(stop)) });
        let told = Arc::new(Mutex::new(Vec::new()));
        let audit = Arc::new({
            let told = told.clone();
            move |line: &str| told.lock().unwrap().push(line.to_owned())
        });
        let served = Served { listen: "127.0.0.1:8600".parse().unwrap(), names: Vec::new(), secure: false };
        let accounts = Accounts::new(&scene.folder.path().join("users.toml"));
        let gate = Arc::new(Gate::new(served, accounts, LONG, audit));
        let ends = Ends { remote: "203.0.113.77:5000".parse().unwrap(), local: "127.0.0.1:8600".parse().unwrap() };
        let routes = app.clone().routes().merge(routes(app.clone(), gate)).layer(Extension(ends));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        Self { scene, service: None, app, routes, told, runtime }
    }

    pub fn send(&self, name: &str, role: Role, request: Request<Body>) -> Page {
        let visitor = Visitor { name: name.to_owned(), role, csrf: format!("token of {name}") };
        self.runtime.block_on(answer(self.routes.clone().layer(Extension(visitor)), request))
    }

    /// What a program with a token gets.
    pub fn send_with_token(&self, name: &str, role: Role, request: Request<Body>) -> Page {
        self.send_at_once(name, role, vec![request]).pop().unwrap()
    }

    /// What it gets for requests at the same moment.
    pub fn send_at_once(&self, name: &str, role: Role, requests: Vec<Request<Body>>) -> Vec<Page> {
        let program = Program { name: name.to_owned(), role, key: token::hash(name) };
        let visitor = Visitor { name: program.recorded(), role, csrf: String::new() };
        let routes = self.routes.clone().layer(Extension(program)).layer(Extension(visitor));
        self.runtime.block_on(async {
            let begun: Vec<_> =
                requests.into_iter().map(|request| tokio::spawn(answer(routes.clone(), request))).collect();
            let mut pages = Vec::new();
            for page in begun {
                pages.push(page.await.unwrap());
            }
            pages
        })
    }

    /// A page, as anna gets it, who is an operator.
    pub fn get(&self, address: &str) -> Page {
        self.send("anna", Role::Operator, Request::get(address).body(Body::empty()).unwrap())
    }

    pub fn post(&self, address: &str, fields: &[(&str, &str)]) -> Page {
        self.send("anna", Role::Operator, posted(address, fields))
    }

    /// Opens the page, fills in its form, sends it, and follows to what came of it.
    pub fn changes(&self, address: &str, more: &[(&str, &str)]) -> (Page, Page, Vec<(String, String)>) {
        let asked = self.get(address).is(StatusCode::OK);
        let (action, mut fields) = asked.form();
        fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        let sent: Vec<_> = fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        let begun = self.post(&action, &sent).is(StatusCode::SEE_OTHER);
        let result = self.get(&begun.location).is(StatusCode::OK);
        (asked, result, fields)
    }

    /// The ledger gets what the journal has.
    pub fn catch_up(&self) {
        ingest(&self.scene);
    }

    /// The last record of the journal.
    pub fn last(&self) -> Record {
        self.scene.records().pop().unwrap()
    }

    /// Who is recorded as the one who asked.
    pub fn anna() -> Option<String> {
        Some(format!("anna (dashboard, {})", rasadmin_rights::account_name().unwrap()))
    }

    #[track_caller]
    pub fn has_told(&self, what: &str) {
        let told = self.told.lock().unwrap();
        assert!(told.iter().any(|line| line.contains(what)), "`{what}` is not in {told:#?}");
    }
}

async fn answer(routes: Router, request: Request<Body>) -> Page {
    let answer = routes.oneshot(request).await.unwrap();
    let (status, headers) = (answer.status(), answer.headers().clone());
    let location = headers.get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
    let bytes = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    let html = String::from_utf8(bytes.to_vec()).unwrap();
    Page { status, location: location.unwrap_or_default(), headers, html }
}

/// Alice and bob are connected, alice twice.
fn connected() -> Scene {
    let scene = Scene::new(CONFIG);
    for (handle, user) in [(1, "alice"), (2, "alice"), (3, "bob")] {
        scene.begin(handle, user, &format!("VPN0-{handle}")).unwrap();
    }
    ingest(&scene);
    scene
}

fn ingest(scene: &Scene) {
    let mut ledger = Sqlite::open(&scene.config.ledger, Create::Yes, false, Instant::now() + LONG).unwrap();
    ledger.ingest(&scene.config.journal, &Name::new("VPN1"), &mut |_| {}).unwrap();
}

impl Drop for Dashboard {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop();
        }
    }
}

/// A form as a browser sends it. One of a change that has no reason gets one.
pub fn posted(address: &str, fields: &[(&str, &str)]) -> Request<Body> {
    let has_reason = fields.iter().any(|(name, _)| *name == "reason");
    let more = (!has_reason).then_some(("reason", "a test"));
    let form: Vec<_> =
        fields.iter().chain(&more).map(|(name, value)| format!("{name}={}", crate::parts::encoded(value))).collect();
    let request = Request::post(address).header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
    request.body(Body::from(form.join("&"))).unwrap()
}

impl Page {
    #[track_caller]
    pub fn is(self, status: StatusCode) -> Self {
        assert_eq!(self.status, status, "{}", self.html);
        self
    }

    #[track_caller]
    pub fn says(&self, what: &str) -> &Self {
        assert!(self.text().contains(what), "expected `{what}`: {}", self.text());
        self
    }

    /// What a person reads.
    pub fn text(&self) -> String {
        let parts = self.html.split('<').map(|part| part.split_once('>').map_or(part, |(_, text)| text));
        parts.collect::<String>().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// Where the form of the change goes, and its hidden fields.
    pub fn form(&self) -> (String, Vec<(String, String)>) {
        let value = |tag: &str, name: &str| {
            let start = tag.find(&format!(" {name}=\""))? + name.len() + 3;
            Some(tag[start..].split('"').next()?.replace("&amp;", "&"))
        };
        let form = self.html.split("<form ").find(|form| form.contains("action=\"/change/")).unwrap();
        let hidden = form.split("<input ").filter(|tag| tag.starts_with("type=\"hidden\""));
        let fields = hidden.filter_map(|tag| {
            let tag = format!(" {}", tag.split('>').next()?);
            Some((value(&tag, "name")?, value(&tag, "value")?))
        });
        (value(&format!(" {form}"), "action").unwrap(), fields.collect())
    }
}
