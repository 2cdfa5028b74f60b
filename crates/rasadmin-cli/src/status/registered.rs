//! What RRAS would load.

use super::facts::{Facts, Mark};
use crate::setup::product::{Own, file_of};
use crate::setup::variable;
use rasadmin_setup::registration::List;
use rasadmin_setup::registry::Registered;
use serde_json::json;
use std::path::PathBuf;

/// What RRAS would load; the DLL that is ours.
pub fn registration(facts: &mut Facts, registered: &Registered) -> Option<PathBuf> {
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
