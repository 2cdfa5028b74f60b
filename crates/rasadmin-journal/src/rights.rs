//! Owners and rights of the folder and its files: they must belong to SYSTEM and the administrators alone (on Unix to
//! root or the current user). A user who can write one of them decides what the DLL believes.
//!
//! Files of other owners are ignored, whether segment, checkpoint, cursor or lock. The DLL calls [`mend`] before it
//! reads; commands only [`check`].

use crate::notice::Notice;
use crate::{INSTANCE, LOCK, checkpoint, cursor, folder, segment};
use rasadmin_rights::private::{self, Kind, PermissionFault};
use std::ffi::OsStr;
use std::fmt;
use std::path::{Path, PathBuf};

/// The file with the last good configuration, which the DLL keeps in the folder.
pub const LAST_GOOD: &str = "last-good.json";

/// A fault in the owner or the rights of the folder or of a file in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The folder or file.
    pub path: PathBuf,
    /// What is wrong, as in "it belongs to …".
    pub what: String,
    /// True if the file must be moved out, because another user may have written it. Mending its rights would make it
    /// trusted.
    pub must_go: bool,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path.display(), self.what)
    }
}

/// Says how to correct the faults of a folder, as text for a message.
pub fn remedy(folder: &Path, faults: &[Fault]) -> String {
    let give = rasadmin_rights::private_remedy(folder);
    let Some(gone) = faults.iter().find(|fault| fault.must_go) else { return give };
    let others = faults.iter().filter(|fault| fault.must_go && fault.path != gone.path).count();
    let others = if others == 0 { String::new() } else { format!(" and {others} more files") };
    format!(
        "first move {}{others} out of the folder (the DLL does so at its next start), because another user may have \
         written it; then {give}",
        gone.path.display()
    )
}

/// Finds the faults of the folder and its files, without changing anything. In a scratch folder only owners count.
pub fn check(folder: &Path) -> Vec<Fault> {
    let mut faults = Vec::new();
    let mut exposure = Exposure::new(folder);
    let mut look = |path: &Path, kind| {
        let mut add = |what: String, must_go| faults.push(Fault { path: path.to_owned(), what, must_go });
        match private::inspect(path, kind) {
            Ok(all) => {
                exposure.note_folder(kind, &all);
                for wrong in all.iter().filter(|wrong| exposure.counts(wrong, kind)) {
                    add(wrong.to_string(), kind == Kind::File && must_move(path, std::slice::from_ref(wrong)));
                }
            }
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {}
            Err(e) => add(format!("its rights cannot be read: {e}"), false),
        }
    };
    look(folder, Kind::Folder);
    files(folder).iter().for_each(|path| look(path, Kind::File));
    faults
}

/// Decides which faults count.
struct Exposure {
    /// True in a scratch folder, where rights do not matter.
    scratch: bool,
    /// True if other users can reach the files.
    open: bool,
}

impl Exposure {
    fn new(folder: &Path) -> Self {
        Self { scratch: private::is_scratch(folder), open: false }
    }

    /// Takes the faults of the folder into account, which is inspected first.
    fn note_folder(&mut self, kind: Kind, wrong: &[PermissionFault]) {
        self.open |= kind == Kind::Folder && !wrong.is_empty();
    }

    /// A file that everyone may read does no harm in a folder that only administrators can read. (Wine creates all
    /// files like that.)
    fn counts(&self, wrong: &PermissionFault, kind: Kind) -> bool {
        match wrong {
            PermissionFault::Foreign(_) => true,
            PermissionFault::Readable(_) if kind == Kind::File => !self.scratch && self.open,
            _ => !self.scratch,
        }
    }
}

/// Describes the faults as text: the worst ones, and the number of further ones. None if there are none.
pub fn describe(faults: &[Fault]) -> Option<String> {
    const SHOWN: usize = 5;
    let more = faults.len().saturating_sub(SHOWN);
    let (go, stay): (Vec<_>, Vec<_>) = faults.iter().partition(|fault| fault.must_go);
    let shown = go.into_iter().chain(stay).take(SHOWN).map(Fault::to_string);
    let lines: Vec<_> = shown.chain((more > 0).then(|| format!("and {more} more like these"))).collect();
    (!lines.is_empty()).then(|| lines.join("; "))
}

/// Mends the rights of the folder and its files, and moves aside files of other owners. (Segments and lock files are
/// moved when the journal is opened.) The notices also say what could not be done. Call it before you read anything.
pub fn mend(folder: &Path) -> Vec<Notice> {
    let mut exposure = Exposure::new(folder);
    let (mut mended, mut notices) = (Vec::new(), Vec::new());
    // The folder comes first: after that, nobody can replace a file that was inspected.
    mend_one(folder, Kind::Folder, &mut exposure, &mut mended, &mut notices);
    for path in files(folder) {
        mend_one(&path, Kind::File, &mut exposure, &mut mended, &mut notices);
    }
    if let [first, rest @ ..] = &mended[..] {
        let (first, others) = (first.clone(), rest.len());
        notices.push(Notice::RightsMended { first: first.path, what: first.what, others });
    }
    notices
}

fn mend_one(path: &Path, kind: Kind, exposure: &mut Exposure, mended: &mut Vec<Fault>, notices: &mut Vec<Notice>) {
    let wrong = match private::inspect(path, kind) {
        Ok(wrong) => wrong,
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return,
        Err(e) => return notices.push(Notice::NotMended { path: path.to_owned(), why: e.to_string() }),
    };
    exposure.note_folder(kind, &wrong);
    let Some(worst) = wrong.iter().find(|wrong| !exposure.scratch || matches!(wrong, PermissionFault::Foreign(_)))
    else {
        return;
    };
    let (what, counts) = (worst.to_string(), exposure.counts(worst, kind));
    if kind == Kind::File
        && must_move(path, &wrong)
        && (!exposure.scratch || matches!(worst, PermissionFault::Foreign(_)))
    {
        if !is_moved_by_opening(path) {
            match folder::move_aside(path, &what) {
                Ok(moved) => notices.push(moved),
                // Another process has moved it.
                Err(_) if std::fs::symlink_metadata(path).is_err() => {}
                Err(e) => notices.push(Notice::InTheWay { path: path.to_owned(), why: format!("{what}; {e}") }),
            }
        }
        return;
    }
    match private::mend(path, kind) {
        // Faults that do not count are mended too, but not reported.
        _ if !counts => {}
        Ok(()) => mended.push(Fault { path: path.to_owned(), what, must_go: false }),
        Err(e) => notices.push(Notice::NotMended { path: path.to_owned(), why: format!("{what}; {e}") }),
    }
}

/// Must the file be moved out? A kept configuration that others can write must not become trusted by mending, because
/// it alone decides who gets in. Other files are links of a chain or have a second copy.
fn must_move(path: &Path, wrong: &[PermissionFault]) -> bool {
    let last_good = path.file_name() == Some(OsStr::new(LAST_GOOD));
    wrong.iter().any(|wrong| match wrong {
        PermissionFault::Foreign(_) => true,
        PermissionFault::Writable(_) => last_good,
        PermissionFault::Member(_) | PermissionFault::Readable(_) => false,
    })
}

/// Segments and lock files may be in use, so only the lock holder may rename them.
fn is_moved_by_opening(path: &Path) -> bool {
    let name = path.file_name();
    is_segment(path) || [LOCK, INSTANCE].iter().any(|lock| name == Some(OsStr::new(lock)))
}

fn is_segment(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(segment::EXTENSION))
}

/// Lists the journal's files. Anything else with such a name is moved aside when the name is needed.
fn files(folder: &Path) -> Vec<PathBuf> {
    let ours = |path: &PathBuf| {
        let named = |name: &str| path.file_name() == Some(OsStr::new(name));
        let extended = |extension: &str| path.extension() == Some(OsStr::new(extension));
        let is = is_segment(path)
            || [checkpoint::EXTENSION, checkpoint::PART, cursor::EXTENSION].iter().any(|one| extended(one))
            || [LOCK, INSTANCE, LAST_GOOD].iter().any(|one| named(one));
        is && std::fs::symlink_metadata(path).is_ok_and(|of| of.is_file())
    };
    let listed = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut all: Vec<_> = listed.map(|entry| entry.path()).filter(ours).collect();
    all.sort_unstable();
    all
}
