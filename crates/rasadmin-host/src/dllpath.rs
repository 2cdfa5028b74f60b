//! The registry value DllPath: a list of DLLs, and the way RRAS reads it.

/// What RRAS makes of a DllPath value.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DllList {
    /// The DLLs that are loaded, in order.
    pub entries: Vec<String>,
    /// The rest of the list, which is never loaded because an entry begins with a space: the offending entry and all
    /// that follow it.
    pub never_loaded: Vec<String>,
}

/// Expands environment variables, then splits the list as RRAS does (observed): at `;`, in order, and an entry that
/// begins with a space ends the loading there, silently. Microsoft's own example, `a.dll; b.dll`, loads `a.dll` only.
///
/// `variable` gives the value of an environment variable; an unknown `%name%` stays as it is, as
/// ExpandEnvironmentStrings leaves it. An empty entry (`a;;b`) is passed over.
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

/// [`parse`] with this process's environment.
pub fn parse_with_environment(value: &str) -> DllList {
    parse(value, |name| std::env::var(name).ok())
}

fn expand(value: &str, variable: impl Fn(&str) -> Option<String>) -> String {
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
