//! The trace format: every call of an admin DLL with its buffers, as JSON Lines.
//!
//! The first line is the header, `{"trace":"rasadmin","version":1,"recorder":"…","dlls":["…"]}`. Every further line is
//! one call:
//!
//! ```json
//! {"seq":3,"at_us":1500,"dll":0,"call":"MprAdminGetIpAddressForUser",
//!  "arguments":{"user":"CORP\\alice","port":"VPN2-127","ipv4":"10.20.0.2","notify_release":0},
//!  "result":0,"after":{"notify_release":1},"took_ns":5120}
//! ```
//!
//! (on one line). `seq` counts from 1. `at_us` is microseconds since the trace began. `dll` is the index of the DLL in
//! the header's list. `arguments` has what each argument pointed to before the call, under the names of
//! [`ArgumentType::label`]; `after` has those that the call changed. `result` is the DWORD or BOOL, and absent if the
//! function returns nothing. A null pointer is `null`. A structure is its bytes in hexadecimal, in memory order. A
//! name is a string, or an array of UTF-16 units if it is not valid UTF-16. IPv4 and IPv6 addresses are written as
//! usual. A callbacks table is its revision and the names of the functions whose pointers are set.
//!
//! [`ArgumentType::label`]: mprapi::contract::ArgumentType::label
#![forbid(unsafe_code)]

mod call;
mod json;
mod read;
mod write;

pub use call::{Buffer, Call, Header, VERSION};
pub use read::{Reader, TraceError, read_trace};
pub use write::Writer;
