//! The users of the dashboard, in a file of their own: names, roles and the hashes of passwords (argon2id). Beside them are
//! the tokens of programs.
//!
//! It is small, and is read again at each request, so a change takes effect at once. A file that others can write is
//! refused: its writer decides who may disconnect users. If others can read it, the server warns at its start: a reader
//! can try passwords on the hashes.

mod fault;
mod file;
mod password;
pub mod tokens;

pub use fault::AccountsFault;
pub use password::SHORTEST;

use crate::token::{self, Hash};
use crate::visitor::Role;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

/// The longest name, in characters.
pub(crate) const LONGEST_NAME: usize = 64;

/// A user, as the file has them.
#[derive(Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Account {
    /// The name. Two names that differ only in case are the same user.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// The hash of the password, as a PHC string.
    password: String,
}

/// A user, for a list.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Listed {
    /// The name.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// What the file has.
#[derive(Clone, Default)]
struct Kept {
    users: Vec<Account>,
    tokens: Vec<tokens::Token>,
}

type Read = Result<Arc<Kept>, AccountsFault>;

/// The users of a file, and the tokens of programs.
pub struct Accounts {
    file: PathBuf,
    /// What was read last, and the hash of its text.
    last: Mutex<Option<(Hash, Read)>>,
}

impl Accounts {
    /// Those of this file. It need not exist: then there are none.
    pub fn new(file: &Path) -> Self {
        Self { file: file.to_owned(), last: Mutex::default() }
    }

    /// Whether the file can be used.
    ///
    /// # Errors
    /// If it cannot, with the reason.
    pub fn check(&self) -> Result<(), AccountsFault> {
        self.all().map(drop)
    }

    /// What the file has now.
    fn all(&self) -> Read {
        let Some(text) = file::read(&self.file)? else { return Ok(Arc::default()) };
        let hash = token::hash(&text);
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        match &*last {
            Some((of, read)) if *of == hash => read.clone(),
            _ => {
                let read = file::parse(&self.file, &text).map(Arc::new);
                *last = Some((hash, read.clone()));
                read
            }
        }
    }

    /// Whether a name and a password are a user's. Returns the user as the file has them, and the hash of their stored
    /// password. For an unknown name, it takes as long as for a wrong password: tens of milliseconds.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn verify(&self, name: &str, password: &str) -> Result<Option<(Listed, Hash)>, AccountsFault> {
        let all = self.all();
        let known = all.as_ref().ok().and_then(|all| all.users.iter().find(|account| is_same(&account.name, name)));
        let is_right = password::is(password, known.map(|account| account.password.as_str()));
        all.as_ref().map_err(Clone::clone)?;
        Ok(known
            .filter(|_| is_right)
            .map(|account| (Listed { name: account.name.clone(), role: account.role }, token::hash(&account.password))))
    }

    /// The hash of a user's stored password.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub(crate) fn stored_password(&self, name: &str) -> Result<Option<Hash>, AccountsFault> {
        let all = self.all()?;
        let known = all.users.iter().find(|account| is_same(&account.name, name));
        Ok(known.map(|account| token::hash(&account.password)))
    }

    /// The role of a user, if their stored password still has this hash.
    ///
    /// # Errors
    /// If the file cannot be used.
    pub fn role(&self, name: &str, password: &Hash) -> Result<Option<Role>, AccountsFault> {
        let all = self.all()?;
        let mut of = all.users.iter().filter(|account| account.name == name);
        Ok(of.find(|account| token::same_hash(&token::hash(&account.password), password)).map(|account| account.role))
    }
}

/// The users of a file, in its order.
///
/// # Errors
/// If it cannot be used.
pub fn list(file: &Path) -> Result<Vec<Listed>, AccountsFault> {
    let all = Accounts::new(file).all()?;
    Ok(all.users.iter().map(|account| Listed { name: account.name.clone(), role: account.role }).collect())
}

/// Whether a name can be a user's, and is not one yet: to be asked before a person types a password.
///
/// # Errors
/// If it cannot be, with the reason; or if the file cannot be used.
pub fn may_add(file: &Path, name: &str) -> Result<(), AccountsFault> {
    check_name(name)?;
    let all = Accounts::new(file).all()?;
    match all.users.iter().find(|account| is_same(&account.name, name)) {
        Some(account) => Err(AccountsFault::Exists { file: file.to_owned(), name: account.name.clone() }),
        None => Ok(()),
    }
}

/// Adds a user. The file is created if it is missing.
///
/// # Errors
/// If there is such a user, if the name or the password is not allowed, or if the file cannot be used.
pub fn add(file: &Path, name: &str, role: Role, password: &str) -> Result<(), AccountsFault> {
    check_name(name)?;
    let password = password::hashed(password)?;
    let change = file::Change::begin(file)?;
    may_add(file, name)?;
    let mut all = Kept::clone(&*Accounts::new(file).all()?);
    all.users.push(Account { name: name.to_owned(), role, password });
    change.finish(&all)
}

/// Removes a user. Their visits end at once.
///
/// # Errors
/// If there is no such user, or if the file cannot be used.
pub fn remove(file: &Path, name: &str) -> Result<(), AccountsFault> {
    let change = file::Change::begin(file)?;
    let mut all = Kept::clone(&*Accounts::new(file).all()?);
    let before = all.users.len();
    all.users.retain(|account| !is_same(&account.name, name));
    if all.users.len() == before {
        return Err(AccountsFault::Unknown { file: file.to_owned(), name: name.to_owned() });
    }
    change.finish(&all)
}

fn is_same(one: &str, other: &str) -> bool {
    one.to_lowercase() == other.to_lowercase()
}

/// Whether a name may be that of a user or a token.
fn check_name(name: &str) -> Result<(), AccountsFault> {
    let refused = |why: &str| Err(AccountsFault::Name { name: name.to_owned(), why: why.to_owned() });
    match name {
        "" => refused("it is empty"),
        _ if name.trim() != name => refused("it begins or ends with a space"),
        _ if name.chars().any(rasadmin_text::is_unsafe) => refused("it has a character that is not shown"),
        // What somebody has changed is recorded as `anna (dashboard, CORP\admin)`.
        _ if name.contains(['(', ')', ',']) => {
            refused("it has a parenthesis or a comma, which would blur the record of who asked")
        }
        _ if name.chars().count() > LONGEST_NAME => refused("it is longer than 64 characters"),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
