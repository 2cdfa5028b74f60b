//! `rasadmin status`: is everything as it should be?

use crate::setup::folders;
use crate::setup::product::{Own, file_of};
use crate::setup::{Stop, config_places, printable, registry, variable};
use clap::Args;
use jiff::Timestamp;
use rasadmin_ledger::report::{LastInstance, Reader};
use rasadmin_ledger::{Away, instance, spool, sqlite};
use rasadmin_policy::Millis;
use rasadmin_policy::config::{self, Config};
use rasadmin_setup::acl::Object;
use rasadmin_setup::registration::List;
use rasadmin_setup::registry::Registered;
use rasadmin_system::places;
use serde_json::{Map, Value, json};
use std::collections::HashSet;
use std::path::{Path, PathBuf};

/// Up to this size a ledger is looked through: longer ones take minutes, and the check holds a read snapshot.
const CHECKED_UP_TO: u64 = 256 * 1024 * 1024;

/// Say whether everything is as it should be
///
/// Registration, DLL, configuration, service, ledger, spools, log, and who can write them. It only looks: nothing is
/// changed, and the service is not disturbed.
///
/// Examples:
///   rasadmin status
///   rasadmin status --json
///
/// Exit codes: 0 all is well; 1 something needs attention; 2 the command could not do its work.
#[derive(Args)]
#[command(verbatim_doc_comment)]
pub struct Arguments {
    /// The configuration, if it is not where it is looked for
    #[arg(long, value_name = "PATH")]
    config: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
    /// For tests: a key below HKEY_CURRENT_USER in the place of HKEY_LOCAL_MACHINE
    #[arg(long, hide = true)]
    registry_root: Option<String>,
}

/// How a fact is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// As it should be.
    Ok,
    /// Neither good nor bad.
    Note,
    /// Someone should look at it.
    Attention,
}

impl Mark {
    /// In reports.
    const fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "-",
            Self::Attention => "ATTENTION",
        }
    }

    /// In JSON.
    const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Note => "note",
            Self::Attention => "attention",
        }
    }
}

/// The report, as it grows.
#[derive(Default)]
struct Facts {
    lines: Vec<(Mark, &'static str, String)>,
    data: Map<String, Value>,
}

impl Facts {
    fn add(&mut self, mark: Mark, about: &'static str, text: impl AsRef<str>) {
        self.lines.push((mark, about, text.as_ref().to_owned()));
    }

    fn text(&self) -> String {
        let mut out = String::new();
        for (mark, about, text) in &self.lines {
            let mut parts = text.lines().map(printable);
            out += &format!("{:<9}  {about:<13}  {}\n", mark.word(), parts.next().unwrap_or_default());
            for part in parts {
                out += &format!("{:26}{part}\n", "");
            }
        }
        out
    }

    fn json(mut self) -> Value {
        let facts =
            self.lines.iter().map(|(mark, about, text)| json!({ "mark": mark.name(), "about": about, "text": text }));
        self.data.insert("facts".into(), facts.collect());
        self.data.insert("all_well".into(), (!self.attention()).into());
        Value::Object(self.data)
    }

    fn attention(&self) -> bool {
        self.lines.iter().any(|(mark, ..)| *mark == Mark::Attention)
    }
}

/// Says it.
pub fn status(arguments: Arguments) -> Result<u8, String> {
    let mut facts = Facts::default();
    let root = arguments.registry_root.as_deref();
    let registered = match registry(root) {
        Ok((_, registered)) => Some(registered),
        Err(Stop::Failed(why) | Stop::Refused(why)) if cfg!(windows) => {
            facts.add(Mark::Attention, "registered", why);
            None
        }
        Err(_) => {
            facts.add(Mark::Note, "registered", "there is no Routing and Remote Access on this system");
            None
        }
    };
    let dll = registered.as_ref().and_then(|registered| registration(&mut facts, registered));
    let places = config_places(dll.as_deref(), root, &registered.unwrap_or_default());
    if let Some((path, config)) = configuration(&mut facts, &places, arguments.config.as_deref()) {
        let instances = ledger(&mut facts, config.as_ref());
        service(&mut facts, config.as_ref(), &instances, dll.as_deref());
        rights(&mut facts, dll.as_deref(), &path, config.as_ref());
    }
    log_file(&mut facts);
    let attention = facts.attention();
    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&facts.json()).unwrap_or_default());
    } else {
        print!("{}", facts.text());
    }
    Ok(u8::from(attention))
}

/// What RRAS would load; the DLL that is ours.
fn registration(facts: &mut Facts, registered: &Registered) -> Option<PathBuf> {
    let text = registered.dll_path.as_ref().map_or("", |value| value.text.as_str());
    let list = match List::read(text, &variable) {
        Ok(list) => list,
        Err(e) => {
            facts.add(Mark::Attention, "registered", e.to_string());
            return None;
        }
    };
    let own = Own::of(&list);
    let loaded = list.loaded();
    let ours = loaded.iter().position(|dll| own.has(dll));
    let path = ours.map(|at| loaded[at]);
    match (ours, path) {
        (Some(at), Some(path)) => {
            facts.add(Mark::Ok, "registered", format!("{path}, {} of {} that RRAS loads", at + 1, loaded.len()));
            match own.version(path) {
                Some(version) => facts.add(Mark::Ok, "DLL", format!("version {version}")),
                None => {
                    let what = "its file is gone: RRAS will not start; put it back, or run `rasadmin install`";
                    facts.add(Mark::Attention, "DLL", what);
                }
            }
        }
        _ if list.never_loaded().iter().any(|dll| own.has(dll)) => {
            facts.add(Mark::Attention, "registered", "RRAS never loads it, because of a space; run `rasadmin install`");
        }
        _ => facts.add(Mark::Attention, "registered", "rasadmin.dll is not registered; run `rasadmin install`"),
    }
    let others: Vec<&str> = loaded.iter().copied().filter(|dll| !own.has(dll)).collect();
    for other in &others {
        if file_of(other).is_file() {
            facts.add(Mark::Note, "another DLL", *other);
        } else {
            facts.add(Mark::Attention, "another DLL", format!("{other}: there is no such file: RRAS will not start"));
        }
    }
    if let Some(entry) = list.stopped_by() {
        let never = list.never_loaded().join(", ");
        let what = format!("RRAS never loads {never}, because the entry `{entry}` begins with a space");
        facts.add(Mark::Attention, "never loaded", what);
    }
    match (path, &registered.event_source) {
        (None, _) => {}
        (Some(_), Some(texts)) if file_of(texts).is_file() => {
            facts.add(Mark::Ok, "Event Log", format!("texts in {texts}"));
        }
        (Some(_), Some(texts)) => {
            let what = format!("its texts are looked for in {texts}, which is not there; run `rasadmin install`");
            facts.add(Mark::Attention, "Event Log", what);
        }
        (Some(_), None) => {
            let what = "the Event Viewer does not find the messages' texts; run `rasadmin install`";
            facts.add(Mark::Attention, "Event Log", what);
        }
    }
    facts.data.insert(
        "registration".into(),
        json!({
            "dll_path": registered.dll_path.as_ref().map(|value| &value.text),
            "type": registered.dll_path.as_ref().map(|value| value.kind.name()),
            "display_name": registered.display_name,
            "event_source": registered.event_source,
            "dll": path,
            "position": ours.map(|at| at + 1),
            "version": path.and_then(|path| own.version(path)),
            "others": others,
            "never_loaded": list.never_loaded(),
        }),
    );
    path.map(PathBuf::from)
}

/// The configuration in force: the file's, or the last good one.
fn configuration(
    facts: &mut Facts,
    places: &config::Places,
    named: Option<&Path>,
) -> Option<(PathBuf, Option<Config>)> {
    let path = match named.map_or_else(|| config::find(places), |path| Ok(path.to_owned())) {
        Ok(path) => path,
        Err(e) => {
            facts.add(Mark::Attention, "configuration", format!("{e}; `rasadmin install` writes one"));
            return None;
        }
    };
    let shown = path.display();
    let (config, errors) = match config::on(&places::server_name()).read(&path) {
        Ok((config, None)) => {
            facts.add(Mark::Ok, "configuration", format!("{shown}, {}", config.hash));
            (Some(config), None)
        }
        Ok((kept, Some(errors))) => {
            let what = format!("{shown} is broken; the last good one, {}, is in force instead\n{errors}", kept.hash);
            facts.add(Mark::Attention, "configuration", what);
            (Some(kept), Some(errors.to_string()))
        }
        Err(errors) => {
            let what = format!("{shown} is broken; there is no earlier one: RRAS will not start\n{errors}");
            facts.add(Mark::Attention, "configuration", what);
            (None, Some(errors.to_string()))
        }
    };
    let hash = config.as_ref().map(|config| &config.hash);
    let data = json!({ "file": path, "valid": errors.is_none(), "errors": errors, "hash": hash });
    facts.data.insert("configuration".into(), data);
    Some((path, config))
}

/// The ledger and the spools beside it; what it tells of each server's service.
fn ledger(facts: &mut Facts, config: Option<&Config>) -> Vec<LastInstance> {
    let Some(config) = config else { return Vec::new() };
    let path = &config.ledger;
    if !path.exists() {
        facts.add(Mark::Note, "ledger", format!("{}: it is made when RRAS starts with the DLL", path.display()));
        spools(facts, path, &[], None);
        return Vec::new();
    }
    let size = std::fs::metadata(path).map_or(0, |metadata| metadata.len());
    let read = || -> Result<_, Away> {
        let reader = Reader::open(path)?;
        let platform = reader.platform()?;
        let checked = if size <= CHECKED_UP_TO { Some(reader.quick_check()?) } else { None };
        Ok((platform, checked, reader.instances()?))
    };
    match read() {
        Err(away) => {
            facts.add(Mark::Attention, "ledger", away.to_string());
            facts.data.insert("ledger".into(), json!({ "file": path, "error": away.to_string() }));
            spools(facts, path, &[], None);
            Vec::new()
        }
        Ok((platform, checked, instances)) => {
            let version = sqlite::VERSION;
            let mib = size.div_ceil(1024 * 1024);
            let text = format!("{}, version {version}, {platform}, {mib} MiB", path.display());
            match &checked {
                Some(faults) if !faults.is_empty() => {
                    facts.add(Mark::Attention, "ledger", format!("{text}: it is damaged\n{}", faults.join("\n")));
                }
                Some(_) => facts.add(Mark::Ok, "ledger", format!("{text}: no page is damaged")),
                None => facts.add(Mark::Ok, "ledger", format!("{text}: too large to be looked through here")),
            }
            let data =
                json!({ "file": path, "version": version, "platform": platform, "bytes": size, "faults": checked });
            facts.data.insert("ledger".into(), data);
            let replayed = Reader::open(path).and_then(|reader| reader.replayed()).ok();
            spools(facts, path, &instances, replayed.as_ref());
            instances
        }
    }
}

/// What waits to be recorded.
fn spools(
    facts: &mut Facts,
    ledger: &Path,
    instances: &[LastInstance],
    replayed: Option<&std::collections::HashMap<String, u64>>,
) {
    let Ok(all) = spool::look(ledger) else { return };
    let alive: HashSet<&str> = instances
        .iter()
        .filter(|last| instance::alive(ledger, &last.server).unwrap_or(false))
        .map(|last| last.token.as_str())
        .collect();
    let (mut in_use, mut waiting, mut unread) = (0_usize, 0_usize, 0_usize);
    for spool in &all {
        let done = replayed.and_then(|replayed| replayed.get(&spool.name)).copied().unwrap_or(0);
        match spool.frames() {
            _ if alive.contains(spool.instance.as_str()) => in_use += 1,
            Ok(frames) => waiting += frames.into_iter().filter(|&number| number > done).count(),
            Err(_) => unread += 1,
        }
    }
    let left = all.len() - in_use;
    let text = format!("{in_use} in use, {left} left behind with {}", crate::output::count(waiting, "event"));
    match (waiting, unread) {
        (0, 0) => facts.add(Mark::Ok, "spools", text),
        (0, _) => facts.add(Mark::Note, "spools", format!("{text}; {unread} cannot be read now")),
        _ => facts.add(Mark::Attention, "spools", format!("{text}, which are recorded at the service's next start")),
    }
    let data = json!({ "in_use": in_use, "left_behind": left, "events_waiting": waiting, "unread": unread });
    facts.data.insert("spools".into(), data);
}

/// Each server's service: alive or not, with which DLL and configuration.
fn service(facts: &mut Facts, config: Option<&Config>, instances: &[LastInstance], dll: Option<&Path>) {
    let Some(config) = config else { return };
    let file = dll.and_then(|dll| rasadmin_setup::mark::version_of(dll).ok().flatten());
    let mut data = Vec::new();
    for last in instances {
        let name = last.server.to_string();
        let alive = instance::alive(&config.ledger, &last.server).unwrap_or(false);
        let sessions = crate::output::count(usize::try_from(last.open_sessions).unwrap_or(usize::MAX), "open session");
        let activity = time(last.last_activity);
        if alive {
            let since = time(last.started);
            facts.add(Mark::Ok, "service", format!("{name}: it runs since {since}, {sessions}, last event {activity}"));
        } else {
            facts.add(Mark::Note, "service", format!("{name}: it does not run, {sessions}, last event {activity}"));
        }
        if let Some(loaded) = &last.loaded {
            let at = time(loaded.time);
            let text = format!("{at}: version {}, configuration {}", loaded.version, loaded.config);
            match &loaded.fault {
                Some(fault) => {
                    facts.add(Mark::Attention, "last reload", format!("{text}, because the file was broken\n{fault}"));
                }
                None if alive && loaded.config != config.hash => {
                    let what = format!("{text}; the file has changed since: it is read at the next call of RRAS");
                    facts.add(Mark::Note, "last reload", what);
                }
                None => facts.add(Mark::Ok, "last reload", text),
            }
            if alive && file.as_ref().is_some_and(|file| *file != loaded.version) {
                let what = format!("{} runs until RRAS is restarted; the file is another version", loaded.version);
                facts.add(Mark::Attention, "DLL", what);
            }
        }
        if last.events_lost > 0 {
            let what = format!("{name}: {} events were lost while the ledger was away", last.events_lost);
            facts.add(Mark::Attention, "lost", what);
        }
        data.push(json!({
            "server": name, "alive": alive, "started": last.started, "last_activity": last.last_activity,
            "open_sessions": last.open_sessions, "events_lost": last.events_lost,
            "loaded": last.loaded.as_ref().map(|loaded| json!({
                "time": loaded.time, "version": loaded.version, "config": loaded.config, "fault": loaded.fault,
            })),
        }));
    }
    facts.data.insert("services".into(), data.into());
}

/// Who but administrators can write what matters.
fn rights(facts: &mut Facts, dll: Option<&Path>, config_file: &Path, config: Option<&Config>) {
    let mut dangers = Vec::new();
    let ledger = config.map(|config| config.ledger.as_path());
    let mut failed = None;
    let members = config.map(|config| config.bundle.files().split_off(1)).unwrap_or_default();
    let files = [dll, Some(config_file), ledger].into_iter().flatten().chain(members.iter().map(PathBuf::as_path));
    for path in files {
        let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
        if let Err(Stop::Failed(why) | Stop::Refused(why)) = folders::add(&mut dangers, &path, Object::File) {
            failed = Some(why);
        }
    }
    if let Some(why) = failed {
        facts.add(Mark::Attention, "rights", why);
    } else if dangers.is_empty() {
        facts.add(Mark::Ok, "rights", "only administrators can write DLL, configuration, lists and ledger");
    }
    for danger in &dangers {
        facts.add(Mark::Attention, "rights", danger.to_string());
    }
    let shown: Vec<_> =
        dangers.iter().map(|danger| json!({ "path": danger.path, "who": danger.who, "owns": danger.owns })).collect();
    facts.data.insert("dangers".into(), shown.into());
}

fn log_file(facts: &mut Facts) {
    let path = places::log_file();
    match std::fs::metadata(&path) {
        Ok(metadata) => {
            let kib = metadata.len().div_ceil(1024);
            facts.add(Mark::Ok, "log", format!("{}, {kib} KiB", path.display()));
        }
        Err(_) => facts.add(Mark::Note, "log", format!("{}: there is none yet", path.display())),
    }
    facts.data.insert("log".into(), json!({ "file": path, "exists": path.exists() }));
}

/// UTC, to the second.
fn time(millis: Millis) -> String {
    Timestamp::from_millisecond(millis)
        .map_or_else(|_| millis.to_string(), |t| t.strftime("%Y-%m-%d %H:%M:%SZ").to_string())
}
