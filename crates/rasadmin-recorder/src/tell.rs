//! Messages of the catalogue: what an administrator may have to act upon.

mod refusals;

pub use refusals::record as remarkable;

use crate::present::Lacking;
use crate::store::Failure;
use rasadmin_engine::Event;
use rasadmin_journal::retain::Expired;
use rasadmin_journal::{Error, Notice};
use rasadmin_messages::Message;
use std::path::Path;

pub fn cannot_record(failure: &Failure) {
    Message::JournalAway { kind: &failure.kind.name(), details: failure }.tell();
}

pub fn recording_again(folder: &Path) {
    Message::JournalBack { folder: &folder.display() }.tell();
}

pub fn waited_are_recorded(count: usize) {
    Message::EventsRecorded { count: &count }.tell();
}

pub fn lost(count: u64, event: &Event) {
    Message::EventLost { count: &count, event: &format_args!("{event:?}") }.tell();
}

pub fn lost_at_stop(count: usize) {
    Message::LostAtStop { count: &count }.tell();
}

pub fn earlier_closed(sessions: usize, leases: usize) {
    Message::EarlierServiceClosed { sessions: &sessions, leases: &leases }.tell();
}

pub fn process_closed(sessions: usize) {
    Message::ProcessClosed { sessions: &sessions }.tell();
}

pub fn notice(notice: &Notice) {
    Message::JournalMended { what: notice }.tell();
}

pub fn lacking(lacking: &Lacking) {
    let Lacking { records, effects, .. } = lacking;
    Message::RecordsNotRead { records, effects }.tell();
}

pub fn no_checkpoint(error: &Error) {
    Message::NoCheckpoint { error }.tell();
}

pub fn expired(gone: &Expired) {
    if !gone.ingested {
        Message::SegmentDropped { file: &gone.path.display(), first: &gone.first, last: &gone.last }.tell();
    }
}

pub fn slow_sync(millis: u128) {
    Message::SlowSync { milliseconds: &millis }.tell();
}

pub fn not_synced(error: &Error) {
    Message::NotSynced { error }.tell();
}

pub fn carried(effects: usize) {
    Message::Carried { count: &effects }.tell();
}

pub fn repeated(all: &[rasadmin_engine::event::Repeated]) {
    let count = all.iter().map(|one| one.times).sum::<u64>();
    Message::RefusalsRepeated { count: &count, of: &all.len() }.tell();
}
