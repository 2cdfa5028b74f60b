//! The system's PATH, as text: a folder is added at its end, or taken out. All else stays as it is.

/// The text with the folder at its end; None if the folder is in it already. `variable` expands %NAME%.
pub fn with(text: &str, folder: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    if text.split(';').any(|entry| is(entry, folder, variable)) {
        return None;
    }
    let between = if text.is_empty() || text.ends_with(';') { "" } else { ";" };
    Some(format!("{text}{between}{folder}"))
}

/// The text without the folder; None if the folder is not in it.
pub fn without(text: &str, folder: &str, variable: &dyn Fn(&str) -> Option<String>) -> Option<String> {
    let kept: Vec<&str> = text.split(';').filter(|entry| !is(entry, folder, variable)).collect();
    let kept = kept.join(";");
    (kept.len() != text.len()).then_some(kept)
}

/// Whether an entry names the folder. Windows ignores case, quotation marks and a backslash at the end.
fn is(entry: &str, folder: &str, variable: &dyn Fn(&str) -> Option<String>) -> bool {
    let plain = |path: &str| path.trim().trim_matches('"').trim_end_matches('\\').to_lowercase();
    plain(&rasadmin_host::dllpath::expand(entry, variable)) == plain(folder)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FOLDER: &str = r"C:\Program Files\rasadmin";

    fn variable(name: &str) -> Option<String> {
        name.eq_ignore_ascii_case("ProgramFiles").then(|| r"C:\Program Files".to_owned())
    }

    #[test]
    fn a_folder_is_added_once_and_all_else_stays() {
        for (before, after) in [
            ("", r"C:\Program Files\rasadmin"),
            (r"%SystemRoot%;C:\a", r"%SystemRoot%;C:\a;C:\Program Files\rasadmin"),
            (r"C:\a;", r"C:\a;C:\Program Files\rasadmin"),
        ] {
            assert_eq!(with(before, FOLDER, &variable).as_deref(), Some(after));
        }
        for there in
            [r"C:\a;c:\program files\RASADMIN\", "\"C:\\Program Files\\rasadmin\"", r"%PROGRAMFILES%\rasadmin;"]
        {
            assert_eq!(with(there, FOLDER, &variable), None, "{there}");
        }
    }

    #[test]
    fn a_folder_is_taken_out_wherever_it_is() {
        for (before, after) in [
            (r"C:\Program Files\rasadmin", Some("")),
            (r"%SystemRoot%;%ProgramFiles%\rasadmin\;;C:\a", Some(r"%SystemRoot%;;C:\a")),
            (r"C:\Program Files\rasadmin2;C:\Program Files", None),
        ] {
            assert_eq!(without(before, FOLDER, &variable).as_deref(), after);
        }
    }
}
