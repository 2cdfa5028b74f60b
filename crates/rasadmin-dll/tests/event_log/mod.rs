//! The Event Log as the DLL sees it: its calls are caught, by changing its import table in memory.

use std::ffi::{CStr, c_void};
use std::os::windows::ffi::OsStrExt;
use std::path::Path;
use std::ptr::{null, null_mut};
use std::sync::Mutex;
use windows_sys::Win32::Foundation::HMODULE;
use windows_sys::Win32::Storage::FileSystem::{GetFileVersionInfoSizeW, GetFileVersionInfoW, VerQueryValueW};
use windows_sys::Win32::System::Diagnostics::Debug::{
    FORMAT_MESSAGE_ARGUMENT_ARRAY, FORMAT_MESSAGE_FROM_HMODULE, FORMAT_MESSAGE_IGNORE_INSERTS, FormatMessageW,
};
use windows_sys::Win32::System::LibraryLoader::{GetModuleHandleW, LOAD_LIBRARY_AS_DATAFILE, LoadLibraryExW};
use windows_sys::Win32::System::Memory::{PAGE_READWRITE, VirtualProtect};

/// An event as the Event Viewer shows it.
#[derive(Debug)]
pub struct Event {
    pub source: String,
    pub id: u32,
    pub text: String,
}

struct Reported {
    source: usize,
    id: u32,
    inserts: Vec<Vec<u16>>,
}

static REPORTED: Mutex<Vec<Reported>> = Mutex::new(Vec::new());
/// The sources that were opened, by name, and whether they still are. Their places are their handles, from 1.
static SOURCES: Mutex<Vec<(String, bool)>> = Mutex::new(Vec::new());

fn wide(text: &Path) -> Vec<u16> {
    text.as_os_str().encode_wide().chain([0]).collect()
}

/// # Safety
/// `text` points to a terminated text.
unsafe fn units(text: *const u16) -> Vec<u16> {
    // SAFETY: no unit before the terminator is passed.
    (0..).map(|at| unsafe { *text.add(at) }).take_while(|unit| *unit != 0).collect()
}

unsafe extern "system" fn register(_: *const u16, name: *const u16) -> usize {
    let mut sources = SOURCES.lock().unwrap();
    // SAFETY: the caller vouches for the name.
    sources.push((String::from_utf16(&unsafe { units(name) }).unwrap(), true));
    sources.len()
}

unsafe extern "system" fn deregister(source: usize) -> i32 {
    i32::from(std::mem::take(&mut SOURCES.lock().unwrap()[source - 1].1))
}

#[allow(clippy::too_many_arguments)] // Windows' own.
unsafe extern "system" fn report(
    source: usize,
    kind: u16,
    category: u16,
    id: u32,
    user: *const c_void,
    count: u16,
    size: u32,
    strings: *const *const u16,
    _: *const c_void,
) -> i32 {
    // SAFETY: the caller vouches for `count` terminated texts.
    let inserts = (0..usize::from(count)).map(|at| unsafe { units(*strings.add(at)) }).collect();
    // 1 error, 2 warning, 4 information: as the two highest bits of the identifier say.
    let kinds = [(3, 1), (2, 2), (1, 4)];
    assert!(kinds.contains(&(id >> 30, kind)) && user.is_null() && (category, size) == (0, 0), "{id:#x} {kind}");
    assert!(SOURCES.lock().unwrap()[source - 1].1, "it must be open");
    REPORTED.lock().unwrap().push(Reported { source, id, inserts });
    1
}

fn module(_: &libloading::Library) -> HMODULE {
    let name = wide(Path::new("rasadmin.dll"));
    // SAFETY: a terminated name; the library is loaded.
    unsafe { GetModuleHandleW(name.as_ptr()) }
}

/// From now on the library's calls come here.
pub fn catch(library: &libloading::Library) {
    let base = module(library).cast::<u8>();
    let caught = [
        ("RegisterEventSourceW", register as *const c_void),
        ("DeregisterEventSource", deregister as *const c_void),
        ("ReportEventW", report as *const c_void),
    ];
    let mut changed = 0;
    // SAFETY: a 64-bit image that is loaded: its headers and its import table are mapped, as the format says.
    unsafe {
        let word = |at: usize| base.add(at).cast::<u32>().read_unaligned() as usize;
        // Import directory: the second of those behind the optional header's 112 bytes.
        let mut descriptor = word(word(0x3c) + 24 + 112 + 8);
        while word(descriptor + 12) != 0 {
            let (mut name, mut slot) = (word(descriptor), word(descriptor + 16));
            loop {
                let entry = base.add(name).cast::<u64>().read_unaligned();
                if entry == 0 {
                    break;
                }
                let by_name = entry >> 63 == 0;
                let symbol = by_name.then(|| CStr::from_ptr(base.add(entry as usize + 2).cast()).to_bytes());
                if let Some((_, ours)) = caught.iter().find(|(name, _)| Some(name.as_bytes()) == symbol) {
                    let slot = base.add(slot).cast::<*const c_void>();
                    let mut before = 0;
                    assert_ne!(VirtualProtect(slot.cast(), 8, PAGE_READWRITE, &mut before), 0);
                    slot.write(*ours);
                    VirtualProtect(slot.cast(), 8, before, &mut before);
                    changed += 1;
                }
                (name, slot) = (name + 8, slot + 8);
            }
            descriptor += 20;
        }
    }
    assert_eq!(changed, caught.len());
}

/// What was reported since this was called last.
pub fn reported(library: &libloading::Library) -> Vec<Event> {
    let resources = Resources(module(library));
    let sources = SOURCES.lock().unwrap();
    let text = |event: &Reported| resources.text(event.id, Some(&event.inserts)).unwrap();
    let name = |event: &Reported| sources[event.source - 1].0.clone();
    let reported = std::mem::take(&mut *REPORTED.lock().unwrap());
    reported.iter().map(|event| Event { source: name(event), id: event.id, text: text(event) }).collect()
}

pub fn open_sources() -> usize {
    SOURCES.lock().unwrap().iter().filter(|(_, open)| *open).count()
}

/// A DLL's resources.
pub struct Resources(HMODULE);

impl Resources {
    /// Without running anything of it.
    pub fn load(path: &Path) -> Self {
        let path = wide(path);
        // SAFETY: a terminated path.
        let module = unsafe { LoadLibraryExW(path.as_ptr(), null_mut(), LOAD_LIBRARY_AS_DATAFILE) };
        assert!(!module.is_null(), "{}", std::io::Error::last_os_error());
        Self(module)
    }

    /// A message's text, with these inserts in their places.
    pub fn text(&self, id: u32, inserts: Option<&[Vec<u16>]>) -> Option<String> {
        let mut buffer = vec![0; 65_536];
        let terminated: Vec<Vec<u16>> =
            inserts.unwrap_or_default().iter().map(|insert| insert.iter().copied().chain([0]).collect()).collect();
        let pointers: Vec<*const u16> = terminated.iter().map(|text| text.as_ptr()).chain([null()]).collect();
        let how = if inserts.is_some() { FORMAT_MESSAGE_ARGUMENT_ARRAY } else { FORMAT_MESSAGE_IGNORE_INSERTS };
        // SAFETY: the module is loaded, the buffer as long as said, and the table asks for no more inserts than there
        // are: the catalogue's tests say so.
        let length = unsafe {
            let (flags, inserts) = (FORMAT_MESSAGE_FROM_HMODULE | how, pointers.as_ptr().cast_mut().cast());
            FormatMessageW(flags, self.0.cast_const(), id, 0, buffer.as_mut_ptr(), 60_000, inserts)
        };
        (length > 0).then(|| String::from_utf16(&buffer[..length as usize]).unwrap())
    }
}

/// What Explorer shows of a file under this name.
pub fn version(path: &Path, name: &str) -> Option<String> {
    let path = wide(path);
    let key = wide(Path::new(&format!(r"\StringFileInfo\040904B0\{name}")));
    let (mut value, mut length) = (null_mut(), 0);
    // SAFETY: a terminated path; the buffer is as long as said, and lives as long as the value in it is used.
    unsafe {
        let size = GetFileVersionInfoSizeW(path.as_ptr(), null_mut());
        let mut buffer = vec![0_u8; size as usize];
        if GetFileVersionInfoW(path.as_ptr(), 0, size, buffer.as_mut_ptr().cast()) == 0
            || VerQueryValueW(buffer.as_ptr().cast(), key.as_ptr(), &mut value, &mut length) == 0
        {
            return None;
        }
        String::from_utf16(&units(value.cast())).ok()
    }
}
