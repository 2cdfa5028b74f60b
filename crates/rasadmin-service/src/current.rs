//! The configuration that is in force now. Some duties decide by it; they go on when it changes.

use rasadmin_policy::config::Config;
use std::sync::{Arc, PoisonError, RwLock};

/// The configuration in force.
#[derive(Debug)]
pub struct Current(RwLock<Arc<Config>>);

impl Current {
    /// Starts with this configuration.
    pub const fn new(config: Arc<Config>) -> Self {
        Self(RwLock::new(config))
    }

    /// Returns the configuration in force.
    pub fn get(&self) -> Arc<Config> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Puts another configuration in force.
    pub fn set(&self, config: Arc<Config>) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = config;
    }
}
