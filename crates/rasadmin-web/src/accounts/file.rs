//! The file of the users.

use super::password::why_not_a_hash;
use super::tokens::Token;
use super::{Account, AccountsFault, Kept, check_name, is_same};
use crate::private_file;
use rasadmin_rights::dashboard::{self, Access};
use rasadmin_rights::private;
use serde::Deserialize;
use std::fmt::Write as _;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// A larger file is refused: it has thousands of users.
const LARGEST: u64 = 1 << 20;

/// A change takes less. An older file of one was left by a process that has ended.
const LONGEST_CHANGE: Duration = Duration::from_secs(30);

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    #[serde(default)]
    users: Vec<Account>,
    #[serde(default)]
    tokens: Vec<Token>,
}

/// The text; None if there is no file.
pub(super) fn read(path: &Path) -> Result<Option<String>, AccountsFault> {
    if let Some(why) = private::why_untrusted(path) {
        return Err(AccountsFault::Untrusted { file: path.to_owned(), why });
    }
    let file = match File::open(path) {
        Ok(file) => file,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(e) => return Err(failed(path, e)),
    };
    let mut text = String::new();
    file.take(LARGEST + 1).read_to_string(&mut text).map_err(|e| failed(path, e))?;
    if text.len() as u64 > LARGEST {
        return Err(AccountsFault::Broken { file: path.to_owned(), why: "it is larger than 1 MiB".into() });
    }
    Ok(Some(text))
}

/// The users and the tokens of a text.
pub(super) fn parse(path: &Path, text: &str) -> Result<Kept, AccountsFault> {
    let broken = |why: String| AccountsFault::Broken { file: path.to_owned(), why };
    // The error's whole text shows the line, which may have the hash of a password.
    let text: Text = toml::from_str(text).map_err(|e: toml::de::Error| {
        let line = e.span().map(|span| text[..span.start].matches('\n').count() + 1);
        broken(line.map_or_else(String::new, |line| format!("line {line}: ")) + e.message())
    })?;
    for (at, account) in text.users.iter().enumerate() {
        check_name(&account.name).map_err(|e| broken(e.to_string()))?;
        if let Some(why) = why_not_a_hash(&account.password) {
            return Err(broken(format!("the password of `{}` is not a hash: {why}", account.name)));
        }
        if text.users[..at].iter().any(|other| is_same(&other.name, &account.name)) {
            return Err(broken(format!("it has the user `{}` twice", account.name)));
        }
    }
    for (at, token) in text.tokens.iter().enumerate() {
        check_name(&token.name).map_err(|e| broken(e.to_string()))?;
        if !token.has_hash() {
            return Err(broken(format!("the token `{}` has no SHA-256 in hexadecimal digits", token.name)));
        }
        if text.tokens[..at].iter().any(|other| is_same(&other.name, &token.name)) {
            return Err(broken(format!("it has the token `{}` twice", token.name)));
        }
    }
    Ok(Kept { users: text.users, tokens: text.tokens })
}

/// A change of the file. While it lasts, no other one begins.
pub(super) struct Change {
    path: PathBuf,
    /// The file's next text is written here.
    new: PathBuf,
    to: Option<File>,
}

impl Change {
    pub(super) fn begin(path: &Path) -> Result<Self, AccountsFault> {
        let new = private_file::next_to(path);
        let create = || private::only_ours(OpenOptions::new().write(true).create_new(true)).open(&new);
        let mut created = create();
        if matches!(&created, Err(e) if e.kind() == io::ErrorKind::AlreadyExists) {
            let age = fs::symlink_metadata(&new).and_then(|of| of.modified()).ok().and_then(|time| time.elapsed().ok());
            if age.is_none_or(|age| age < LONGEST_CHANGE) {
                return Err(AccountsFault::Busy { file: new });
            }
            fs::remove_file(&new).map_err(|e| failed(&new, e))?;
            created = create();
        }
        match created {
            Ok(to) => Ok(Self { path: path.to_owned(), new, to: Some(to) }),
            Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Err(AccountsFault::Busy { file: new }),
            Err(e) => Err(failed(&new, e)),
        }
    }

    /// Puts users and tokens into the file. A reader finds the old file or the new one, whole.
    pub(super) fn finish(mut self, kept: &Kept) -> Result<(), AccountsFault> {
        let written = self.to.take().map_or(Ok(()), |mut to| {
            to.write_all(text(kept).as_bytes())?;
            to.sync_all()
        });
        // On Windows, only an administrator's file can be given away; another's has the rights of its folder.
        let _ = private::mend(&self.new, private::Kind::File);
        // The dashboard may run as the Windows service with this account, now or later. Other systems have no such account.
        let _ = dashboard::allow(&self.new, Access::File);
        written.and_then(|()| private_file::replace(&self.new, &self.path)).map_err(|e| failed(&self.path, e))
    }
}

impl Drop for Change {
    fn drop(&mut self) {
        self.to = None; // Windows keeps an open file.
        let _ = fs::remove_file(&self.new); // After the change it has gone.
    }
}

fn text(kept: &Kept) -> String {
    let mut text = String::from("# The users of rasadmin's dashboard: `rasadmin dashboard` changes this file.\n");
    for Account { name, role, password } in &kept.users {
        let (name, password) = (quoted(name), quoted(password));
        // To a text: cannot fail.
        let _ = write!(text, "\n[[users]]\nname = {name}\nrole = \"{role}\"\npassword = {password}\n");
    }
    for Token { name, role, sha256 } in &kept.tokens {
        let name = quoted(name);
        let _ = write!(text, "\n[[tokens]]\nname = {name}\nrole = \"{role}\"\nsha256 = \"{sha256}\"\n");
    }
    text
}

/// A basic string of TOML. Names have no control characters.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

fn failed(path: &Path, error: io::Error) -> AccountsFault {
    AccountsFault::File { file: path.to_owned(), why: error.to_string() }
}
