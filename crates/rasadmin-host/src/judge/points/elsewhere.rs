//! What no trace can show.

use crate::judge::{Look, Point};

/// A point that must be settled by other means.
const fn elsewhere(
    name: &'static str,
    ids: &'static [&'static str],
    statement: &'static str,
    how: &'static str,
) -> Point {
    Point { name, ids, statement, assumption: None, how, look: Look::Elsewhere }
}

pub const ENUMERATION_WAITS: Point = elsewhere(
    "enumeration-waits",
    &["R-OUT-4"],
    "Calls of mprapi.dll from another process wait for running callbacks.",
    "Use a DLL that waits ten seconds in AcceptNewConnection, and run `Get-RemoteAccessConnectionStatistics` meanwhile.",
);

pub const LISTED_HEADERS: Point = elsewhere(
    "listed-headers",
    &["R-OUT-9"],
    "MprAdminConnectionEnumEx lists structures of 1672 bytes, whose headers have type 1 or are zero.",
    "Connect two clients, and run `rras look` (field-test.md): it lists both, or says what is wrong with the list.",
);

pub const READ_AGAIN: Point = elsewhere(
    "read-again",
    &["R-OUT-10"],
    "MprAdminConnectionGetInfoEx fills memory of its caller, which MprAdminBufferFree does not free.",
    "Connect a client, and run `rras look`: it reads the connection again, and finds the same GUID and user.",
);

pub const GONE: Point = elsewhere(
    "gone",
    &["R-OUT-12"],
    "For a port that has no connection any more, MprAdminPortDisconnect answers 6, 87, 601, 606, 906, 1168 or 2250.",
    "Note a port's handle in `rras look`, disconnect the client, and run `rras disconnect-unread HANDLE` \
     (field-test.md): it shows the error.",
);

pub const LISTED_SOON: Point = elsewhere(
    "listed-soon",
    &["R-OUT-15"],
    "A connection is in the list of MprAdminConnectionEnumEx within a minute of its accept.",
    "Connect a client, and run `rras look` (field-test.md) every five seconds until it lists the client.",
);

pub const FAILED_LOGON: Point = elsewhere(
    "event-20271",
    &["R-EVENT-1"],
    "Insert 1 of event 20271 is the user.",
    "Connect with a wrong password, and run `(Get-WinEvent -FilterHashtable @{LogName='System'; Id=20271} -MaxEvents \
     1).Properties`.",
);

pub const SESSION_END: Point = elsewhere(
    "event-20272",
    &["R-EVENT-2"],
    "The inserts of event 20272 are in the order that the page lists.",
    "Disconnect a client, and run `(Get-WinEvent -FilterHashtable @{LogName='System'; Id=20272} -MaxEvents \
     1).Properties`.",
);

pub const NT4_HANGUPS: Point = elsewhere(
    "nt4-hangups",
    &["R-HOST-17"],
    "On Windows NT 4.0 and 2000, no hangup follows a connection or link that was rejected.",
    "Use a server with Windows 2000 and a DLL that rejects and records its calls.",
);

pub const TWO_PROCESSES: Point = elsewhere(
    "two-processes",
    &["R-HOST-18"],
    "If RRAS uses two processes, it loads and initialises every DLL in both.",
    "Run `tasklist /m recorder.dll` while clients are connected: if it lists two processes, end one of them and connect.",
);
