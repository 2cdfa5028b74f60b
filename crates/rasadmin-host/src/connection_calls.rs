//! The calls about connections and links: which DLLs get them, and in which form.

use crate::assumptions::{RejectedConnection, RejectedFirstLink};
use crate::fill::{self, ConnectionFacts, LinkFacts, Tunnel};
use crate::invoke::Arg;
use crate::service::Service;
use mprapi::FunctionId as F;
use mprapi::contract::ArgumentType;
use std::ops::Range;

impl Service {
    /// Asks every DLL in order whether it accepts. `Err` has the first DLL that rejects. DLLs without the function are
    /// skipped, and for IKEv2 so are revision 1 DLLs.
    fn ask(&self, tunnel: Tunnel, form: impl Fn(usize) -> Option<(F, Vec<Arg>)>) -> Result<(), usize> {
        for dll in self.called(tunnel, 0..self.descriptions().len()) {
            if let Some((function, mut arguments)) = form(dll)
                && self.call(dll, function, &mut arguments).is_some_and(|returned| !returned.accepted())
            {
                return Err(dll);
            }
        }
        Ok(())
    }

    /// Those of the DLLs that RRAS calls for this tunnel.
    fn called(&self, tunnel: Tunnel, mut dlls: Range<usize>) -> impl Iterator<Item = usize> {
        std::iter::from_fn(move || dlls.next())
            .filter(move |&dll| tunnel != Tunnel::Ikev2 || self.descriptions()[dll].serves_ikev2())
    }

    /// The form that RRAS calls: the first of these that the DLL has.
    fn preferred(&self, dll: usize, forms: &[F]) -> Option<F> {
        forms.iter().copied().find(|&form| self.descriptions()[dll].functions.contains(form))
    }

    pub(crate) fn ask_connection(&self, facts: &ConnectionFacts) -> Result<(), usize> {
        // Ex before 3 before 2 before 1.
        self.ask_in_form(
            facts,
            &[F::AcceptNewConnectionEx, F::AcceptNewConnection3, F::AcceptNewConnection2, F::AcceptNewConnection],
        )
    }

    /// Asks every DLL in the first of these forms that it has.
    pub(crate) fn ask_in_form(&self, facts: &ConnectionFacts, forms: &[F]) -> Result<(), usize> {
        self.ask(facts.tunnel, |dll| self.preferred(dll, forms).map(|form| (form, connection_arguments(form, facts))))
    }

    pub(crate) fn ask_endpoint_change(&self, facts: &ConnectionFacts) -> Result<(), usize> {
        self.ask_in_form(facts, &[F::AcceptTunnelEndpointChangeEx])
    }

    pub(crate) fn notify_connection_hangup(&self, facts: &ConnectionFacts, dlls: Range<usize>) {
        const FORMS: [F; 4] = [
            F::ConnectionHangupNotificationEx,
            F::ConnectionHangupNotification3,
            F::ConnectionHangupNotification2,
            F::ConnectionHangupNotification,
        ];
        for dll in self.called(facts.tunnel, dlls) {
            if let Some(form) = self.preferred(dll, &FORMS) {
                self.call(dll, form, &mut connection_arguments(form, facts));
            }
        }
    }

    /// Notifies the DLLs of a connection that DLL `by` has rejected.
    pub(crate) fn notify_rejected_connection(&self, facts: &ConnectionFacts, by: usize) {
        let dlls = match self.assumptions.rejected_connection {
            _ if !self.notifies_rejected() => 0..0,
            RejectedConnection::NoDll => 0..0,
            RejectedConnection::Earlier => 0..by,
            RejectedConnection::EveryDll => 0..self.descriptions().len(),
        };
        self.notify_connection_hangup(facts, dlls);
    }

    pub(crate) fn notifies_rejected_first_link(&self) -> bool {
        self.notifies_rejected() && self.assumptions.rejected_first_link == RejectedFirstLink::EveryDll
    }

    /// Asks every DLL to accept a link. When DLL n rejects it, those before it get LinkHangupNotification at once; n itself
    /// does not (R-MULTI-2).
    pub(crate) fn ask_link(&self, tunnel: Tunnel, link: &LinkFacts) -> Result<(), usize> {
        let answer = self.ask(tunnel, |_| Some((F::AcceptNewLink, link_arguments(link))));
        if let Err(dll) = answer
            && self.notifies_rejected()
        {
            self.notify_link_hangup(tunnel, link, dll);
        }
        answer
    }

    /// Notifies the DLLs before `end` that the link has ended.
    pub(crate) fn notify_link_hangup(&self, tunnel: Tunnel, link: &LinkFacts, end: usize) {
        for dll in self.called(tunnel, 0..end) {
            self.call(dll, F::LinkHangupNotification, &mut link_arguments(link));
        }
    }
}

/// The structures that a form takes.
fn connection_arguments(form: F, facts: &ConnectionFacts) -> Vec<Arg> {
    let bytes = |ty| match ty {
        ArgumentType::Connection0 => fill::connection_0(facts),
        ArgumentType::Connection1 => fill::connection_1(facts),
        ArgumentType::Connection2 => fill::connection_2(facts),
        ArgumentType::Connection3 => fill::connection_3(facts),
        _ => fill::connection_ex(facts),
    };
    form.row().arguments.iter().map(|argument| Arg::bytes(&bytes(argument.ty))).collect()
}

fn link_arguments(link: &LinkFacts) -> Vec<Arg> {
    vec![Arg::bytes(&fill::port_0(link)), Arg::bytes(&fill::port_1(link))]
}
