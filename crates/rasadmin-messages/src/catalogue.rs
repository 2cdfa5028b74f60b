//! The messages.

use crate::{Row, Severity};
use std::fmt::{self, Display};

/// Defines the numbers, the messages with their inserts, and their descriptions. A message without a cause, effect or
/// remedy does not compile. Neither does a text that names an insert that the message does not have.
macro_rules! catalogue {
    ($(
        $variant:ident = $number:literal $severity:ident $name:literal ($($insert:ident),*)
        text: $text:literal,
        cause: $cause:literal,
        effect: $effect:literal,
        remedy: $remedy:literal;
    )*) => {
        /// A message's number.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[repr(u16)]
        #[allow(missing_docs)]
        pub enum Id {
            $($variant = $number,)*
        }

        impl Id {
            /// All of them, by number.
            pub const ALL: &[Self] = &[$(Self::$variant),*];

            /// The catalogue's row of this message.
            pub const fn row(self) -> &'static Row {
                match self {
                    $(Self::$variant => &Row {
                        id: Self::$variant,
                        severity: Severity::$severity,
                        name: $name,
                        text: $text,
                        inserts: &[$(stringify!($insert)),*],
                        cause: $cause,
                        effect: $effect,
                        remedy: $remedy,
                    },)*
                }
            }
        }

        /// A message with its inserts.
        #[derive(Clone, Copy)]
        #[allow(missing_docs)]
        pub enum Message<'a> {
            $($variant { $($insert: &'a dyn Display),* },)*
        }

        impl Message<'_> {
            /// Its number.
            pub const fn id(&self) -> Id {
                match self {
                    $(Self::$variant { .. } => Id::$variant,)*
                }
            }

            /// The texts of its inserts, in order.
            pub fn inserts(&self) -> Vec<String> {
                match self {
                    $(Self::$variant { $($insert),* } => vec![$($insert.to_string()),*],)*
                }
            }

            /// Emits the message as a `tracing` event, with its number in `message_id`.
            pub fn emit(&self) {
                match self {
                    $(Self::$variant { $($insert),* } => tracing::event!(
                        Severity::$severity.level(),
                        message_id = u64::from(Id::$variant.number()),
                        $($insert = tracing::field::display($insert),)*
                        "{self}"
                    ),)*
                }
            }
        }

        impl Display for Message<'_> {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                match self {
                    $(Self::$variant { $($insert),* } => write!(f, $text),)*
                }
            }
        }
    };
}

catalogue! {
    // The service.

    Started = 100 Information "started" (version, file, hash, journal)
    text: "rasadmin {version} has started; configuration {file} ({hash}), journal {journal}",
    cause: "The Remote Access service has started and initialised the DLL.",
    effect: "From now on the rules decide, and everything is recorded. The hash identifies the configuration in force; \
             each decision in the ledger names it.",
    remedy: "None is needed.";

    Stopped = 101 Information "stopped" ()
    text: "rasadmin has stopped",
    cause: "The Remote Access service is stopping and has called the DLL's terminate function.",
    effect: "This server has no live sessions. The next start closes the sessions that the journal still shows as open.",
    remedy: "None is needed.";

    LogNotOpened = 102 Warning "log-not-opened" (file, error)
    text: "cannot write the log {file}: {error}",
    cause: "The log file cannot be opened or created: its folder is missing and cannot be created, the service may not \
            write there, or another program has locked the file.",
    effect: "Nothing is written to the log file until the next start. The system's log and the journal still work, and \
             users are not affected.",
    remedy: "Give the service (SYSTEM) the right to write there, or name another file in the service's environment \
             variable RASADMIN_LOG. Then restart the service at a convenient time, because a restart disconnects every \
             user. If the file is rasadmin-service.log, restart only the service rasadmin: users stay connected.";

    Bug = 103 Error "bug" (text)
    text: "a bug in rasadmin: {text}",
    cause: "Something happened that must not happen, most likely in rasadmin itself.",
    effect: "Only the call during which it happened was affected. It got the safe answer: the connection was rejected, or \
             the notification was ignored. The service keeps running.",
    remedy: "Report the bug with this text and the lines of the log file around it.";

    StoppedAmongCalls = 104 Error "stopped-among-calls" (calls)
    text: "RRAS is stopping, but calls have not returned: {calls}",
    cause: "The Remote Access service has called the DLL's terminate function, and earlier calls have not returned within \
            five seconds. Most likely the disk does not respond.",
    effect: "Those calls continue, and the DLL stays in memory for them until the process ends. If the text says that it \
             cannot be kept there, a call that returns late ends the process. The DLL decides nothing more. Events that \
             are still waiting to be recorded are lost. The next start closes the sessions that the journal still shows as \
             open.",
    remedy: "If the service's process does not end, end it. Find out what the named functions were waiting for; the lines \
             of the log file around this one may say.";

    // The configuration.

    ConfigInForce = 200 Information "config-in-force" (file, hash)
    text: "the configuration {file} has changed, and is in force ({hash})",
    cause: "The configuration, or a file with a list that it names, has changed and has no errors.",
    effect: "It decides every event from now on. Active sessions are not evaluated again until their next event.",
    remedy: "None is needed. If you did not change it, find out who did.";

    ConfigBroken = 201 Error "config-broken" (errors)
    text: "the configuration has changed and is broken; the previous one stays in force: {errors}",
    cause: "The configuration, or a file with a list that it names, was changed and has errors, or can no longer be read.",
    effect: "Nothing changes for the users: the last good configuration stays in force, even after a restart.",
    remedy: "Correct the errors; the text gives file, line and column of each. The DLL reads the file again within a \
             second of the change.";

    ConfigBrokenAtStart = 202 Error "config-broken-at-start" (errors)
    text: "the configuration is broken, and the last good one is in force instead: {errors}",
    cause: "When the service started, the configuration had errors or could not be read. The DLL uses its copy of the last \
            good one, from the journal's folder or from beside the file.",
    effect: "The rules of the last good configuration apply. Later changes are not in force.",
    remedy: "Correct the errors; the text gives file, line and column of each. No restart is needed.";

    ConfigNotKept = 203 Warning "config-not-kept" (places)
    text: "the configuration is good, but cannot be kept for a restart in {places}",
    cause: "The copy of the good configuration cannot be written into the journal's folder or beside the file.",
    effect: "The configuration is in force. If it is broken or missing at the next start of the service, an older copy is \
             used; without a copy, the service does not start.",
    remedy: "Give the service (SYSTEM) the right to write into the named folders, and make room on the disk. Then save \
             the configuration again with a change, or restart the service at a convenient time.";

    ConfigNotFound = 204 Error "config-not-found" (details)
    text: "no configuration was found: {details}",
    cause: "There is no configuration in any of the places that the DLL searches, and no copy of a good one.",
    effect: "The DLL does not initialise (error 2), so the Remote Access service does not start (event 20113).",
    remedy: "Put a configuration into one of the named places and start the service. The smallest configuration is the \
             line `default.action = \"allow\"`: it allows everyone and records everything.";

    ConfigNeverGood = 205 Error "config-never-good" (errors)
    text: "the configuration is broken, and there is no copy of a good one: {errors}",
    cause: "The configuration has errors or cannot be read, and there is no copy of a good one beside it or in the \
            journal's folder.",
    effect: "The DLL does not initialise (error 1610), so the Remote Access service does not start (event 20113).",
    remedy: "Correct the errors; the text gives file, line and column of each. Then start the service.";

    KeptConfigNotUsed = 206 Error "kept-config-not-used" (file, why)
    text: "the last good configuration in {file} is not used: {why}",
    cause: "The configuration is broken or missing. The copy of the last good one belongs to a user who is not an \
            administrator, or such a user can write it, so they may have changed it.",
    effect: "The DLL looks for a copy in the other place: beside the configuration, or in the journal's folder. If there \
             is no copy there either, it does not initialise (error 1610), and the Remote Access service does not start.",
    remedy: "Correct the configuration; the DLL keeps a copy as soon as it is good. Find out who can write into the \
             folder, and give it to the administrators alone: `rasadmin status` says how.";

    // Refusals.

    ConnectionRefused = 300 Warning "connection-refused" (user, source, computer, rule, reason)
    text: "connection refused: user {user}, from {source}, computer {computer}; rule: {rule}; reason: {reason}",
    cause: "The named rule, or the default, denies this user the connection. If the rules allow it, the reason says what \
            else forbids it: the user is blocked, for example, or the event cannot be recorded (`when_unrecorded`).",
    effect: "The user is not connected.",
    remedy: "None if this is intended. Otherwise change the rule; docs/rules.md says how rules are evaluated.";

    LinkRefused = 301 Warning "link-refused" (user, port, tunnel, rule, reason)
    text: "link refused: user {user}, port {port}, tunnel {tunnel}; rule: {rule}; reason: {reason}",
    cause: "The named rule denies this link, often because the tunnel was not known before. Or the DLL does not know the \
            connection that the link belongs to.",
    effect: "RRAS drops the link. If it is the connection's first link, the user is not connected.",
    remedy: "None if this is intended. Otherwise change the rule; docs/rules.md says when each fact becomes known.";

    AddressRefused = 302 Warning "address-refused" (family, user, port, rule, reason)
    text: "{family} address refused: user {user}, port {port}; rule: {rule}; reason: {reason}",
    cause: "The named rule denies this user, or there is no address for the user. If the rules allow it, the reason says \
            what else forbids it, as with message 300.",
    effect: "RRAS ends the connection, with error 5 for an IPv4 address.",
    remedy: "None if this is intended. If there is no address, the reason says which pool, reservation or offer should \
             have served the user.";

    ReauthenticationRefused = 303 Warning "reauthentication-refused" (user, source, rule, reason)
    text: "reauthentication refused: user {user}, from {source}; rule: {rule}; reason: {reason}",
    cause: "The user's quarantine state has changed, and the named rule denies the connection in the new state.",
    effect: "RRAS cuts the connection.",
    remedy: "None if this is intended. Otherwise change the rule.";

    EndpointChangeRefused = 304 Warning "endpoint-change-refused" (user, source, rule, reason)
    text: "endpoint change refused: user {user}, now from {source}; rule: {rule}; reason: {reason}",
    cause: "An IKEv2 client has moved to another address (MOBIKE), and the named rule denies the connection from there.",
    effect: "RRAS cuts the connection.",
    remedy: "None if this is intended. Otherwise change the rule's source networks.";

    PoolExhausted = 305 Warning "pool-exhausted" (pool, user, port, outcome)
    text: "pool {pool} is exhausted: user {user}, port {port}; {outcome}",
    cause: "Every address of the pool, and of the pools after it (`next`), is held by a live lease, reserved or excluded.",
    effect: "This depends on `when_exhausted`: either the user gets no address and is not connected, or RRAS's own offer \
             is kept.",
    remedy: "Enlarge the pool, or give it a `next`. A lease whose end RRAS did not report ends after five minutes without \
             a session.";

    RefusalsRepeated = 306 Warning "refusals-repeated" (count, of)
    text: "refusals repeated within a minute: {count}; different refusals: {of}",
    cause: "Refused clients tried again many times: they redial automatically, or somebody is trying to get in.",
    effect: "Only the first refusal of each kind was logged here and recorded at once. For the others, only their number \
             is recorded.",
    remedy: "Run `rasadmin decisions --rejected` to see who it was. Correct the client, or block its address in the \
             firewall.";

    // The journal and the ledger.

    EventLost = 403 Error "event-lost" (count, event)
    text: "an event is lost: it cannot be recorded, and no more events can wait; lost so far: {count}; the event: {event}",
    cause: "The journal cannot be written, and 8 MiB of events are already waiting in memory. Or the service ended before \
            the waiting events could be recorded.",
    effect: "RRAS got an answer, but this event will be neither in the journal nor in the ledger. Only this message shows \
             it. When the journal can be written again, the DLL first records the live sessions and leases that the \
             journal lacks.",
    remedy: "Make the journal writable again: see message 410. Keep the log file, because it has every lost event.";

    EarlierServiceClosed = 404 Warning "earlier-service-closed" (sessions, leases)
    text: "closed what an earlier service had left open: sessions {sessions}, leases {leases}",
    cause: "The service or the whole server ended without disconnecting its users: a crash or a power cut.",
    effect: "In the ledger these sessions end with the cause NAS-Reboot, at the service's last known activity, so their \
             duration is an estimate. Their addresses are free.",
    remedy: "None, unless it happens often: then find out why the service ends.";

    Anomaly = 405 Warning "anomaly" (what, details)
    text: "{what}: {details}; it was recorded",
    cause: "RRAS reported something that does not fit its earlier reports, such as a hangup of an unknown connection. This \
            is normal after a start, and when another admin DLL rejected a connection.",
    effect: "The anomaly is in the ledger's table `anomalies`. It did not end a live session.",
    remedy: "None, unless it happens often while the service runs: then report it, with the log file.";

    JournalUnavailable = 410 Error "journal-unavailable" (kind, details)
    text: "the journal cannot be written ({kind}): {details}; the rules decide from memory, and events wait to be recorded",
    cause: "An event could not be recorded. `full`: the disk is full. `locked`: another process held the journal's lock \
            beyond the deadline. `missing`: the folder does not exist. `read-only`: SYSTEM may not write there. \
            `replaced`: the folder or a file in it was moved, deleted or restored while it was in use. `sync`: the disk \
            did not confirm what was written. `newer`: a later version of rasadmin has written there. `other`: the details \
            say why.",
    effect: "Limits, quotas and addresses still work. Up to 8 MiB of events wait in memory; they are lost if the service \
             ends before they are recorded. If `when_unrecorded` is \"deny\", new connections are rejected meanwhile. The \
             DLL tries again every ten seconds, and logs this message again only if the kind changes.",
    remedy: "Remove the cause: make room, restore the folder, give SYSTEM the right to write, or end the program that \
             holds the lock. Do not restart the service: a restart is not needed, and it would lose the waiting events.";

    JournalAvailable = 411 Information "journal-available" (folder)
    text: "the journal can be written again: {folder}",
    cause: "The journal could not be written for a while, and now it can.",
    effect: "Events are again recorded as they happen. Message 412 says how many were waiting.",
    remedy: "None is needed.";

    EventsRecorded = 412 Information "events-recorded" (count)
    text: "events that had waited were recorded: {count}",
    cause: "The journal could not be written while they happened.",
    effect: "The journal has these events, with the time at which they happened and the answer that RRAS got.",
    remedy: "None is needed.";

    JournalMended = 413 Warning "journal-mended" (what)
    text: "something in the journal's folder was wrong: {what}",
    cause: "A crash or a power cut left an incomplete record. Or a file is damaged, or has the name of one of rasadmin's \
            files but is something else. Or users other than SYSTEM and the administrators could write or read there.",
    effect: "The service continues without the unusable parts. The text names what was moved aside or saved. Nothing else \
             was deleted.",
    remedy: "None after a crash or a power cut. Otherwise find out who writes into the folder: only SYSTEM and the \
             administrators should have that right. If records are missing, keep the saved files. If rights cannot be \
             mended, `rasadmin journal check` says what to do.";

    RecordsNotRead = 414 Error "records-not-read" (records, effects)
    text: "the journal has records that cannot be read: {records}, and effects that only a newer version knows: {effects}",
    cause: "Records were damaged by a power cut or a failing disk, or a newer rasadmin has written them.",
    effect: "The DLL does not know what these records say: a session that began may not be counted, and one that ended may \
             be counted until its port is used again.",
    remedy: "Use the newer rasadmin, if there is one on this server. Otherwise check the disk; `rasadmin journal check` \
             says which records are missing.";

    NoCheckpoint = 415 Warning "no-checkpoint" (error)
    text: "cannot write a checkpoint: {error}",
    cause: "The journal's folder cannot be written, or the disk is full.",
    effect: "Nothing is lost. The next start takes longer, because it reads the journal from an older checkpoint.",
    remedy: "Make room on the disk, or give the service (SYSTEM) the right to write there.";

    SegmentDropped = 416 Error "segment-dropped" (file, first, last)
    text: "the journal has reached its limit, and its oldest file was deleted: {file}, records {first} to {last}",
    cause: "The journal has grown to 2 GiB, and a ledger has not read these records yet, or no ledger has ever read the \
            journal.",
    effect: "That ledger will never show who was connected then, or what was decided. Connected users are not affected.",
    remedy: "Run `rasadmin ledger update` every day; `rasadmin install` schedules it. If a ledger is no longer used, \
             delete its `.cursor` file in the journal's folder.";

    SlowSync = 417 Warning "slow-sync" (milliseconds)
    text: "the disk took {milliseconds} ms to store a record; calls do not wait for it for the next ten seconds",
    cause: "The disk is overloaded or failing, or another program writes a lot.",
    effect: "Users do not wait for the disk. A power cut within these ten seconds may lose the last records; a crash of \
             the service does not.",
    remedy: "Find out what keeps the disk busy, or put the journal on another disk (`[journal] folder`).";

    NotSynced = 418 Error "not-synced" (error)
    text: "a record could not be stored safely: {error}",
    cause: "The disk reported an error for the journal's current file. The record was written again to the next file, \
            where the disk reported an error too.",
    effect: "The answer to RRAS does not change. A power cut may lose the record.",
    remedy: "Check the disk. Back up the ledger with `rasadmin ledger backup`.";

    LostAtStop = 419 Error "lost-at-stop" (count)
    text: "the service is stopping, and events that could not be recorded are lost: {count}",
    cause: "The journal could not be written until the service ended.",
    effect: "Sessions that began in these events are missing from the ledger; sessions that ended in them end at the next \
             start.",
    remedy: "Read the messages before this one: they say why the journal could not be written. Remove that cause before \
             you start the service.";

    Carried = 420 Warning "carried" (count)
    text: "the journal lacked part of what is in memory; it is recorded now; facts: {count}",
    cause: "The journal's folder was replaced, deleted or restored from a backup while the service was running. Or events \
            were lost, because the journal could not be written for a long time.",
    effect: "The journal again has the live sessions, their addresses, and what users have used. Sessions that ended \
             meanwhile may be missing.",
    remedy: "Find out who replaced the folder, or why it could not be written. Connected users are not affected.";

    LowDiskSpace = 421 Warning "low-disk-space" (free, folder)
    text: "only {free} MiB are free on the disk of the journal: {folder}",
    cause: "Less than 1 GiB is free on the disk that has the journal's folder.",
    effect: "None yet. When the disk is full, events wait in memory (message 410), and the ledger cannot be updated if it \
             is on the same disk. This message is logged at most once an hour.",
    remedy: "Make room on that disk, or put the journal on another one (`[journal] folder`). `rasadmin status` says how \
             much is free.";

    ProcessClosed = 422 Warning "process-closed" (sessions)
    text: "closed what a process of the service had left open: sessions {sessions}",
    cause: "One process of the Remote Access service crashed or was ended while another one kept running. The next process \
            that started noticed it.",
    effect: "In the ledger these sessions end with the cause NAS-Reboot, and their duration is an estimate. Their addresses \
             stay held until they are released or their port is used again, because the clients may still be online. A \
             session is opened again if RRAS reports something about its client.",
    remedy: "None, unless it happens often: then find out why the process ends.";

    // The rasadmin service, beside RRAS.

    ServiceStarted = 500 Information "service-started" (version, server, journal, ledger)
    text: "the rasadmin service {version} has started for {server}; journal {journal}, ledger {ledger}",
    cause: "Windows, systemd or an administrator has started it.",
    effect: "Its duties do their work until it stops: `rasadmin status` shows them.",
    remedy: "None is needed.";

    ServiceStopped = 501 Information "service-stopped" ()
    text: "the rasadmin service has stopped",
    cause: "It was asked to stop, or the system is shutting down.",
    effect: "None for the users: rasadmin.dll decides and records as before. Commands still bring records into the \
             ledger when they read it.",
    remedy: "None, if it was meant to stop. Otherwise start it again.";

    ServiceWaits = 502 Warning "service-waits" (error)
    text: "the rasadmin service cannot start its duties again: {error}",
    cause: "The configuration has changed, or the journal's folder was moved or replaced. The service \
            stopped its duties to start them again, and that failed. The text says why.",
    effect: "None for the users: rasadmin.dll decides and records as before. Until the duties start, the ledger may lack \
             the latest records, nothing old is deleted and no backup is made.",
    remedy: "Fix what the text names, or correct the configuration. The service tries again every ten seconds, and at once if the \
             configuration changes. Message 500 says when it has started.";

    ServiceNotStarted = 503 Error "service-not-started" (error)
    text: "the rasadmin service cannot run: {error}",
    cause: "The text says why: the configuration is not valid and never was, the journal's folder cannot be used, or \
            another process runs the service for this journal.",
    effect: "None for the users. Commands still bring records into the ledger when they read it; nothing old is deleted, \
             and no backup is made. Windows starts the service again after 5, then 30, then every 60 seconds.",
    remedy: "Do what the text says. `rasadmin status` says whether the service runs.";

    DutyFailed = 510 Warning "duty-failed" (duty, error, remedy)
    text: "a duty of the rasadmin service does not work: {duty}: {error}; {remedy}",
    cause: "The text says what went wrong.",
    effect: "None for the users. The other duties go on. This one is tried again after a pause of up to a minute, or longer \
             if RRAS was slow to answer. Until it works, the ledger may lack the latest records (`follow`), or nothing old is \
             deleted and no backup is made (`retention`).",
    remedy: "Do what the text says. Message 511 says when the duty works again.";

    DutyWorks = 511 Information "duty-works" (duty)
    text: "a duty of the rasadmin service works again: {duty}",
    cause: "What message 510 reported is over.",
    effect: "None: the duty has caught up, or is catching up.",
    remedy: "None is needed.";

    LedgerIncomplete = 512 Warning "ledger-incomplete" (warning)
    text: "bringing records into the ledger gave a warning: {warning}",
    cause: "The journal lacks records, or has some that cannot be read; or the ledger did not match the journal; or a \
            newer rasadmin.dll wrote the records; or the ledger's position could not be written. The text says which.",
    effect: "The text says what is missing, if anything. Nothing counts twice.",
    remedy: "Do what the text says. If it names no remedy, run `rasadmin journal check`.";

    LedgerDamaged = 513 Error "ledger-damaged" (ledger, faults)
    text: "the ledger is damaged: {ledger}: {faults}",
    cause: "The daily check has found damaged pages in the file. Disks, memory, virus scanners and programs that write to \
            the file cause this.",
    effect: "Reports may be wrong or fail. No backup is made and none is deleted, so the last good ones stay.",
    remedy: "Keep a copy of the ledger as it is. Then restore a backup; `rasadmin ledger backup --help` says how. \
             `rasadmin ledger check` says more.";

    DiskFills = 514 Warning "disk-fills" (folder, days, free)
    text: "the disk of {folder} is filling up: at the present pace it is full in less than {days}; {free} MiB are free",
    cause: "The free space on that disk has shrunk since the day before.",
    effect: "None yet. When the disk is full, events wait in memory (message 410), or the ledger cannot be updated.",
    remedy: "Find out what fills the disk. Make room, or keep less: `[service.retention]` says how long decisions and \
             sessions are kept, and how many backups.";

    SessionsNotListed = 515 Warning "sessions-not-listed" (count, live)
    text: "RRAS does not list {count} of the {live} live sessions; none of them is closed",
    cause: "Two lists of RRAS in a row lacked these sessions: more than ten, and more than a fifth of all. Either RRAS has \
            lost them and reported no hangup, or its list is wrong.",
    effect: "The sessions stay live in the ledger, and count for the limits of their users.",
    remedy: "Compare with `Get-RemoteAccessConnectionStatistics`. If the clients are gone, run \
             `rasadmin close --not-listed`. Otherwise do nothing: sessions that RRAS lists again stay live.";

    RuleStopped = 516 Warning "rule-stopped" (rule, sessions, live)
    text: "the rule {rule} would disconnect {sessions} of the {live} live sessions; it disconnects none of them",
    cause: "The configuration has changed, and its rules for live sessions deny more than ten of them, and more than half \
            of all. That may be a mistake in the configuration.",
    effect: "The rule disconnects nobody. It still denies new connections. Other rules are not affected.",
    remedy: "If the rule is right, run `rasadmin disconnect resume RULE`. Otherwise correct the configuration.";

    RuleResumed = 517 Information "rule-resumed" (rule, account)
    text: "the rule {rule} disconnects sessions again; {account} asked for it",
    cause: "Somebody ran `rasadmin disconnect resume RULE` after message 516.",
    effect: "The rule disconnects the sessions that it denies, within the limits that hold for every rule.",
    remedy: "None, if the rule is right. Otherwise correct the configuration.";

    // This log.

    LeftOut = 900 Warning "left-out" (count, message)
    text: "left out here: {count} more of message {message}; the log file has them all",
    cause: "One message occurred more than ten times within a second.",
    effect: "None: the log file has every message, and the ledger every decision.",
    remedy: "Read the log file, or the ledger's table `decisions`.";
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.id())
    }
}
