//! Browsers that have logged in before. Each has a token in a cookie for a year, and its failed logins are counted on their
//! own: a stranger who tries a name does not delay the browsers of its owner. (OWASP calls this device cookies.)
//!
//! A token opens nothing. Nothing is kept of it: it has a random part, and a digest of that with what the users' file has for
//! the password. So it is of one user, it outlives a restart, and it ends when the password changes.

use crate::token::{self, Hash};
use sha2::{Digest, Sha256};

/// How many digits the random part has, and how many the digest: 128 bits each.
const HALF: usize = 32;

/// A new token for a browser of the user whose stored password has this hash.
///
/// # Errors
/// If the system has no random bytes.
pub fn new(password: &Hash) -> Result<String, getrandom::Error> {
    let random = &token::new()?[..HALF];
    Ok(format!("{random}{}", digest(random, password)))
}

/// Whether a well-formed token is of the user whose stored password has this hash.
pub fn is_of(token: &str, password: &Hash) -> bool {
    token.split_at_checked(HALF).is_some_and(|(random, of)| token::same(of, &digest(random, password)))
}

/// Nobody who has one digest can make that of another text: it is cut, and the texts have one length.
fn digest(random: &str, password: &Hash) -> String {
    let whole = Sha256::new().chain_update(b"rasadmin device\0").chain_update(password).chain_update(random);
    token::hexadecimal(&whole.finalize()[..HALF / 2])
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_of_one_password_and_cannot_be_changed() {
        let (password, other) = (token::hash("$argon2id$a"), token::hash("$argon2id$b"));
        let (one, two) = (new(&password).unwrap(), new(&password).unwrap());
        assert!(token::is_well_formed(&one) && is_of(&one, &password) && is_of(&two, &password));
        assert_ne!(one, two);
        assert!(!is_of(&one, &other));
        let swapped = format!("{}{}", &one[..HALF], &two[HALF..]);
        for wrong in ["", "é", &one[..HALF], &swapped, &one.to_uppercase(), &token::new().unwrap()] {
            assert!(!is_of(wrong, &password), "{wrong}");
        }
    }
}
