//! The registry value DllPath, a list of DLLs, read as RRAS reads it.

/// The DLLs of a DllPath value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DllList {
    /// The DLLs that RRAS loads, in order.
    pub entries: Vec<String>,
    /// The entries that RRAS never loads: the first that begins with a space, and all that follow it.
    pub never_loaded: Vec<String>,
}

/// Expands environment variables, then splits the list at `;` as RRAS does (R-LOAD-4). RRAS loads no entry from the first
/// that begins with a space: Microsoft's own example, `a.dll; b.dll`, loads only `a.dll`.
///
/// `variable` returns the value of an environment variable. An unknown `%name%` stays unchanged, as with
/// ExpandEnvironmentStrings. Empty entries (`a;;b`) are skipped.
pub fn parse(value: &str, variable: impl Fn(&str) -> Option<String>) -> DllList {
    let mut list = DllList::default();
    for entry in expand(value, variable).split(';').filter(|entry| !entry.is_empty()) {
        if entry.starts_with(' ') || !list.never_loaded.is_empty() {
            list.never_loaded.push(entry.to_owned());
        } else {
            list.entries.push(entry.to_owned());
        }
    }
    list
}

/// As [`parse`], with the environment of this process.
pub fn parse_with_environment(value: &str) -> DllList {
    parse(value, |name| std::env::var(name).ok())
}

/// Replaces `%NAME%` by the variable's value. An unknown name stays as it is.
pub fn expand(value: &str, variable: impl Fn(&str) -> Option<String>) -> String {
    let mut expanded = String::new();
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('%') {
        expanded.push_str(before);
        match after.split_once('%').and_then(|(name, rest)| Some((variable(name)?, rest))) {
            Some((known, after)) => {
                expanded.push_str(&known);
                rest = after;
            }
            None => {
                expanded.push('%');
                rest = after;
            }
        }
    }
    expanded + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(value: &str) -> (Vec<String>, Vec<String>) {
        let list = parse(value, |name| (name == "SystemRoot").then(|| r"C:\Windows".to_owned()));
        (list.entries, list.never_loaded)
    }

    fn strings(of: &[&str]) -> Vec<String> {
        of.iter().map(|s| (*s).to_owned()).collect()
    }

    #[test]
    fn the_list_is_split_at_semicolons_in_order() {
        assert_eq!(list("b.dll;a.dll;;c.dll"), (strings(&["b.dll", "a.dll", "c.dll"]), vec![]));
        assert_eq!(list(""), (vec![], vec![]));
    }

    #[test]
    fn an_entry_that_begins_with_a_space_ends_the_loading_there() {
        assert_eq!(list("a.dll; b.dll;c.dll"), (strings(&["a.dll"]), strings(&[" b.dll", "c.dll"])));
        assert_eq!(list(" a.dll"), (vec![], strings(&[" a.dll"])));
        assert_eq!(list("a.dll ;b c.dll"), (strings(&["a.dll ", "b c.dll"]), vec![]));
    }

    #[test]
    fn environment_variables_are_expanded() {
        assert_eq!(list(r"%SystemRoot%\x.dll").0, strings(&[r"C:\Windows\x.dll"]));
        assert_eq!(list("%nope%/100%.dll").0, strings(&["%nope%/100%.dll"]));
    }
}
