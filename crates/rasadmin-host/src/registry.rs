//! The registry value that lists the DLLs: `HKLM\SOFTWARE\Microsoft\RAS\AdminDll`, value `DllPath`.
#![allow(unsafe_code)] // The system's functions for reading the registry.

use std::fmt;

/// The key, below HKEY_LOCAL_MACHINE.
pub const KEY: &str = r"SOFTWARE\Microsoft\RAS\AdminDll";
/// The value that holds the list.
pub const VALUE: &str = "DllPath";

/// The error of RRAS if the value's type is neither REG_SZ nor REG_EXPAND_SZ.
pub const ERROR_WRONG_TYPE: u32 = 1015;

/// The error with which the value could not be read, or [`ERROR_WRONG_TYPE`]. The service does not start then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RegistryError(pub u32);

impl fmt::Display for RegistryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.0;
        write!(f, r"HKLM\{KEY}, value {VALUE}: ")?;
        match code {
            ERROR_WRONG_TYPE => {
                write!(f, "it must be REG_SZ or REG_EXPAND_SZ (error {code}): write it again with one of these types")
            }
            _ => write!(f, "it cannot be read (error {code})"),
        }
    }
}

impl std::error::Error for RegistryError {}

/// Reads the list without expanding it. Returns None if the key or the value is missing; the service then starts without
/// admin DLLs.
///
/// # Errors
/// If the value cannot be read, or has the wrong type.
#[cfg(windows)]
pub fn dll_path() -> Result<Option<String>, RegistryError> {
    use mprapi::abi::{ERROR_FILE_NOT_FOUND, NO_ERROR};
    use windows_sys::Win32::System::Registry::{
        HKEY_LOCAL_MACHINE, REG_EXPAND_SZ, REG_SZ, RRF_NOEXPAND, RRF_RT_ANY, RegGetValueW,
    };
    let wide = |text: &str| text.encode_utf16().chain([0]).collect::<Vec<u16>>();
    let (key, value) = (wide(KEY), wide(VALUE));
    let mut data: Vec<u16> = Vec::new();
    loop {
        let (mut kind, mut bytes) = (0, (data.len() * 2) as u32);
        let to = if data.is_empty() { std::ptr::null_mut() } else { data.as_mut_ptr().cast() };
        // SAFETY: the names are terminated, and `to` has room for `bytes` bytes (or is null, and then only the size is
        // returned).
        let code = unsafe {
            let flags = RRF_RT_ANY | RRF_NOEXPAND;
            RegGetValueW(HKEY_LOCAL_MACHINE, key.as_ptr(), value.as_ptr(), flags, &mut kind, to, &mut bytes)
        };
        const ERROR_MORE_DATA: u32 = 234;
        match code {
            ERROR_FILE_NOT_FOUND => return Ok(None),
            NO_ERROR | ERROR_MORE_DATA if kind != REG_SZ && kind != REG_EXPAND_SZ => {
                return Err(RegistryError(ERROR_WRONG_TYPE));
            }
            NO_ERROR if !data.is_empty() => {
                let end = data.iter().position(|&unit| unit == 0).unwrap_or(data.len());
                return Ok(Some(String::from_utf16_lossy(&data[..end])));
            }
            NO_ERROR | ERROR_MORE_DATA => data = vec![0; bytes as usize / 2 + 1],
            code => return Err(RegistryError(code)),
        }
    }
}
