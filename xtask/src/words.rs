//! Words: phrases that pages, help and documentation must not use, and names that must not come back.
//!
//! xtask/words.txt has the phrases, xtask/old-names.txt the names; both say how they are written.

use crate::Result;
use crate::shell::root;
use regex_lite::{Regex, RegexBuilder};
use std::path::{Path, PathBuf};

const WORDS: &str = "xtask/words.txt";
const NAMES: &str = "xtask/old-names.txt";

/// Checks pages, help and documentation comments for phrases, and the code for names.
pub fn check() -> Result {
    let (phrases, names) = (phrases(&read(WORDS)?)?, names(&read(NAMES)?)?);
    let mut findings = Vec::new();
    for file in prose()? {
        let text = read(&file)?;
        let text = if file.ends_with(".rs") { Text::comments(&text) } else { Text::page(&text) };
        findings.extend(
            phrases.iter().flat_map(|phrase| phrase.find(&text)).map(|(line, what)| (file.clone(), line, what)),
        );
    }
    for file in code()? {
        let text = read(&file)?;
        for (number, line) in text.lines().enumerate() {
            let found = names.iter().filter_map(|name| Some((number + 1, name.find(line)?)));
            findings.extend(found.map(|(line, what)| (file.clone(), line, what)));
        }
    }
    if findings.is_empty() {
        return Ok(());
    }
    findings.sort();
    for (file, line, what) in &findings {
        eprintln!("{file}:{line}: {what}");
    }
    Err(format!("{} phrases or names that {WORDS} or {NAMES} rules out", findings.len()))
}

/// A phrase that is ruled out.
struct Phrase {
    pattern: Regex,
    /// A longer text around the phrase that is fine.
    exceptions: Vec<Regex>,
    /// Why, and what to write instead.
    advice: String,
}

impl Phrase {
    fn find(&self, text: &Text) -> Vec<(usize, String)> {
        let is_exception = |range: std::ops::Range<usize>| {
            let contains = |found: regex_lite::Match<'_>| found.start() <= range.start && range.end <= found.end();
            self.exceptions.iter().any(|exception| exception.find_iter(&text.text).any(contains))
        };
        let found = self.pattern.find_iter(&text.text).filter(|found| !is_exception(found.range()));
        found
            .map(|found| {
                let phrase = found.as_str().trim_start_matches(['.', ' ']);
                (text.line(found.end() - phrase.len()), format!("`{phrase}`: {}", self.advice))
            })
            .collect()
    }
}

/// Reads the list of phrases: comments, a pattern, its exceptions after `except `.
fn phrases(text: &str) -> Result<Vec<Phrase>> {
    let regex = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        let built = builder.case_insensitive(true).multi_line(true).build();
        built.map_err(|e| format!("{WORDS}: `{pattern}`: {e}"))
    };
    let (mut phrases, mut advice) = (Vec::<Phrase>::new(), Vec::new());
    let mut in_advice = false;
    for line in text.lines().filter(|line| !line.trim().is_empty()) {
        if let Some(comment) = line.strip_prefix('#') {
            if !in_advice {
                advice.clear();
            }
            in_advice = true;
            advice.push(comment.trim());
            continue;
        }
        in_advice = false;
        match (line.strip_prefix("except "), phrases.last_mut()) {
            (Some(exception), Some(phrase)) => phrase.exceptions.push(regex(exception)?),
            (Some(_), None) => return Err(format!("{WORDS}: `{line}` follows no pattern")),
            (None, _) if advice.is_empty() => return Err(format!("{WORDS}: `{line}` has no comment that says why")),
            (None, _) => {
                phrases.push(Phrase { pattern: regex(line)?, exceptions: Vec::new(), advice: advice.join(" ") });
            }
        }
    }
    Ok(phrases)
}

/// A name that must not be declared again.
struct OldName {
    name: String,
    declaration: Regex,
    /// What it is called now.
    now: String,
}

impl OldName {
    fn find(&self, line: &str) -> Option<String> {
        let found = line.contains(&self.name) && self.declaration.is_match(line);
        found.then(|| format!("the name `{}` must not come back: {}", self.name, self.now))
    }
}

/// Reads the list of names: `Name: what to call it`.
fn names(text: &str) -> Result<Vec<OldName>> {
    let lines = text.lines().filter(|line| !line.trim().is_empty() && !line.starts_with('#'));
    lines
        .map(|line| {
            let (name, now) = line.split_once(": ").ok_or_else(|| format!("{NAMES}: `{line}` has no `: NAME`"))?;
            let declared =
                if name.starts_with(char::is_uppercase) { "struct|enum|trait|type|union|as" } else { "fn|mod" };
            let declaration = Regex::new(&format!(r"\b(?:{declared})\s+{name}\b"));
            let declaration = declaration.map_err(|e| format!("{NAMES}: `{name}`: {e}"))?;
            Ok(OldName { name: name.to_owned(), declaration, now: now.trim().to_owned() })
        })
        .collect()
}

/// A text without line breaks inside a paragraph, and where its lines begin.
#[derive(Default)]
struct Text {
    text: String,
    /// Offset in the text and number of each line.
    lines: Vec<(usize, usize)>,
}

impl Text {
    /// Everything of a page but fenced code and what is between `wordlist: off` and `wordlist: on`.
    fn page(page: &str) -> Self {
        let mut text = Self::default();
        let (mut fenced, mut off) = (false, false);
        for (number, line) in page.lines().enumerate() {
            if line.trim_start().starts_with("```") {
                fenced = !fenced;
            } else if line.contains("wordlist: off") || line.contains("wordlist: on") {
                off = line.contains("wordlist: off");
            } else if !fenced && !off {
                text.push(number + 1, line);
                continue;
            }
            text.push(number + 1, "");
        }
        text
    }

    /// The documentation comments of a source file, without their fenced code.
    fn comments(source: &str) -> Self {
        let comment = |line: &str| -> String {
            let line = line.trim_start();
            let rest = line.strip_prefix("///").or_else(|| line.strip_prefix("//!"));
            rest.map(str::trim_start).unwrap_or_default().to_owned()
        };
        Self::page(&source.lines().map(comment).collect::<Vec<_>>().join("\n"))
    }

    /// Adds a line: to the paragraph before it, unless it is empty, or a heading, a list item or a row of a table.
    fn push(&mut self, number: usize, line: &str) {
        let line = line.trim();
        let words = line.trim_start_matches(['-', '*', '#', '|', '>', ' ']);
        let begins = line.is_empty() || line.len() != words.len() || line.starts_with(|c: char| c.is_ascii_digit());
        self.text.push(if begins { '\n' } else { ' ' });
        self.lines.push((self.text.len(), number));
        self.text.push_str(words);
    }

    fn line(&self, offset: usize) -> usize {
        self.lines.iter().rfind(|(start, _)| *start <= offset).map_or(1, |(_, number)| *number)
    }
}

/// Pages, generated ones too, and the sources whose documentation is read.
fn prose() -> Result<Vec<String>> {
    let mut files = ["README.md", "CHANGELOG.md", "CONTRIBUTING.md"].map(str::to_owned).to_vec();
    files.extend(below("docs", &[".md", ".1", ".json"])?);
    files.extend(below("fixtures", &[".md"])?);
    files.extend(below("xtask/src", &[".rs"])?);
    for package in folders("crates")? {
        files.extend(below(&format!("{package}/src"), &[".rs"])?);
    }
    Ok(files)
}

/// Every source file.
fn code() -> Result<Vec<String>> {
    let mut files = Vec::new();
    for folder in ["crates", "examples", "xtask"] {
        files.extend(below(folder, &[".rs"])?);
    }
    Ok(files)
}

fn read(file: &str) -> Result<String> {
    std::fs::read_to_string(root().join(file)).map_err(|e| format!("{file}: {e}"))
}

fn folders(folder: &str) -> Result<Vec<String>> {
    let entries = std::fs::read_dir(root().join(folder)).map_err(|e| format!("{folder}: {e}"))?;
    let names = entries.flatten().filter(|entry| entry.path().join("src").is_dir());
    Ok(names.map(|entry| format!("{folder}/{}", entry.file_name().to_string_lossy())).collect())
}

/// The files below a folder whose names end so, with `/` between folders.
fn below(folder: &str, ends: &[&str]) -> Result<Vec<String>> {
    let mut found = Vec::new();
    let mut folders = vec![PathBuf::from(folder)];
    while let Some(folder) = folders.pop() {
        let at = |e: std::io::Error| format!("{}: {e}", folder.display());
        for entry in std::fs::read_dir(root().join(&folder)).map_err(at)? {
            let entry = entry.map_err(at)?;
            let path: &Path = &folder.join(entry.file_name());
            let name = path.to_string_lossy().replace('\\', "/");
            if entry.file_type().map_err(at)?.is_dir() {
                folders.push(path.to_owned());
            } else if ends.iter().any(|end| name.ends_with(end)) {
                found.push(name);
            }
        }
    }
    found.sort();
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIST: &str = "# The head.\n\n# Write \"skipped\".\n\\bpassed over\\b\nexcept \\bpassed over the wire\\b\n\
                        # Begin with \"if\".\n^Where the\\b\n";

    fn found(text: &Text) -> Vec<(usize, String)> {
        phrases(LIST).unwrap().iter().flat_map(|phrase| phrase.find(text)).collect()
    }

    #[test]
    fn a_phrase_is_found_with_its_line_across_a_line_break() {
        let page = Text::page("# Lines\n\nA bad line is passed\nover.\n\n- Where the file is empty\n");
        let found = found(&page);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(found[0].0, 3);
        assert!(found[0].1.starts_with("`passed over`: ") && found[0].1.contains("skipped"), "{found:?}");
        assert_eq!((found[1].0, found[1].1.as_str()), (6, "`Where the`: Begin with \"if\"."));
    }

    #[test]
    fn code_exceptions_and_what_is_turned_off_are_left_out() {
        let page = "```\npassed over\n```\n<!-- wordlist: off -->\npassed over\n<!-- wordlist: on -->\n\
                    They are passed over the wire.\n";
        assert_eq!(found(&Text::page(page)), []);
        assert_eq!(found(&Text::page("<!-- wordlist: on -->\n\nIt is passed over.\n")).len(), 1);
    }

    #[test]
    fn of_a_source_file_only_documentation_counts() {
        let source = "//! Lines are passed over.\n\n// They are passed over.\nlet text = \"passed over\";\n\
                      /// They are passed\n/// over.\nfn skip() {}\n";
        let lines: Vec<usize> = found(&Text::comments(source)).iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 5]);
    }

    #[test]
    fn an_old_name_is_found_where_it_is_declared() {
        let names = names("# why\nFormer: Present\nformerly: presently\n").unwrap();
        let found = |line: &str| names.iter().filter_map(|name| name.find(line)).count();
        assert_eq!(found("pub(crate) struct Former {"), 1);
        assert_eq!(found("use present::Present as Former;"), 1);
        assert_eq!(found("    pub fn formerly(&self) {"), 1);
        assert_eq!(found("// formerly, a fn; Former"), 0);
        assert_eq!(found("fn formerly_known() {}"), 0);
    }

    #[test]
    fn a_pattern_needs_its_reason() {
        assert!(phrases("\\baway\\b\n").is_err_and(|message| message.contains("says why")));
    }
}
