//! Emits the recorder's messages of the catalogue.

mod refusals;

pub use refusals::report_notable;

use crate::failure::Failure;
use crate::present::Missing;
use rasadmin_engine::Event;
use rasadmin_journal::retain::Expired;
use rasadmin_journal::{Error, Notice};
use rasadmin_messages::Message;
use std::path::Path;

pub fn cannot_record(failure: &Failure) {
    Message::JournalUnavailable { kind: &failure.kind.name(), details: failure }.emit();
}

pub fn recording_again(folder: &Path) {
    Message::JournalAvailable { folder: &folder.display() }.emit();
}

pub fn waited_are_recorded(count: usize) {
    Message::EventsRecorded { count: &count }.emit();
}

pub fn lost(count: u64, event: &Event) {
    Message::EventLost { count: &count, event: &format_args!("{event:?}") }.emit();
}

pub fn lost_at_stop(count: usize) {
    Message::LostAtStop { count: &count }.emit();
}

pub fn earlier_closed(sessions: usize, leases: usize) {
    Message::EarlierServiceClosed { sessions: &sessions, leases: &leases }.emit();
}

pub fn process_closed(sessions: usize) {
    Message::ProcessClosed { sessions: &sessions }.emit();
}

pub fn notice(notice: &Notice) {
    Message::JournalMended { what: notice }.emit();
}

pub fn missing(missing: &Missing) {
    let Missing { records, effects, .. } = missing;
    Message::RecordsNotRead { records, effects }.emit();
}

pub fn no_checkpoint(error: &Error) {
    Message::NoCheckpoint { error }.emit();
}

pub fn expired(gone: &Expired) {
    if !gone.ingested {
        Message::SegmentDropped { file: &gone.path.display(), first: &gone.first, last: &gone.last }.emit();
    }
}

pub fn slow_sync(millis: u128) {
    Message::SlowSync { milliseconds: &millis }.emit();
}

pub fn not_synced(error: &Error) {
    Message::NotSynced { error }.emit();
}

pub fn carried(effects: usize) {
    Message::Carried { count: &effects }.emit();
}

pub fn repeated(all: &[rasadmin_engine::event::Repeated]) {
    let count = all.iter().map(|one| one.times).sum::<u64>();
    Message::RefusalsRepeated { count: &count, of: &all.len() }.emit();
}
