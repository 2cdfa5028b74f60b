//! R-LOAD-1 and R-LOAD-2: the registry value DllPath and its types.
#![cfg(windows)]
#![allow(clippy::unwrap_used)]

use rasadmin_host::registry::{ERROR_WRONG_TYPE, KEY, RegistryError, VALUE, dll_path};
use std::ptr::{null, null_mut};
use windows_sys::Win32::System::Registry::{
    HKEY, HKEY_CURRENT_USER, HKEY_LOCAL_MACHINE, KEY_ALL_ACCESS, REG_DWORD, REG_EXPAND_SZ, REG_SZ, RegCloseKey,
    RegCreateKeyExW, RegDeleteTreeW, RegDeleteValueW, RegOverridePredefKey, RegSetValueExW,
};

fn wide(text: &str) -> Vec<u16> {
    text.encode_utf16().chain([0]).collect()
}

fn create(below: HKEY, path: &str) -> HKEY {
    let mut key = null_mut();
    // SAFETY: terminated names, and a place for the key.
    let code = unsafe {
        RegCreateKeyExW(below, wide(path).as_ptr(), 0, null(), 0, KEY_ALL_ACCESS, null(), &mut key, null_mut())
    };
    assert_eq!(code, 0);
    key
}

fn set(key: HKEY, kind: u32, bytes: &[u8]) {
    // SAFETY: a terminated name, and as many bytes as said.
    let code = unsafe { RegSetValueExW(key, wide(VALUE).as_ptr(), 0, kind, bytes.as_ptr(), bytes.len() as u32) };
    assert_eq!(code, 0);
}

fn bytes(text: &str) -> Vec<u8> {
    wide(text).into_iter().flat_map(u16::to_le_bytes).collect()
}

/// A single test, because it replaces HKEY_LOCAL_MACHINE by another key for this process.
#[test]
fn the_value_is_read_as_it_is() {
    let name = format!(r"Software\rasadmin-test-{}", std::process::id());
    let machine = create(HKEY_CURRENT_USER, &name);
    // SAFETY: a key that is open.
    assert_eq!(unsafe { RegOverridePredefKey(HKEY_LOCAL_MACHINE, machine) }, 0);
    assert_eq!(dll_path(), Ok(None), "no key: no admin DLLs");
    let key = create(HKEY_LOCAL_MACHINE, KEY);
    assert_eq!(dll_path(), Ok(None), "no value: no admin DLLs");
    set(key, REG_SZ, &bytes(r"C:\a.dll; C:\b.dll"));
    assert_eq!(dll_path(), Ok(Some(r"C:\a.dll; C:\b.dll".into())));
    set(key, REG_EXPAND_SZ, &bytes(r"%SystemRoot%\a.dll"));
    assert_eq!(dll_path(), Ok(Some(r"%SystemRoot%\a.dll".into())), "unexpanded");
    set(key, REG_SZ, &bytes(""));
    assert_eq!(dll_path(), Ok(Some(String::new())));
    set(key, REG_SZ, &bytes(&"x".repeat(5000)));
    assert_eq!(dll_path(), Ok(Some("x".repeat(5000))));
    set(key, REG_DWORD, &[1, 0, 0, 0]);
    assert_eq!(dll_path(), Err(RegistryError(ERROR_WRONG_TYPE)));
    assert!(dll_path().unwrap_err().to_string().contains("must be REG_SZ or REG_EXPAND_SZ (error 1015)"));
    // SAFETY: open keys, terminated names.
    unsafe {
        RegDeleteValueW(key, wide(VALUE).as_ptr());
        RegCloseKey(key);
        RegOverridePredefKey(HKEY_LOCAL_MACHINE, null_mut());
        RegCloseKey(machine);
        RegDeleteTreeW(HKEY_CURRENT_USER, wide(&name).as_ptr());
    }
}
