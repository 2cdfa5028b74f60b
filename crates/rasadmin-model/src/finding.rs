//! What an oracle has found.

/// A contradiction between the truth and the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Which sentence does not hold.
    pub oracle: &'static str,
    /// Of whom, and how.
    pub what: String,
}
