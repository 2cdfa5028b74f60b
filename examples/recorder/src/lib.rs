//! An admin DLL that accepts everyone and records every call with its buffers, in the format of docs/trace.md. It writes to
//! the file that RASADMIN_TRACE names (default: `rasadmin.trace` in the folder for temporary files). Each initialise starts
//! a new file.
//!
//! On a real server it can settle what docs/rras-behaviour.md marks as unproven: install it, let a few users connect and
//! disconnect, copy the trace, and judge it with `rasadmin host judge rasadmin.trace`. docs/field-test.md says how, step by
//! step. The trace has names and addresses of users in plain text.

use rasadmin_sdk::contract::ArgumentType;
use rasadmin_sdk::{
    AddressRequest, AdminDll, AssignIpv4, AssignIpv6, Assignment, Connection, Environment, FunctionId, FunctionSet,
    InitializeError, InterfaceId, Link, Refusal, Verdict, export_admin_dll,
};
use rasadmin_trace::{Buffer, Call, Header, Writer};
use std::fs::File;
use std::net::{Ipv4Addr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

struct Recorder {
    writer: Mutex<Writer<File>>,
    began: Instant,
}

const ACCEPTED: Option<u32> = Some(1);
const NO_ERROR: Option<u32> = Some(0);

impl Recorder {
    fn record(
        &self,
        function: FunctionId,
        arguments: Vec<Buffer>,
        result: Option<u32>,
        after: Vec<(ArgumentType, Buffer)>,
    ) {
        let at_us = u64::try_from(self.began.elapsed().as_micros()).unwrap_or(u64::MAX);
        let call = Call { seq: 0, at_us, dll: 0, function, arguments, result, after, took_ns: 0 };
        // If the disk is full, the user must still be able to connect.
        let _ = self.writer.lock().unwrap_or_else(PoisonError::into_inner).call(&call);
    }

    /// Records a call with structures. A structure that could not be read is recorded as null.
    fn structures(&self, function: FunctionId, structures: &[(ArgumentType, Vec<u8>)], result: Option<u32>) {
        let arguments = function.row().arguments.iter().map(|argument| {
            let found = structures.iter().find(|(ty, _)| *ty == argument.ty);
            found.map_or(Buffer::Null, |(_, bytes)| Buffer::Bytes(bytes.clone()))
        });
        self.record(function, arguments.collect(), result, Vec::new());
    }

    /// Records an address call. `kept` says whether the offer was kept; None for a release.
    fn address<A: Copy>(&self, request: &AddressRequest<A>, bytes: Vec<u8>, kept: Option<bool>) {
        let mut arguments = vec![
            Buffer::Text(request.user().units().to_vec()),
            Buffer::Text(request.port().units().to_vec()),
            Buffer::Bytes(bytes),
        ];
        match kept {
            None => self.record(request.function(), arguments, None, Vec::new()),
            Some(kept) => {
                // The SDK sets notify_release to FALSE before the call.
                arguments.push(Buffer::Bytes(vec![0; 4]));
                let notify = vec![(ArgumentType::NotifyRelease, Buffer::Bytes(vec![1, 0, 0, 0]))];
                let (result, after) = if kept { (NO_ERROR, notify) } else { (Some(5), Vec::new()) };
                self.record(request.function(), arguments, result, after);
            }
        }
    }
}

impl AdminDll for Recorder {
    fn initialize(environment: &Environment) -> Result<Self, InitializeError> {
        let path = std::env::var_os("RASADMIN_TRACE").map_or(std::env::temp_dir().join("rasadmin.trace"), Into::into);
        let header = Header::new(concat!("recorder ", env!("CARGO_PKG_VERSION")), vec!["recorder".into()]);
        let writer = File::create(path).and_then(|file| Writer::new(file, &header))?;
        let recorder = Self { writer: Mutex::new(writer), began: Instant::now() };
        let function = environment.function();
        let (arguments, after) = if function == FunctionId::InitializeDllEx {
            let table = |revision, set| Buffer::Callbacks { revision, set };
            let filled = table(2, environment.callbacks());
            (vec![table(0, FunctionSet::EMPTY)], vec![(ArgumentType::Callbacks, filled)])
        } else {
            (Vec::new(), Vec::new())
        };
        recorder.record(function, arguments, NO_ERROR, after);
        Ok(recorder)
    }

    fn terminate(&self) {
        self.record(FunctionId::TerminateDll, Vec::new(), NO_ERROR, Vec::new());
    }

    fn accept_connection(&self, connection: &Connection) -> Verdict {
        self.structures(connection.function(), connection.structures(), ACCEPTED);
        Verdict::Accept
    }

    fn connection_hangup(&self, connection: &Connection) {
        self.structures(connection.function(), connection.structures(), None);
    }

    fn accept_link(&self, link: &Link) -> Verdict {
        self.structures(link.function(), link.structures(), ACCEPTED);
        Verdict::Accept
    }

    fn link_hangup(&self, link: &Link) {
        self.structures(link.function(), link.structures(), None);
    }

    fn accept_reauthentication(&self, connection: &Connection) -> Verdict {
        self.structures(connection.function(), connection.structures(), ACCEPTED);
        Verdict::Accept
    }

    fn accept_endpoint_change(&self, connection: &Connection) -> Verdict {
        self.structures(connection.function(), connection.structures(), ACCEPTED);
        Verdict::Accept
    }
}

impl AssignIpv4 for Recorder {
    fn assign_ipv4(&self, request: &AddressRequest<Ipv4Addr>) -> Result<Assignment<Ipv4Addr>, Refusal> {
        let address = request.address();
        self.address(request, address.octets().to_vec(), Some(!address.is_unspecified()));
        if address.is_unspecified() {
            return Err(Refusal::new("RRAS offers no address"));
        }
        Ok(Assignment::of(address))
    }

    fn release_ipv4(&self, request: &AddressRequest<Ipv4Addr>) {
        self.address(request, request.address().octets().to_vec(), None);
    }
}

impl AssignIpv6 for Recorder {
    fn assign_ipv6(&self, request: &AddressRequest<Ipv6Addr>) -> Result<Assignment<InterfaceId>, Refusal> {
        self.address(request, request.address().octets().to_vec(), Some(true));
        Ok(Assignment::of(request.offered_identifier()))
    }

    fn release_ipv6(&self, request: &AddressRequest<Ipv6Addr>) {
        self.address(request, request.address().octets().to_vec(), None);
    }
}

export_admin_dll!(Recorder, ipv4, ipv6);
