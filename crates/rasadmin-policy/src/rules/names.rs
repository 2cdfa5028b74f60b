//! Lists of names of servers, ports and computers, compared without case. `*` at the end matches any rest.

use super::Fault;
use crate::Name;
use crate::shorten::shortened;

/// Names and prefixes, folded.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Names {
    /// Sorted.
    exact: Box<[String]>,
    /// Sorted. No prefix is a prefix of another, so at most one can match a name: the last one that is not greater
    /// than the name.
    prefixes: Box<[String]>,
}

impl Names {
    /// Makes a list from parsed entries.
    pub(crate) fn new(entries: impl IntoIterator<Item = NamePattern>) -> Self {
        let (mut exact, mut prefixes) = (Vec::new(), Vec::<String>::new());
        for entry in entries {
            if entry.prefix { prefixes.push(entry.text) } else { exact.push(entry.text) }
        }
        exact.sort_unstable();
        prefixes.sort_unstable();
        prefixes.dedup_by(|longer, shorter| longer.starts_with(shorter.as_str()));
        Self { exact: exact.into(), prefixes: prefixes.into() }
    }

    /// Does the list contain a folded name?
    pub(super) fn contains(&self, folded: &Name) -> bool {
        let name = folded.as_str();
        self.is_exact(name) || self.begins(name)
    }

    /// Does it contain whatever an entry matches?
    pub(crate) fn cover(&self, entry: &NamePattern) -> bool {
        self.begins(&entry.text) || (!entry.prefix && self.is_exact(&entry.text))
    }

    fn is_exact(&self, name: &str) -> bool {
        self.exact.binary_search_by(|known| known.as_str().cmp(name)).is_ok()
    }

    fn begins(&self, name: &str) -> bool {
        let after = self.prefixes.partition_point(|prefix| prefix.as_str() <= name);
        after.checked_sub(1).and_then(|at| self.prefixes.get(at)).is_some_and(|prefix| name.starts_with(prefix))
    }
}

/// An entry of such a list: a name, or a prefix of names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamePattern {
    text: String,
    prefix: bool,
}

impl NamePattern {
    /// Parses an entry: `VPN2-7`, `VPN2-*`.
    ///
    /// # Errors
    ///
    /// What is wrong with the text, and how to correct it.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        let (name, prefix) = text.strip_suffix('*').map_or((text, false), |name| (name, true));
        if text.is_empty() || text.trim() != text {
            return Err((
                if text.is_empty() {
                    "a name is empty".to_owned()
                } else {
                    format!("`{}` has blanks around the name", shortened(text))
                },
                "write the name, or its beginning and `*`".to_owned(),
            ));
        }
        if name.contains('*') {
            return Err((
                format!("`{}`: a `*` is allowed only at the end", shortened(text)),
                "write the name, or its beginning and `*`: `VPN2-*`".to_owned(),
            ));
        }
        Ok(Self { text: Name::new(name).folded().as_str().to_owned(), prefix })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_match_without_case_and_a_star_stands_for_any_rest() {
        let names =
            Names::new(["vpn2-*", "VPN2-1*", "lpt1", "com*", "büro"].map(|text| NamePattern::parse(text).unwrap()));
        for name in ["VPN2-7", "vpn2-", "VPN2-100", "LPT1", "COM3", "com", "BÜRO"] {
            assert!(names.contains(&Name::new(name).folded()), "{name}");
        }
        for name in ["VPN3-7", "vpn2", "LPT10", "CO", "", "ZZZ", "büros"] {
            assert!(!names.contains(&Name::new(name).folded()), "{name}");
        }
        assert!(Names::new([NamePattern::parse("*").unwrap()]).contains(&Name::default()));
        for text in ["", "*x", "a*b", "**", " a", "a "] {
            assert!(NamePattern::parse(text).is_err(), "{text}");
        }
    }
}
