//! Secrets that a browser sends back: in a cookie, in a one-time link, in a form.

use sha2::{Digest, Sha256};
use std::fmt::Write as _;

/// The bytes of a token.
const BYTES: usize = 32;

/// What is kept of a token: a reader of the memory cannot send the token itself.
pub type Hash = [u8; 32];

/// A new token, in hexadecimal digits.
///
/// # Errors
/// If the system has no random bytes.
pub fn new() -> Result<String, getrandom::Error> {
    let mut bytes = [0; BYTES];
    getrandom::fill(&mut bytes)?;
    Ok(hexadecimal(&bytes))
}

/// What is kept of a token.
pub fn hash(token: &str) -> Hash {
    Sha256::digest(token.as_bytes()).into()
}

/// The token for forms. It belongs to the token in the cookie, but does not reveal it: a page has it in its text, where
/// the cookie must not be.
pub fn of_forms(cookie: &str) -> String {
    hexadecimal(&Sha256::new().chain_update(b"rasadmin form\0").chain_update(cookie.as_bytes()).finalize())
}

/// Whether two tokens are the same. How long this takes does not tell how much of them is.
pub fn same(one: &str, other: &str) -> bool {
    same_hash(&hash(one), &hash(other))
}

/// As [`same`], of what is kept.
pub fn same_hash(one: &Hash, other: &Hash) -> bool {
    let difference = one.iter().zip(other).fold(0, |sum, (one, other)| sum | (one ^ other));
    std::hint::black_box(difference) == 0
}

/// Whether a text can be a token at all.
pub fn is_well_formed(text: &str) -> bool {
    text.len() == 2 * BYTES && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// Bytes in hexadecimal digits.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(2 * bytes.len()), |mut text, byte| {
        let _ = write!(text, "{byte:02x}"); // To a text: cannot fail.
        text
    })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_token_is_32_random_bytes() {
        let (one, other) = (new().unwrap(), new().unwrap());
        assert!(is_well_formed(&one) && is_well_formed(&other), "{one} {other}");
        assert!(!same(&one, &other) && same(&one, &one.clone()));
        for wrong in ["", "ab", &one[1..], &format!("{one}0"), &one.replace(|_| true, "g")] {
            assert!(!is_well_formed(wrong), "{wrong}");
        }
    }

    #[test]
    fn every_byte_counts() {
        let one = hash("a token");
        for at in 0..one.len() {
            let mut other = one;
            other[at] ^= 1;
            assert!(!same_hash(&one, &other), "byte {at}");
        }
        assert!(same_hash(&one, &one.clone()));
    }

    #[test]
    fn the_token_of_forms_is_another_one() {
        let cookie = new().unwrap();
        assert_eq!(of_forms(&cookie), of_forms(&cookie));
        assert!(is_well_formed(&of_forms(&cookie)));
        assert_ne!(of_forms(&cookie), cookie);
        assert_ne!(of_forms(&cookie), hexadecimal(&hash(&cookie)), "what the memory has is not in a page");
    }
}
