//! What RRAS would load.

use super::facts::{Facts, Mark};
use crate::setup::product::{Own, file_of};
use crate::setup::variable;
use rasadmin_setup::registration::List;
use rasadmin_setup::registry::Registered;
use schemars::JsonSchema;
use serde::Serialize;
use std::path::PathBuf;

/// What RRAS would load, from its list of DLLs in the registry.
#[derive(Serialize, JsonSchema)]
pub struct Registration {
    /// The registry value DllPath as it is; null if it does not exist.
    dll_path: Option<String>,
    /// Its type: `REG_SZ` or `REG_EXPAND_SZ`; null if it does not exist.
    r#type: Option<&'static str>,
    /// The registry value DisplayName; null if it does not exist.
    display_name: Option<String>,
    /// The DLL in which the Event Viewer looks for rasadmin's texts; null if the source is not registered.
    event_source: Option<String>,
    /// The path of rasadmin.dll; null if RRAS does not load it.
    dll: Option<String>,
    /// Its position among the DLLs that RRAS loads, from 1; null if RRAS does not load it.
    position: Option<usize>,
    /// The version of its file; null if the file does not exist.
    version: Option<String>,
    /// The paths of other vendors' DLLs that RRAS loads.
    others: Vec<String>,
    /// The paths of DLLs that RRAS never loads, because an entry of the list begins with a space.
    never_loaded: Vec<String>,
}

impl Registration {
    /// The path of rasadmin.dll, if RRAS loads it.
    pub fn dll(&self) -> Option<PathBuf> {
        self.dll.as_ref().map(PathBuf::from)
    }

    /// The paths of all DLLs that RRAS loads.
    pub fn loaded(&self) -> Vec<&str> {
        self.dll.iter().chain(&self.others).map(String::as_str).collect()
    }
}

/// Which DLLs RRAS would load. `None`: the list cannot be read.
pub fn check(facts: &mut Facts, registered: &Registered) -> Option<Registration> {
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
                    let what = "its file is missing: RRAS will not start; put it back, or run `rasadmin install`";
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
            facts.add(Mark::Attention, "another DLL", format!("{other}: the file does not exist: RRAS will not start"));
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
            let what = format!(
                "the Event Viewer looks for the messages' texts in {texts}, which does not exist; run `rasadmin \
                 install`"
            );
            facts.add(Mark::Attention, "Event Log", what);
        }
        (Some(_), None) => {
            let what = "the Event Viewer cannot find the messages' texts; run `rasadmin install`";
            facts.add(Mark::Attention, "Event Log", what);
        }
    }
    let owned = |dlls: Vec<&str>| dlls.into_iter().map(str::to_owned).collect();
    Some(Registration {
        dll_path: registered.dll_path.as_ref().map(|value| value.text.clone()),
        r#type: registered.dll_path.as_ref().map(|value| value.kind.name()),
        display_name: registered.display_name.clone(),
        event_source: registered.event_source.clone(),
        dll: path.map(str::to_owned),
        position: ours.map(|at| at + 1),
        version: path.and_then(|path| own.version(path)).map(str::to_owned),
        others: owned(others),
        never_loaded: owned(list.never_loaded()),
    })
}
