//! The messages.

use crate::{Row, Severity};
use std::fmt::{self, Display};

/// Makes the numbers, the messages with their inserts, and their descriptions: a message without its cause, effect or
/// remedy does not compile, and neither does a text that names an insert that the message does not have.
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

            /// What the catalogue says of it.
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

            /// Emits it as an event of `tracing`.
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
    effect: "From now on the rules decide, and everything is recorded. The hash is that of the configuration in force: \
             decisions in the ledger carry it.",
    remedy: "None is needed.";

    Stopped = 101 Information "stopped" ()
    text: "rasadmin has stopped",
    cause: "The Remote Access service stops and has told the DLL to end.",
    effect: "No session of this server is alive. The next start closes the sessions that are still open on record.",
    remedy: "None is needed.";

    LogNotOpened = 102 Warning "log-not-opened" (file, error)
    text: "cannot write the log {file}: {error}",
    cause: "The log file cannot be opened or made: its folder is missing and cannot be made, the service may not write \
            there, or another program holds the file.",
    effect: "Nothing goes to the log file until the next start. This log and the journal are written as always, and no \
             user is affected.",
    remedy: "Give the service (SYSTEM) the right to write there, or name another file in the service's environment \
             variable RASADMIN_LOG. Then restart the service when that suits: a restart cuts every user.";

    Bug = 103 Error "bug" (text)
    text: "a bug in rasadmin: {text}",
    cause: "Something happened that must not happen, most likely in rasadmin itself.",
    effect: "The one call during which it happened had the safe answer: the connection was rejected, or the \
             notification was left out. The service goes on.",
    remedy: "Report it with this text and the lines of the log file around it.";

    StoppedAmongCalls = 104 Error "stopped-among-calls" (calls)
    text: "RRAS is stopping, but calls have not returned: {calls}",
    cause: "The Remote Access service has told the DLL to end, and calls that it had made before have not returned in five \
            seconds: most likely the disk is not answering.",
    effect: "What those calls are doing is not broken off, and the DLL stays in memory for them until the process ends, \
             unless the text says that it cannot be kept there: then a call that returns late ends the process. It decides \
             nothing more. Events that are still waiting to be recorded are lost. The next start closes the sessions that \
             are still open on record.",
    remedy: "If the service's process does not end, end it. Find out what the functions named were waiting for; the log \
             file around this line may say it.";

    // The configuration.

    ConfigInForce = 200 Information "config-in-force" (file, hash)
    text: "the configuration {file} has changed, and is in force ({hash})",
    cause: "The configuration, or a members file that it names, has changed and has no fault.",
    effect: "It decides every event from now on. Active sessions are not looked at again until their next event.",
    remedy: "None is needed. If you did not change it, find out who did.";

    ConfigBroken = 201 Error "config-broken" (errors)
    text: "the configuration has changed and is broken; the one before stays in force: {errors}",
    cause: "The configuration, or a members file that it names, was changed and has faults, or cannot be read any more.",
    effect: "Nothing changes for the users: the last good configuration stays in force, also over a restart.",
    remedy: "Correct what is named, each with file, line and column. It is looked at again within a second of the \
             change.";

    ConfigBrokenAtStart = 202 Error "config-broken-at-start" (errors)
    text: "the configuration is broken, and the last good one is in force instead: {errors}",
    cause: "At the start of the service the configuration has faults or cannot be read. The last good one was kept \
            in the journal's folder or beside the file.",
    effect: "Users are served as the last good configuration says; what was changed since then is not in force.",
    remedy: "Correct what is named, each with file, line and column. No restart is needed.";

    ConfigNotKept = 203 Warning "config-not-kept" (places)
    text: "the configuration is good, but cannot be kept for a restart in {places}",
    cause: "The copy of the good configuration cannot be written into the journal's folder or beside the file.",
    effect: "It is in force. If it should be broken or gone when the service starts the next time, an older copy would \
             be used, and without any the service would not start.",
    remedy: "Give the service (SYSTEM) the right to write into the folders named, and make room on the disk. Then save \
             the configuration again with a change, or restart the service when that suits.";

    ConfigNotFound = 204 Error "config-not-found" (details)
    text: "no configuration was found: {details}",
    cause: "There is no configuration in any of the places where it may be, and no copy of a good one.",
    effect: "The DLL does not initialise (error 2), so the Remote Access service does not start (event 20113).",
    remedy: "Put a configuration into one of the places named and start the service. The smallest \
             configuration is the line `default.action = \"allow\"`: it allows everyone and records everything.";

    ConfigNeverGood = 205 Error "config-never-good" (errors)
    text: "the configuration is broken, and there never was a good one: {errors}",
    cause: "The configuration has faults or cannot be read, and no copy of a good one is beside it or in the journal's \
            folder.",
    effect: "The DLL does not initialise (error 1610), so the Remote Access service does not start (event 20113).",
    remedy: "Correct what is named, each with file, line and column, and start the service.";

    KeptConfigNotUsed = 206 Error "kept-config-not-used" (file, why)
    text: "the last good configuration in {file} is not used: {why}",
    cause: "The configuration is broken or gone. The copy of the last good one belongs to a user who is not an \
            administrator, or such a user can write it, and so may have written it.",
    effect: "The DLL looks for a copy in the other place: beside the configuration, or in the journal's folder. If there \
             is none either, it does not initialise (error 1610), and the Remote Access service does not start.",
    remedy: "Correct the configuration; a copy is kept as soon as it is good. Find out who can write into the folder, \
             and give it to the administrators alone: `rasadmin status` says how.";

    // Refusals.

    ConnectionRefused = 300 Warning "connection-refused" (user, source, computer, rule, reason)
    text: "connection refused: user {user}, from {source}, computer {computer}; rule: {rule}; reason: {reason}",
    cause: "The rule named, or the default, denies this user the connection. Or they allow it, and the reason says what \
            else forbids it: the user is blocked, for example, or the event cannot be recorded (`when_unrecorded`).",
    effect: "The user is not connected.",
    remedy: "None, if the rule means it. Otherwise change the rule; docs/rules.md says how rules are evaluated.";

    LinkRefused = 301 Warning "link-refused" (user, port, tunnel, rule, reason)
    text: "link refused: user {user}, port {port}, tunnel {tunnel}; rule: {rule}; reason: {reason}",
    cause: "The rule named denies this link, often because the tunnel is known only now. Or the connection that the \
            link belongs to is not known.",
    effect: "The link does not stand. If it is the connection's first, the user is not connected.",
    remedy: "None, if the rule means it. Otherwise change the rule; docs/rules.md says which fact is known when.";

    AddressRefused = 302 Warning "address-refused" (family, user, port, rule, reason)
    text: "{family} address refused: user {user}, port {port}; rule: {rule}; reason: {reason}",
    cause: "The rule named denies this user already when the address is asked for, or there is no address for the user. \
            Or the rules allow it, and the reason says what else forbids it, as with message 300.",
    effect: "RRAS ends the connection, with error 5 for an IPv4 address.",
    remedy: "None, if the rule means it. If there is no address, the reason says which pool, reservation or offer would \
             have had to serve the user.";

    ReauthenticationRefused = 303 Warning "reauthentication-refused" (user, source, rule, reason)
    text: "reauthentication refused: user {user}, from {source}; rule: {rule}; reason: {reason}",
    cause: "The user's quarantine state has changed, and the rule named denies the connection as it is now.",
    effect: "RRAS cuts the connection.",
    remedy: "None, if the rule means it. Otherwise change the rule.";

    EndpointChangeRefused = 304 Warning "endpoint-change-refused" (user, source, rule, reason)
    text: "endpoint change refused: user {user}, now from {source}; rule: {rule}; reason: {reason}",
    cause: "An IKEv2 client has moved to another address (MOBIKE), and the rule named denies the connection from there.",
    effect: "RRAS cuts the connection.",
    remedy: "None, if the rule means it. Otherwise change the rule's source networks.";

    PoolExhausted = 305 Warning "pool-exhausted" (pool, user, port, outcome)
    text: "pool {pool} is exhausted: user {user}, port {port}; {outcome}",
    cause: "Every address of the pool, and of those that come after it (`next`), is held by a live lease, reserved or \
            excluded.",
    effect: "As `when_exhausted` says: the user gets no address and is not connected, or RRAS's own offer is kept.",
    remedy: "Enlarge the pool, or give it a `next`. A lease whose end nobody told ends by itself after five minutes \
             without a session.";

    RefusalsRepeated = 306 Warning "refusals-repeated" (count, of)
    text: "refusals repeated within a minute: {count}; different refusals: {of}",
    cause: "Clients that were refused asked again at once, over and over: they redial by themselves, or somebody is \
            trying to get in.",
    effect: "Only the first refusal of each kind was logged here and recorded at once. The others are recorded as a \
             number.",
    remedy: "Run `rasadmin decisions --denied` to see who it was. Correct the client, or block its address in the \
             firewall.";

    // The journal and the ledger.

    EventLost = 403 Error "event-lost" (count, event)
    text: "an event is lost: it cannot be recorded, and no more events can wait; lost so far: {count}; the event: {event}",
    cause: "The journal cannot be written, and 8 MiB of events are waiting in memory already. Or the service ended before \
            the waiting events could be recorded.",
    effect: "The user had an answer, but this event will be neither in the journal nor in the ledger: this message is all \
             that remains of it. When the journal can be written again, the live sessions and leases that it lacks are \
             recorded first.",
    remedy: "Make the journal writable again: see message 410. Keep the log file, which has every lost event.";

    EarlierServiceClosed = 404 Warning "earlier-service-closed" (sessions, leases)
    text: "closed what an earlier service had left open: sessions {sessions}, leases {leases}",
    cause: "The service, or the whole server, had ended without hanging its users up: a crash or a power cut.",
    effect: "These sessions have ended in the ledger, with cause NAS-Reboot, at the last sign of life there; their time \
             is an estimate. Their addresses are free.",
    remedy: "None, unless it happens often: then find out why the service ends.";

    Anomaly = 405 Warning "anomaly" (what, details)
    text: "{what}: {details}; it was recorded",
    cause: "RRAS told of something that does not fit what it told before, such as a hangup of a connection that nobody \
            knows. After a start, and where another admin DLL rejected a connection, this is normal.",
    effect: "It is in the ledger's table `anomalies`. No live session was ended by it.",
    remedy: "None, unless it happens often while the service runs: then report it, with the log file.";

    JournalUnavailable = 410 Error "journal-unavailable" (kind, details)
    text: "the journal cannot be written ({kind}): {details}; the rules decide from memory, and events wait to be recorded",
    cause: "An event could not be recorded. `full`: the disk is full. `locked`: another process held the journal's lock \
            beyond the deadline. `missing`: the folder does not exist. `read-only`: it may not be written. `replaced`: the \
            folder or a file in it was moved, deleted or restored while it was in use. `sync`: the disk did not confirm \
            what was written. `newer`: a later version of rasadmin has written there. `other`: the details say why.",
    effect: "Limits, quotas and addresses work as always. Up to 8 MiB of events wait in memory; they are lost if the \
             service ends before they are recorded. Where `when_unrecorded` is \"deny\", nobody is let in meanwhile. The \
             DLL tries again every ten seconds, and logs this message again only if the kind changes.",
    remedy: "Remove the cause: make room, bring the folder back, give SYSTEM the right to write, end the program that \
             holds the lock. Do not restart the service: that is not needed, and the waiting events would be lost.";

    JournalAvailable = 411 Information "journal-available" (folder)
    text: "the journal can be written again: {folder}",
    cause: "The journal could not be written for a while, and now it can.",
    effect: "Events are again recorded as they happen. Message 412 says how many had waited.",
    remedy: "None is needed.";

    EventsRecorded = 412 Information "events-recorded" (count)
    text: "events that had waited were recorded: {count}",
    cause: "The journal could not be written while they happened.",
    effect: "The journal has them with the time at which they happened and the answer that was given.",
    remedy: "None is needed.";

    JournalMended = 413 Warning "journal-mended" (what)
    text: "something in the journal's folder was wrong: {what}",
    cause: "A crash or a power cut has left an incomplete record. Or a file is damaged, or has the name of one of \
            rasadmin's files and is not one. Or users other than SYSTEM and the administrators could write or read there.",
    effect: "The service continues without what cannot be used. The text names what was moved aside or saved; nothing \
             else was deleted.",
    remedy: "None after a crash or a power cut. Otherwise find out who writes into the folder: only SYSTEM and the \
             administrators should be able to. If records are missing, keep the saved files. If rights cannot be mended, \
             `rasadmin journal check` says what to do.";

    RecordsNotRead = 414 Error "records-not-read" (records, effects)
    text: "the journal has records that cannot be read: {records}, and effects that only a newer version knows: {effects}",
    cause: "Records were damaged by a power cut or a failing disk, or a newer rasadmin has written them.",
    effect: "The state lacks what these records say: a session that began may not be counted, and one that ended may be \
             counted until its port is used again.",
    remedy: "Use the newer rasadmin, if there is one on this server. Otherwise check the disk; `rasadmin journal check` \
             says which records are missing.";

    NoCheckpoint = 415 Warning "no-checkpoint" (error)
    text: "cannot write a checkpoint: {error}",
    cause: "The journal's folder cannot be written, or the disk is full.",
    effect: "Nothing is lost. The next start reads the journal from an older checkpoint, which takes longer.",
    remedy: "Make room, or give the service (SYSTEM) the right to write there.";

    SegmentDropped = 416 Error "segment-dropped" (file, first, last)
    text: "the journal has reached its limit, and its oldest file was deleted: {file}, records {first} to {last}",
    cause: "The journal has grown to 2 GiB, and a ledger that reads it does not have these records yet, or no ledger has \
            ever read it.",
    effect: "That ledger will never show who was connected then, or what was decided. Connected users are not affected.",
    remedy: "Bring the journal into the ledger every day with `rasadmin ledger update`, which `rasadmin install` \
             schedules. If a ledger is no longer used, delete its `.cursor` file in the journal's folder.";

    SlowSync = 417 Warning "slow-sync" (milliseconds)
    text: "the disk took {milliseconds} ms to store a record; calls do not wait for it for the next ten seconds",
    cause: "The disk is overloaded or failing, or another program writes a lot.",
    effect: "Users wait less. A power cut within these ten seconds may lose the last records; a crash of the service does \
             not.",
    remedy: "Find out what keeps the disk busy, or put the journal on another disk (`[journal] folder`).";

    NotSynced = 418 Error "not-synced" (error)
    text: "a record could not be stored safely: {error}",
    cause: "The disk reported an error for the journal's current file, and again for the next one, where the record was \
            written once more.",
    effect: "The answer stands. A power cut may lose the record.",
    remedy: "Check the disk. Back up the ledger with `rasadmin ledger backup`.";

    LostAtStop = 419 Error "lost-at-stop" (count)
    text: "the service is stopping, and events that could not be recorded are lost: {count}",
    cause: "The journal could not be written, up to the end of the service.",
    effect: "Sessions that began in these events are missing from the ledger; sessions that ended in them end at the next \
             start.",
    remedy: "Read the messages before this one: they say why the journal could not be written. Remove that cause before \
             you start the service.";

    Carried = 420 Warning "carried" (count)
    text: "the journal lacked some of what is in memory, which was recorded now; facts: {count}",
    cause: "The journal's folder was replaced, deleted or restored from a backup while the service was running. Or events \
            were lost, because the journal could not be written for a long time.",
    effect: "Live sessions, their addresses, and what users have used are on record again. Sessions that ended meanwhile \
             may be missing.",
    remedy: "Connected users need nothing. Find out who replaced the folder, or why it could not be written.";

    LowDiskSpace = 421 Warning "low-disk-space" (free, folder)
    text: "only {free} MiB are free on the disk of the journal: {folder}",
    cause: "Less than 1 GiB is free on the disk on which the journal's folder is.",
    effect: "None yet. When the disk is full, events wait in memory (message 410), and the ledger cannot be brought up to \
             date if it is on the same disk. This message is logged at most once an hour.",
    remedy: "Make room on that disk, or put the journal on another one (`[journal] folder`). `rasadmin status` says how \
             much is free.";

    ProcessClosed = 422 Warning "process-closed" (sessions)
    text: "closed what a process of the service had left open: sessions {sessions}",
    cause: "One process of the Remote Access service crashed or was ended, while another one lived on. The next process \
            that started found out.",
    effect: "These sessions have ended in the ledger, with cause NAS-Reboot; their time is an estimate. Their addresses \
             stay held until they are released or their port is used again, since the clients may be online. A session \
             whose client shows life is opened again.",
    remedy: "None, unless it happens often: then find out why the process ends.";

    // This log.

    LeftOut = 900 Warning "left-out" (count, message)
    text: "left out here: {count} more of message {message}; the log file has them all",
    cause: "There were more than ten of one message within a second.",
    effect: "None: the log file has each of them, and the ledger every decision.",
    remedy: "Look into the log file, or at the ledger's table `decisions`.";
}

impl fmt::Debug for Message<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}: {self}", self.id())
    }
}
