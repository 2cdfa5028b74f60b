//! The findings of oracles.

/// A contradiction between the truth and the product.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The sentence that does not hold.
    pub oracle: &'static str,
    /// The details.
    pub what: String,
}
