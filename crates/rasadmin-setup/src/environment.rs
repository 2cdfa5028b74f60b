//! Variables of the system's environment.

/// Tells the other programs that a variable of the system has changed, so that the next window of a shell has it.
#[cfg(windows)]
#[allow(unsafe_code)] // A call of the system.
pub fn announce_change() {
    use windows_sys::Win32::UI::WindowsAndMessaging::{
        HWND_BROADCAST, SMTO_ABORTIFHUNG, SendMessageTimeoutW, WM_SETTINGCHANGE,
    };
    use windows_sys::core::w;
    /// For each window that does not answer, in milliseconds.
    const TIMEOUT: u32 = 1000;
    let name = w!("Environment") as isize;
    // SAFETY: `name` is a terminated text that lives for ever; the result is not asked for.
    unsafe {
        SendMessageTimeoutW(HWND_BROADCAST, WM_SETTINGCHANGE, 0, name, SMTO_ABORTIFHUNG, TIMEOUT, std::ptr::null_mut());
    }
}

/// Other systems have no such variables.
#[cfg(not(windows))]
pub fn announce_change() {}
