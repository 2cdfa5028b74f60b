//! What must be undone before the DLL is unloaded.
#![allow(unsafe_code)] // SQLite's own function for it.

/// SQLite keeps some memory of the process until it is told that nobody uses it: 0.8 KiB a load.
pub fn sqlite() {
    // SAFETY: the engine has closed its connections, and this copy of SQLite is linked into this DLL alone. No call is
    // inside: the SDK lets none in once terminate has begun, and has waited for those that were.
    unsafe { rusqlite::ffi::sqlite3_shutdown() };
}
