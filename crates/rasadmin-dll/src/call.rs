//! A call of RRAS about a user, and how long it takes.

use crate::Product;
use rasadmin_engine::Now;
use rasadmin_engine::callback::Callback;
use std::time::Instant;

/// A call that has not returned yet. Its end is noted when this is dropped.
pub struct Call<'p> {
    product: &'p Product,
    callback: Callback,
    began: Instant,
    /// When it happens.
    pub now: Now,
}

impl<'p> Call<'p> {
    /// The call begins.
    pub fn begin(product: &'p Product, callback: Callback) -> Self {
        let began = Instant::now();
        Self { product, callback, began, now: product.now() }
    }
}

impl Drop for Call<'_> {
    fn drop(&mut self) {
        self.product.recorder.call_took(self.callback, self.began.elapsed());
    }
}
