//! Files of other owners, which the journal ignores.

use rasadmin_rights::private::{self, PermissionFault};
use std::path::Path;

/// Says why a file is ignored, as in "it belongs to …"; None if its owner is trusted.
pub fn foreign(path: &Path) -> Option<String> {
    private::foreign(path).map(|owner| PermissionFault::Foreign(owner).to_string())
}
