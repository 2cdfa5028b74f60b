//! The hashes of passwords: argon2id, as PHC strings.

use super::AccountsFault;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use argon2::{ARGON2ID_IDENT, Algorithm, Argon2, Params, Version};
use std::sync::LazyLock;

/// The fewest characters of a password.
pub const SHORTEST: usize = 12;

/// The same work for the name of nobody: the hash of a password that nobody knows.
static NOBODYS: LazyLock<Option<String>> = LazyLock::new(|| {
    let password = crate::token::new().ok()?;
    hashed(&password).ok()
});

/// The hash of a password, to be stored.
pub(super) fn hashed(password: &str) -> Result<String, AccountsFault> {
    if password.chars().count() < SHORTEST {
        return Err(AccountsFault::Password {
            why: format!("the password has fewer than {SHORTEST} characters: take a longer one"),
        });
    }
    let failed =
        |why: &dyn std::fmt::Display| AccountsFault::Password { why: format!("the password cannot be hashed: {why}") };
    let mut salt = [0; 16];
    getrandom::fill(&mut salt).map_err(|e| failed(&e))?;
    let salt = SaltString::encode_b64(&salt).map_err(|e| failed(&e))?;
    // 19 MiB, two passes: what OWASP names for argon2id.
    let parameters = Params::new(19 * 1024, 2, 1, None).map_err(|e| failed(&e))?;
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, parameters);
    Ok(argon.hash_password(password.as_bytes(), &salt).map_err(|e| failed(&e))?.to_string())
}

/// Whether a password is the one of a stored hash. It takes as long without a hash.
pub(super) fn is(password: &str, stored: Option<&str>) -> bool {
    // It is made at the first login, whoever tries that.
    let nobodys = NOBODYS.as_deref();
    let hash = stored.or(nobodys).and_then(|text| PasswordHash::new(text).ok());
    let matches = hash.is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
    matches && stored.is_some()
}

/// Why a text is not a hash that [`hashed`] makes.
pub(super) fn why_not_a_hash(text: &str) -> Option<String> {
    match PasswordHash::new(text) {
        Ok(hash) if hash.algorithm == ARGON2ID_IDENT && hash.hash.is_some() => None,
        Ok(_) => Some("it is not the hash of argon2id".into()),
        Err(error) => Some(error.to_string()),
    }
}
