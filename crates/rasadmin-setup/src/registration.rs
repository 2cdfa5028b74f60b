//! RRAS's list of admin DLLs: the text of the registry value DllPath, and changes to it.
//!
//! Everything that is not ours stays unchanged, to the last character: other vendors' entries, their order, their
//! unexpanded text, their spaces, empty entries. [`dllpath::parse`] defines what a space at the beginning of an entry
//! means.

use rasadmin_host::dllpath::{self, DllList};
use std::fmt;

/// The value DisplayName that is written if there is none.
pub const DISPLAY_NAME: &str = "rasadmin";

/// The type of the registry value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// REG_SZ.
    Sz,
    /// REG_EXPAND_SZ.
    ExpandSz,
}

impl Kind {
    /// Its name in the registry's tools.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Sz => "REG_SZ",
            Self::ExpandSz => "REG_EXPAND_SZ",
        }
    }
}

/// The value in the registry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Value {
    /// Its type.
    pub kind: Kind,
    /// Its text, unexpanded.
    pub text: String,
}

/// The text between two semicolons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The text, unexpanded.
    pub text: String,
    /// The DLLs that RRAS loads because of this entry: one, or several if a variable names several.
    pub loads: Vec<String>,
    /// The DLLs that RRAS never loads, because this entry or an earlier one begins with a space.
    pub never: Vec<String>,
}

impl Entry {
    /// The entry's DLL, if it names exactly one, without a leading space that keeps it from loading.
    fn dll(&self) -> Option<&str> {
        match (&self.loads[..], &self.never[..]) {
            ([dll], []) => Some(dll),
            ([], [dll]) => Some(dll.trim_start_matches(' ')),
            _ => None,
        }
    }
}

/// Why the list cannot be changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The path of the DLL cannot be in the list, with the reason.
    Path(String),
    /// A variable contains a semicolon, so that the entries cannot be separated.
    AmbiguousEntries,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Path(why) => f.write_str(why),
            Self::AmbiguousEntries => f.write_str(
                "DllPath: a variable contains a semicolon, so its entries cannot be separated; rewrite the value, with one \
                 path between two semicolons",
            ),
        }
    }
}

impl std::error::Error for Fault {}

/// Expands environment variables.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<String>;

/// The list, entry by entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct List {
    /// The entries in order, including empty ones.
    pub entries: Vec<Entry>,
}

impl List {
    /// Parses a text.
    ///
    /// # Errors
    /// [`Fault::AmbiguousEntries`].
    pub fn read(text: &str, variables: Variables<'_>) -> Result<Self, Fault> {
        Self::of(if text.is_empty() { Vec::new() } else { text.split(';').map(str::to_owned).collect() }, variables)
    }

    /// To find what an entry loads, compare what RRAS loads from the list up to it with what it loads from the list
    /// before it. So RRAS's reading is implemented only once.
    fn of(texts: Vec<String>, variables: Variables<'_>) -> Result<Self, Fault> {
        let mut entries = Vec::new();
        let mut before = DllList::default();
        for end in 1..=texts.len() {
            let now = dllpath::parse(&texts[..end].join(";"), variables);
            let loads = now.entries.strip_prefix(&before.entries[..]).ok_or(Fault::AmbiguousEntries)?.to_vec();
            let never =
                now.never_loaded.strip_prefix(&before.never_loaded[..]).ok_or(Fault::AmbiguousEntries)?.to_vec();
            entries.push(Entry { text: texts[end - 1].clone(), loads, never });
            before = now;
        }
        Ok(Self { entries })
    }

    /// The DLLs that load, in order.
    pub fn loaded(&self) -> Vec<&str> {
        self.entries.iter().flat_map(|entry| &entry.loads).map(String::as_str).collect()
    }

    /// The DLLs that never load, without the leading space.
    pub fn never_loaded(&self) -> Vec<&str> {
        self.entries.iter().flat_map(|entry| &entry.never).map(|dll| dll.trim_start_matches(' ')).collect()
    }

    /// The entry whose leading space ends the loading.
    pub fn stopped_by(&self) -> Option<&str> {
        self.entries.iter().find(|entry| !entry.never.is_empty()).map(|entry| entry.text.as_str())
    }

    /// Every DLL in the list, loaded or not.
    pub fn named(&self) -> Vec<&str> {
        self.loaded().into_iter().chain(self.never_loaded()).collect()
    }

    /// The text of the value.
    pub fn text(&self) -> String {
        let texts: Vec<_> = self.entries.iter().map(|entry| entry.text.as_str()).collect();
        texts.join(";")
    }
}

/// Where to put the DLL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Position {
    /// Where it is already, or last of those that load.
    Keep,
    /// First of those that load.
    First,
    /// Last of those that load.
    Last,
}

/// A change of the value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// The current value.
    pub before: List,
    /// The new value; None if nothing is left and the value is removed.
    pub after: Option<List>,
    /// Other vendors' DLLs that do not load today and would load after the change.
    pub wakes: Vec<String>,
}

impl Change {
    fn new(before: List, after: List, ours: &dyn Fn(&str) -> bool) -> Self {
        // A DLL can be in the list twice: one that loads once today and twice afterwards counts once.
        let mut awake = before.loaded();
        let mut wakes = Vec::new();
        for dll in after.loaded().into_iter().filter(|dll| !ours(dll)) {
            match awake.iter().position(|other| *other == dll) {
                Some(at) => drop(awake.remove(at)),
                None => wakes.push(dll.to_owned()),
            }
        }
        let after = (!after.named().is_empty()).then_some(after);
        Self { before, after, wakes }
    }

    /// Does the text stay the same?
    pub fn is_none(&self) -> bool {
        self.after.as_ref() == Some(&self.before) || self.after.is_none() && self.before.entries.is_empty()
    }
}

/// Can this path be in the list?
///
/// # Errors
/// [`Fault::Path`].
pub fn check_path(path: &str) -> Result<(), Fault> {
    let fault = |why: String| Err(Fault::Path(why));
    if path.contains(';') {
        return fault(format!(
            "{path}: a path with `;` cannot be registered, because RRAS splits its list there; rename the folder or file"
        ));
    }
    if path.contains('%') {
        return fault(format!(
            "{path}: a path with `%` cannot be registered, because RRAS expands variables; rename the folder or file"
        ));
    }
    if path.is_empty() || path.starts_with(' ') || path.contains(char::is_control) {
        let shown: String = path.chars().flat_map(char::escape_default).collect();
        return fault(format!("`{shown}`: it begins with a space, is empty or has control characters; rename it"));
    }
    Ok(())
}

/// Registers `path`. An entry of `ours` that loads is replaced in its place. Any other one is removed, because the DLL
/// would be loaded twice.
///
/// # Errors
/// If the path cannot be in the list, or the list cannot be changed.
pub fn install(
    text: &str,
    path: &str,
    position: Position,
    ours: &dyn Fn(&str) -> bool,
    variables: Variables<'_>,
) -> Result<Change, Fault> {
    check_path(path)?;
    let before = List::read(text, variables)?;
    let own = |entry: &Entry| entry.dll().is_some_and(ours);
    let stop = before.entries.iter().position(|entry| !entry.never.is_empty());
    // An entry that only its own space keeps from loading is in a good place too.
    let stands = before.entries.iter().position(|entry| own(entry) && !entry.loads.is_empty());
    let stands = stands.or(stop.filter(|&at| own(&before.entries[at])));
    let keep = stands.filter(|_| position == Position::Keep);
    let mut texts = Vec::new();
    for (at, entry) in before.entries.iter().enumerate() {
        if keep == Some(at) {
            // Keep the existing spelling if it is the same file.
            let same = entry.loads.iter().any(|dll| dll.eq_ignore_ascii_case(path));
            texts.push(if same { entry.text.clone() } else { path.to_owned() });
        } else if !own(entry) {
            texts.push(entry.text.clone());
        }
    }
    if keep.is_none() {
        let rest = List::of(texts.clone(), variables)?;
        let at = if position == Position::First { 0 } else { end_of_what_loads(&rest) };
        texts.insert(at, path.to_owned());
    }
    Ok(Change::new(before, List::of(texts, variables)?, &|dll| ours(dll) || dll == path))
}

/// After the last entry that loads and before any that does not. There the DLL loads, and no other one starts to.
fn end_of_what_loads(list: &List) -> usize {
    let stop = list.entries.iter().position(|entry| !entry.never.is_empty()).unwrap_or(list.entries.len());
    list.entries[..stop].iter().rposition(|entry| !entry.loads.is_empty()).map_or(0, |last| last + 1)
}

/// Removes every entry of `ours`, and nothing else.
///
/// # Errors
/// If the list cannot be changed.
pub fn uninstall(text: &str, ours: &dyn Fn(&str) -> bool, variables: Variables<'_>) -> Result<Change, Fault> {
    let before = List::read(text, variables)?;
    let others = before.entries.iter().filter(|entry| !entry.dll().is_some_and(ours));
    let after = List::of(others.map(|entry| entry.text.clone()).collect(), variables)?;
    Ok(Change::new(before, after, ours))
}
