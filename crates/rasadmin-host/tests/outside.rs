//! RRAS as other processes see it during a scenario.
#![allow(clippy::unwrap_used)]

mod support;

use mprapi::FunctionId;
use mprapi::contract::ArgumentType;
use rasadmin_host::dll::Returned;
use rasadmin_host::outside::{Outside, View};
use rasadmin_host::runner::{RunOptions, run};
use rasadmin_host::scenario::Scenario;
use rasadmin_host::service::Observer;
use rasadmin_host::{Options, Service};
use rasadmin_trace::Buffer;
use std::sync::Mutex;
use std::sync::mpsc::{Sender, channel};
use support::Dll;

/// Sends the function of each call that is about to be made.
struct SendCalls(Sender<FunctionId>);

impl Observer for SendCalls {
    fn before(&self, function: FunctionId, _: &[Buffer]) {
        // At the end, the receiver is gone.
        let _ = self.0.send(function);
    }
    fn after(&self, _: FunctionId, _: &[Buffer], _: Returned, _: &[(ArgumentType, Buffer)]) {}
}

#[test]
fn an_answer_waits_while_a_dll_is_asked_about_a_new_connection() {
    let day = "server VPN1\nserver-address 10.20.0.1\npool 10.20.0.2-10.20.0.9\n\n\
               08:00:00 connect a user=a tunnel=sstp from=203.0.113.1\n08:00:10 hangup a\n";
    let scenario = Scenario::parse("day", day).unwrap();
    let asked = [FunctionId::GetIpAddressForUser, FunctionId::AcceptNewConnectionEx, FunctionId::AcceptNewLink];
    for function in asked {
        let dll = Dll::scripted("good-rev2", &format!("{} sleep=300", function.name()));
        let (sender, calls) = channel();
        let options = Options { observer: Some(Box::new(SendCalls(sender))), ..Options::new(scenario.pool.clone()) };
        let service = Service::start(std::slice::from_ref(&dll.path), options).unwrap();
        let (calls, listed) = (Mutex::new(calls), Mutex::new(None));
        let serve = |view: &dyn View| {
            let calls = calls.lock().unwrap();
            while calls.recv().unwrap() != function {}
            *listed.lock().unwrap() = Some(view.connections().len());
        };
        let outside = Some(Outside { speed: 20, pause: None, serve: &serve });
        run(&service, &scenario, RunOptions { outside, ..RunOptions::threads(1) });
        service.stop().unwrap();
        // Without waiting, the list would be one from before the connection.
        assert_eq!(*listed.lock().unwrap(), Some(1), "{function:?}");
    }
}
