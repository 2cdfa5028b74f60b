//! Where the slices of a checkpoint are written.

use serde::Serialize;

/// The destination of slices.
pub trait Sink {
    /// Why something could not be written.
    type Error;

    /// Writes what comes next.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    fn put<T: Serialize>(&mut self, part: &T) -> Result<(), Self::Error>;
}
