//! The tokens with which programs ask the API. A token has 256 random bits, so its SHA-256 is enough to recognise it, and
//! the file's reader cannot send it.

use super::{Accounts, AccountsFault, Kept, Listed, check_name, file, is_same};
use crate::token::{self, Hash};
use crate::visitor::Role;
use base64ct::{Base64UrlUnpadded, Encoding};
use serde::Deserialize;
use std::path::Path;

/// How every token begins, so that people and scanners for secrets recognise one.
const PREFIX: &str = "rasadmin_";

/// The characters of a token after the prefix: 32 bytes in base64url, without padding.
const LENGTH: usize = 43;

/// A token, as the file has it.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Token {
    /// The name: of the program that uses it, for example.
    pub(super) name: String,
    /// What the program may do.
    pub(super) role: Role,
    /// The SHA-256 of the whole token, in hexadecimal digits.
    pub(super) sha256: String,
}

impl Token {
    /// Whether the hash can be one.
    pub(super) fn has_hash(&self) -> bool {
        token::is_well_formed(&self.sha256)
    }

    fn is_of(&self, hash: &Hash) -> bool {
        token::same(&self.sha256.to_ascii_lowercase(), &token::hexadecimal(hash))
    }
}

impl Accounts {
    /// Whose token this is.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn of_token(&self, text: &str) -> Result<Option<Listed>, AccountsFault> {
        let all = self.all()?;
        let Some(hash) = is_well_formed(text).then(|| token::hash(text)) else { return Ok(None) };
        let found = all.tokens.iter().find(|token| token.is_of(&hash));
        Ok(found.map(|token| Listed { name: token.name.clone(), role: token.role }))
    }
}

/// The tokens of a file, in its order.
///
/// # Errors
/// If it cannot be used.
pub fn list(file: &Path) -> Result<Vec<Listed>, AccountsFault> {
    let all = Accounts::new(file).all()?;
    Ok(all.tokens.iter().map(|token| Listed { name: token.name.clone(), role: token.role }).collect())
}

/// Makes a token, and returns it: only its hash is kept. The file is created if it is missing.
///
/// # Errors
/// If there is a token of this name, if the name is not allowed, or if the file cannot be used.
pub fn add(file: &Path, name: &str, role: Role) -> Result<String, AccountsFault> {
    check_name(name)?;
    let text = new().map_err(|e| AccountsFault::Random { why: e.to_string() })?;
    let change = file::Change::begin(file)?;
    let mut all = Kept::clone(&*Accounts::new(file).all()?);
    if let Some(same) = all.tokens.iter().find(|token| is_same(&token.name, name)) {
        return Err(AccountsFault::TokenExists { file: file.to_owned(), name: same.name.clone() });
    }
    let sha256 = token::hexadecimal(&token::hash(&text));
    all.tokens.push(Token { name: name.to_owned(), role, sha256 });
    change.finish(&all)?;
    Ok(text)
}

/// Removes a token. The next request with it is refused.
///
/// # Errors
/// If there is no such token, or if the file cannot be used.
pub fn remove(file: &Path, name: &str) -> Result<(), AccountsFault> {
    let change = file::Change::begin(file)?;
    let mut all = Kept::clone(&*Accounts::new(file).all()?);
    let before = all.tokens.len();
    all.tokens.retain(|token| !is_same(&token.name, name));
    if all.tokens.len() == before {
        return Err(AccountsFault::TokenUnknown { file: file.to_owned(), name: name.to_owned() });
    }
    change.finish(&all)
}

fn new() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 32];
    getrandom::fill(&mut bytes)?;
    Ok(format!("{PREFIX}{}", Base64UrlUnpadded::encode_string(&bytes)))
}

fn is_well_formed(text: &str) -> bool {
    let is_digit = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    text.strip_prefix(PREFIX).is_some_and(|rest| rest.len() == LENGTH && rest.bytes().all(is_digit))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn file() -> (tempfile::TempDir, std::path::PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("dashboard-users.toml");
        (folder, file)
    }

    #[test]
    fn a_token_is_shown_once_and_kept_as_its_hash() {
        let (_folder, file) = file();
        let text = add(&file, "prometheus", Role::Viewer).unwrap();
        assert!(is_well_formed(&text) && text.starts_with("rasadmin_"), "{text}");
        let kept = std::fs::read_to_string(&file).unwrap();
        assert!(!kept.contains(&text["rasadmin_".len()..]), "{kept}");
        assert!(kept.contains(&format!("sha256 = \"{}\"", token::hexadecimal(&token::hash(&text)))), "{kept}");
        assert_ne!(add(&file, "another", Role::Operator).unwrap(), text);
        let names: Vec<_> = list(&file).unwrap().into_iter().map(|one| (one.name, one.role)).collect();
        assert_eq!(names, [("prometheus".to_owned(), Role::Viewer), ("another".to_owned(), Role::Operator)]);
    }

    #[test]
    fn a_token_is_good_until_it_is_removed() {
        let (_folder, file) = file();
        let accounts = Accounts::new(&file);
        let text = add(&file, "backup", Role::Operator).unwrap();
        let found = accounts.of_token(&text).unwrap().unwrap();
        assert_eq!((found.name.as_str(), found.role), ("backup", Role::Operator));
        let mut other = text.clone();
        other.replace_range(20..21, if &text[20..21] == "A" { "B" } else { "A" });
        for wrong in ["", "rasadmin_", &text[1..], &text[9..], &format!("{text}A"), &other, &format!(" {text}")] {
            assert!(accounts.of_token(wrong).unwrap().is_none(), "{wrong}");
        }
        remove(&file, "BACKUP").unwrap();
        assert!(accounts.of_token(&text).unwrap().is_none());
        assert!(matches!(remove(&file, "backup"), Err(AccountsFault::TokenUnknown { .. })));
    }

    #[test]
    fn users_and_tokens_do_not_disturb_each_other() {
        let (_folder, file) = file();
        let token = add(&file, "alice", Role::Viewer).unwrap();
        super::super::add(&file, "alice", Role::Operator, "correct horse battery").unwrap();
        assert!(matches!(add(&file, "Alice", Role::Viewer), Err(AccountsFault::TokenExists { .. })));
        super::super::remove(&file, "alice").unwrap();
        assert_eq!(Accounts::new(&file).of_token(&token).unwrap().unwrap().role, Role::Viewer);
        let name = add(&file, "a\u{1b}b", Role::Viewer).unwrap_err().to_string();
        assert!(name.contains("cannot be the name of a user or a token"), "{name}");
    }

    #[test]
    fn a_broken_token_is_refused_without_its_hash() {
        let (_folder, file) = file();
        add(&file, "backup", Role::Viewer).unwrap();
        let good = std::fs::read_to_string(&file).unwrap();
        let block = good[good.find("[[tokens]]").unwrap()..].to_owned();
        for (text, why) in [
            (good.replace("sha256 = \"", "sha256 = \"x"), "the token `backup` has no SHA-256"),
            (format!("{good}{block}"), "it has the token `backup` twice"),
            (good.replace("viewer", "root"), "line 5"),
        ] {
            std::fs::write(&file, text).unwrap();
            let fault = Accounts::new(&file).of_token("x").unwrap_err().to_string();
            assert!(fault.contains(why), "{why}: {fault}");
        }
    }
}
