//! A DLL with a call inside stays in memory when it is unloaded. A DLL without calls inside does not.
#![allow(clippy::unwrap_used)]

use libloading::Library;
use rasadmin_sdk::abi::{ERROR_BUSY, NO_ERROR, RAS_PORT_0, RAS_PORT_1, TRUE};
use std::path::PathBuf;
use std::thread;

/// The example `stuck` beside this test's executable.
fn stuck() -> PathBuf {
    let name = format!("{}stuck{}", std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    let test = std::env::current_exe().unwrap();
    let path = test.ancestors().nth(2).unwrap().join("examples").join(name);
    assert!(
        path.is_file(),
        "{} is missing: run `cargo test` without `--test`, or `cargo build --examples`",
        path.display()
    );
    path
}

/// A copy with its own name, by which the loader identifies the library.
fn copy(folder: &tempfile::TempDir, name: &str) -> PathBuf {
    let path = folder.path().join(format!("{name}{}", std::env::consts::DLL_SUFFIX));
    std::fs::copy(stuck(), &path).unwrap();
    path
}

/// The address of an export. The caller may use it after the library was unloaded, if it stays in memory.
fn export<T: Copy>(dll: &Library, name: &str) -> T {
    // SAFETY: each caller states the export's own signature.
    *unsafe { dll.get::<T>(name.as_bytes()) }.unwrap()
}

type Number = extern "system" fn() -> u32;
type Link = unsafe extern "system" fn(*mut RAS_PORT_0, *mut RAS_PORT_1) -> i32;

/// Whether the image is still in this process.
#[cfg(unix)]
fn is_there(path: &std::path::Path) -> bool {
    std::fs::read_to_string("/proc/self/maps").unwrap().contains(path.to_str().unwrap())
}

#[cfg(windows)]
fn is_there(path: &std::path::Path) -> bool {
    use std::os::windows::ffi::OsStrExt;
    use windows_sys::Win32::System::LibraryLoader::GetModuleHandleW;
    let name: Vec<u16> = path.as_os_str().encode_wide().chain([0]).collect();
    // SAFETY: a terminated name.
    !unsafe { GetModuleHandleW(name.as_ptr()) }.is_null()
}

fn load(path: &std::path::Path) -> Library {
    // SAFETY: the example's start-up code is Rust's own.
    unsafe { Library::new(path) }.unwrap()
}

/// Makes the calls on threads that have ended: Linux keeps a library as long as a thread still has to run its destructors.
#[test]
fn a_dll_with_a_call_inside_stays() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy(&folder, "inside");
    let to = path.clone();
    let unloading = thread::spawn(move || {
        let dll = load(&to);
        let link: Link = export(&dll, "MprAdminAcceptNewLink");
        let inside: Number = export(&dll, "StuckInside");
        let hold: extern "system" fn(u32) = export(&dll, "StuckHold");
        assert_eq!(export::<Number>(&dll, "MprAdminInitializeDll")(), NO_ERROR);
        let call = thread::spawn(move || {
            // SAFETY: whole structures.
            unsafe { link(&mut RAS_PORT_0::default(), &mut RAS_PORT_1::default()) }
        });
        while inside() == 0 {
            thread::yield_now();
        }
        assert_eq!(export::<Number>(&dll, "StuckTerminate")(), ERROR_BUSY);
        dll.close().unwrap();
        (call, hold)
    });
    let (call, hold) = unloading.join().unwrap();
    assert!(is_there(&path));
    hold(0);
    assert_eq!(call.join().unwrap(), TRUE);
    assert!(is_there(&path), "also when the call has returned: nobody knows when its last instruction is done");
    // If it is loaded again, it starts with a new value.
    let dll = load(&path);
    assert_eq!(export::<Number>(&dll, "MprAdminInitializeDll")(), NO_ERROR);
    let link: Link = export(&dll, "MprAdminAcceptNewLink");
    // SAFETY: whole structures.
    assert_eq!(unsafe { link(&mut RAS_PORT_0::default(), &mut RAS_PORT_1::default()) }, TRUE);
    assert_eq!(export::<Number>(&dll, "MprAdminTerminateDll")(), NO_ERROR);
}

/// The control experiment, without which the test above would prove nothing.
#[test]
fn a_dll_without_one_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = copy(&folder, "outside");
    let to = path.clone();
    thread::spawn(move || {
        let dll = load(&to);
        export::<extern "system" fn(u32)>(&dll, "StuckHold")(0);
        assert_eq!(export::<Number>(&dll, "MprAdminInitializeDll")(), NO_ERROR);
        let link: Link = export(&dll, "MprAdminAcceptNewLink");
        // SAFETY: whole structures.
        assert_eq!(unsafe { link(&mut RAS_PORT_0::default(), &mut RAS_PORT_1::default()) }, TRUE);
        assert_eq!(export::<Number>(&dll, "StuckTerminate")(), NO_ERROR);
        assert!(is_there(&to));
        dll.close().unwrap();
    })
    .join()
    .unwrap();
    assert!(!is_there(&path));
}
