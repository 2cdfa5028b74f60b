//! The calls about connections and links: who is asked, in which form, and who hears of an end.

use crate::fill::{self, ConnectionFacts, LinkFacts, Tunnel};
use crate::invoke::Arg;
use crate::readings::{RejectedConnection, RejectedFirstLink};
use crate::service::Service;
use mprapi::FunctionId as F;
use mprapi::contract::ArgumentType;
use std::ops::Range;

impl Service {
    /// Asks every DLL in order for a verdict; `Err` has the first that rejects. A DLL without the function is passed
    /// over, and for IKEv2 every revision 1 DLL is.
    fn ask(&self, tunnel: Tunnel, form: impl Fn(usize) -> Option<(F, Vec<Arg>)>) -> Result<(), usize> {
        for dll in self.called(tunnel, 0..self.about().len()) {
            if let Some((function, mut arguments)) = form(dll)
                && self.call(dll, function, &mut arguments).is_some_and(|returned| !returned.accepted())
            {
                return Err(dll);
            }
        }
        Ok(())
    }

    /// Those of the DLLs that are called for this tunnel.
    fn called(&self, tunnel: Tunnel, mut dlls: Range<usize>) -> impl Iterator<Item = usize> {
        std::iter::from_fn(move || dlls.next())
            .filter(move |&dll| tunnel != Tunnel::Ikev2 || self.about()[dll].serves_ikev2())
    }

    /// The form that is called: the first of them that it has.
    fn preferred(&self, dll: usize, forms: &[F]) -> Option<F> {
        forms.iter().copied().find(|&form| self.about()[dll].functions.contains(form))
    }

    pub(crate) fn ask_connection(&self, facts: &ConnectionFacts) -> Result<(), usize> {
        // Ex before 3 before 2 before 1.
        self.ask_again(
            facts,
            &[F::AcceptNewConnectionEx, F::AcceptNewConnection3, F::AcceptNewConnection2, F::AcceptNewConnection],
        )
    }

    /// The first of these forms that each DLL has.
    pub(crate) fn ask_again(&self, facts: &ConnectionFacts, forms: &[F]) -> Result<(), usize> {
        self.ask(facts.tunnel, |dll| self.preferred(dll, forms).map(|form| (form, connection_arguments(form, facts))))
    }

    pub(crate) fn ask_endpoint_change(&self, facts: &ConnectionFacts) -> Result<(), usize> {
        self.ask_again(facts, &[F::AcceptTunnelEndpointChangeEx])
    }

    pub(crate) fn tell_connection_hangup(&self, facts: &ConnectionFacts, dlls: Range<usize>) {
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

    /// DLL `by` has rejected the connection.
    pub(crate) fn tell_of_rejected_connection(&self, facts: &ConnectionFacts, by: usize) {
        let dlls = match self.readings.rejected_connection {
            _ if !self.tells_of_rejected() => 0..0,
            RejectedConnection::Nobody => 0..0,
            RejectedConnection::Earlier => 0..by,
            RejectedConnection::Everybody => 0..self.about().len(),
        };
        self.tell_connection_hangup(facts, dlls);
    }

    pub(crate) fn tells_of_rejected_first_link(&self) -> bool {
        self.tells_of_rejected() && self.readings.rejected_first_link == RejectedFirstLink::Everybody
    }

    /// When DLL n rejects a link, those before it get LinkHangupNotification at once; n itself does not.
    pub(crate) fn ask_link(&self, tunnel: Tunnel, link: &LinkFacts) -> Result<(), usize> {
        let answer = self.ask(tunnel, |_| Some((F::AcceptNewLink, link_arguments(link))));
        if let Err(dll) = answer
            && self.tells_of_rejected()
        {
            self.tell_link_hangup(tunnel, link, dll);
        }
        answer
    }

    /// The DLLs before `end` hear of it.
    pub(crate) fn tell_link_hangup(&self, tunnel: Tunnel, link: &LinkFacts, end: usize) {
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
