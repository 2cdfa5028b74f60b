//! Unknown keys: which one their writer meant, and where it belongs.

use super::{Mistake, known};
use crate::config::file;
use crate::shorten::shortened;
use crate::suggest;
use serde::de::DeserializeOwned;
use std::ops::Range;

/// Words that people write for a key. Each stands for the first of its keys that the table has.
const OTHER_WORDS: [(&str, &[&str]); 44] = [
    ("bytes", &["octets"]),
    ("comment", &["reason"]),
    ("computer", &["remote_computers"]),
    ("computers", &["remote_computers"]),
    ("concurrent_sessions", &["user_sessions"]),
    ("days", &["hours"]),
    ("description", &["reason"]),
    ("devices", &["remote_computers"]),
    ("domain", &["default_domain"]),
    ("duration", &["connect_time"]),
    ("exclude_users", &["not_users"]),
    ("except", &["not_users", "exclude"]),
    ("file", &["path", "members_file"]),
    ("folder", &["path"]),
    ("host", &["server"]),
    ("hosts", &["remote_computers"]),
    ("interface_id", &["identifier"]),
    ("ip", &["address"]),
    ("ips", &["source_networks", "addresses"]),
    ("ipv4", &["address", "addresses"]),
    ("ipv6", &["identifier", "identifiers"]),
    ("login", &["user"]),
    ("max_sessions", &["max_user_sessions"]),
    ("members", &["users"]),
    ("network", &["source_networks", "addresses"]),
    ("networks", &["source_networks", "addresses"]),
    ("networks_file", &["source_networks_file"]),
    ("office_hours", &["hours"]),
    ("path", &["folder"]),
    ("pcs", &["remote_computers"]),
    ("protocols", &["tunnels"]),
    ("range", &["addresses"]),
    ("ranges", &["addresses"]),
    ("schedule", &["hours"]),
    ("session_timeout", &["session_time"]),
    ("sessions", &["max_user_sessions"]),
    ("source", &["source_networks"]),
    ("source_ips", &["source_networks"]),
    ("sources", &["source_networks"]),
    ("time", &["hours"]),
    ("times", &["hours"]),
    ("traffic", &["octets"]),
    ("tz", &["time_zone"]),
    ("zone", &["time_zone"]),
];

/// The key of a table that a mistyped one, or another word for it, stands for.
pub fn meant<'a>(key: &str, names: &[&'a str]) -> Option<&'a str> {
    let folded = key.to_lowercase().replace(['-', ' '], "_");
    let words = OTHER_WORDS.iter().find(|(word, _)| *word == folded).map_or(&[][..], |(_, keys)| keys);
    let word = words.iter().find_map(|word| names.iter().find(|name| *name == word).copied());
    word.or_else(|| suggest::nearest(key, names.iter().copied()))
}

/// The mistake of a key that its table does not have. `path` is the keys that lead to it.
pub fn unknown(key: &str, names: &[&str], span: Range<usize>, path: &[&str], text: &str) -> Mistake {
    let of_file = keys::<file::File>();
    let of_file: Vec<&str> = of_file.iter().map(String::as_str).collect();
    if let Some(mistake) = below_a_table(key, &span, text) {
        return mistake;
    }
    let what = format!("unknown key `{}`", shortened(key));
    if let Some(name) = meant(key, names) {
        let list = path.len() == 1 && super::LISTS.contains(&name);
        let help = if list { format!("write [[{name}]]") } else { format!("did you mean `{name}`?") };
        return Mistake::at(span, what, help);
    }
    if path.len() > 1
        && let Some(name) = meant(key, &of_file).filter(|name| !is_table(name))
    {
        let help = format!("did you mean `{name}`? It belongs above the first [table] of the file");
        return Mistake::at(span, what, help);
    }
    let tables = tables_with(key);
    let help = if tables.is_empty() {
        format!("the keys here are {}", names.join(", "))
    } else {
        format!("it is a key of {}: write it below that line", tables.join(" and of "))
    };
    Mistake::at(span, what, help)
}

/// Is a key of the whole file a table, or a list of tables?
fn is_table(key: &str) -> bool {
    !["time_zone", "default_domain"].contains(&key)
}

/// Is it the key of a table of the whole file?
pub fn is_table_of_file(key: &str) -> bool {
    is_table(key) && !super::LISTS.contains(&key) && keys::<file::File>().iter().any(|name| name == key)
}

/// The mistake of a key of the whole file that was written below a table, and so became a key of the table.
pub fn below_a_table(key: &str, span: &Range<usize>, text: &str) -> Option<Mistake> {
    let above = text.get(..span.start)?.lines().rev();
    let table = above.map(|line| line.split('#').next().unwrap_or_default().trim()).find(|line| is_header(line))?;
    if !keys::<file::File>().iter().any(|name| name == key) {
        return None;
    }
    let what = format!("`{key}` is below {}, so it is read as a key of that table", shortened(table));
    Some(Mistake::at(span.clone(), what, "move it above the first [table] of the file"))
}

/// Is a line the header of a table: `[pools.staff]`, `[[rules]]`?
fn is_header(line: &str) -> bool {
    let key = line.strip_prefix('[').and_then(|line| line.strip_suffix(']'));
    key.is_some_and(|key| key.chars().all(|c| c.is_alphanumeric() || "[]._- \"'".contains(c)) && !key.starts_with('"'))
}

/// The tables that have a key with this name.
fn tables_with(key: &str) -> Vec<&'static str> {
    let tables = [
        ("[default]", keys::<file::Default>()),
        ("[server]", keys::<file::Server>()),
        ("[groups.NAME]", keys::<file::Group>()),
        ("[[rules]]", keys::<file::Rule>()),
        ("[limits]", keys::<file::Limits>()),
        ("[addresses]", keys::<file::Addresses>()),
        ("[pools.NAME]", keys::<file::Pool>()),
        ("[[reservations]]", keys::<file::Reservation>()),
        ("[journal]", keys::<file::Journal>()),
        ("[ledger]", keys::<file::Ledger>()),
        ("[service]", keys::<file::Service>()),
        ("[service.follow]", keys::<file::Follow>()),
        ("[service.monitor]", keys::<file::Monitor>()),
        ("[service.retention]", keys::<file::Retention>()),
        ("[service.pipe]", keys::<file::Pipe>()),
        ("[service.metrics]", keys::<file::Metrics>()),
        ("[dashboard]", keys::<file::Dashboard>()),
    ];
    tables.into_iter().filter(|(_, keys)| keys.iter().any(|known| known == key)).map(|(table, _)| table).collect()
}

/// The keys of a table, as serde lists them when it meets an unknown one.
fn keys<T: DeserializeOwned>() -> Vec<String> {
    let error = toml::from_str::<T>("\"\" = 0").err();
    let message = error.as_ref().map_or("", |e| e.message());
    known(message.strip_prefix("unknown field ").unwrap_or_default()).into_iter().map(str::to_owned).collect()
}
