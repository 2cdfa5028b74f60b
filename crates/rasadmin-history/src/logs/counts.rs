//! Counts of what is in logs.

/// Counts of the records and sessions in logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogCounts {
    /// Records read.
    pub records: u64,
    /// Sessions found.
    pub sessions: u64,
    /// Sessions whose end is not in the log.
    pub without_end: u64,
    /// Access-Accept.
    pub accepts: u64,
    /// Access-Reject: attempts that NPS refused.
    pub rejects: u64,
    /// Records that had already been read, in another file or because RADIUS repeated them.
    pub repeated: u64,
    /// Accounting records and Access-Rejects of switches and wireless networks, which an NPS also serves.
    pub elsewhere: u64,
    /// Accounting records whose Class was rejected, according to the log.
    pub not_admitted: u64,
    /// Requests, challenges and other records that say nothing about sessions.
    pub others: u64,
    /// Records whose local time comes twice, because the clocks went back.
    pub twice: u64,
    /// Records whose local time does not exist in the time zone, because the clocks went forward.
    pub never: u64,
}
