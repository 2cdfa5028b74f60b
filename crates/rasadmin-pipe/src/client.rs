//! Asks the service.

use crate::address::Address;
use crate::error::Error;
use crate::frame::{self, LONGEST_ANSWER, LONGEST_REQUEST, Unreadable};
use crate::patience::{Patience, Reader};
use crate::protocol::{Refusal, Reply, Request, Why};
use crate::transport::Stream;
use serde::de::DeserializeOwned;
use std::io;
use std::time::Duration;

/// Sends one request, and waits at most `wait` for the answer.
///
/// # Errors
/// Why there is none.
pub fn ask<T: DeserializeOwned>(address: &Address, request: &Request, wait: Duration) -> Result<T, Error> {
    let patience = Patience::of(wait);
    let no_answer = |what: String| Error::NoAnswer { address: address.clone(), what };
    let json = serde_json::to_vec(request).map_err(|error| no_answer(error.to_string()))?;
    let too_long = |why: Unreadable| {
        Refusal::new(Why::TooLong, format_args!("the request was not sent: {}", frame::of_request(&why)))
    };
    let message = frame::message(&json, LONGEST_REQUEST).map_err(|why| Error::Refused(too_long(why)))?;
    let mut stream = Stream::connect(address, &patience)?;
    // If the server has closed early, its refusal may still be there to read.
    let sent = stream.write(&message, &patience);
    let answer = match frame::read(&mut Reader(&mut stream, &patience), LONGEST_ANSWER) {
        Ok(Some(answer)) => answer,
        Ok(None) => {
            return Err(match sent {
                Err(source) => Error::Io { what: "write to", address: address.clone(), source },
                Ok(()) => no_answer("nothing came".to_owned()),
            });
        }
        Err(Unreadable::Io(error)) if error.kind() == io::ErrorKind::TimedOut => {
            return Err(Error::TooLate(address.clone()));
        }
        Err(Unreadable::Io(source)) => return Err(Error::Io { what: "read from", address: address.clone(), source }),
        Err(why) => return Err(no_answer(why.to_string())),
    };
    match serde_json::from_slice(&answer) {
        Ok(Reply::Answer(answer)) => Ok(answer),
        Ok(Reply::Refused(refusal)) => Err(Error::Refused(refusal)),
        Err(error) => Err(no_answer(error.to_string())),
    }
}
