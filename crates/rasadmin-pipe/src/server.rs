//! Takes clients and answers them.

use crate::address::Address;
use crate::caller::Caller;
use crate::error::Error;
use crate::frame::{self, LONGEST_ANSWER, LONGEST_REQUEST, Unreadable};
use crate::patience::{Patience, Reader};
use crate::protocol::{self, Refusal, Reply, Request, Why};
use crate::transport::{Listener, Stream};
use serde_json::Value;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant, SystemTime};

/// Answers requests. It is called on the threads of several clients at once.
pub trait Handler: Send + Sync {
    /// Answers a request of a caller who has the right to it. It never gets a [`Request::OnBehalf`]: it gets the change in
    /// it, from a caller whose account names the user of the dashboard too.
    ///
    /// # Errors
    /// Why it cannot be answered.
    fn answer(&self, request: &Request, caller: &Caller) -> Result<Value, Refusal>;

    /// Whether `NT SERVICE\rasadmin-net` may change something for users of its dashboard. It is asked for each request.
    fn dashboard_changes(&self) -> bool {
        false
    }

    /// Called first on each thread that calls [`Handler::answer`].
    fn on_thread(&self) {}
}

/// How much clients may take.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How many are served at once; the others wait.
    pub clients: usize,
    /// How long a client may take to send its request, and as long again to read the answer.
    pub patience: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self { clients: 16, patience: Duration::from_secs(5) }
    }
}

/// What a server has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests that were answered.
    pub answered: u64,
    /// Requests that were refused, or that did not come in time.
    pub refused: u64,
    /// When and why one was refused last.
    pub last_refusal: Option<(SystemTime, String)>,
}

/// The server's side of a pipe. When it is dropped, it waits for the clients that it serves.
pub struct Server {
    listener: Listener,
    shared: Arc<Shared>,
}

/// What the clients' threads share.
struct Shared {
    handler: Box<dyn Handler>,
    limits: Limits,
    stop: Arc<AtomicBool>,
    /// The number of clients that are served.
    busy: Mutex<usize>,
    freed: Condvar,
    counts: Mutex<Counts>,
}

impl Server {
    /// Creates the pipe. Once `stop` is set, nobody is waited for any more.
    ///
    /// # Errors
    /// If another process has it, or the system does not create it.
    pub fn bind(
        address: &Address,
        handler: Box<dyn Handler>,
        limits: Limits,
        stop: Arc<AtomicBool>,
    ) -> Result<Self, Error> {
        let listener = Listener::bind(address)?;
        let (busy, freed, counts) = Default::default();
        Ok(Self { listener, shared: Arc::new(Shared { handler, limits, stop, busy, freed, counts }) })
    }

    /// Serves clients for this time, or until it has to stop. Clients that it is still serving then are served to the end.
    ///
    /// # Errors
    /// If the system accepts no client, or the pipe has been removed.
    pub fn serve_for(&mut self, time: Duration) -> Result<(), Error> {
        let patience = Patience::unless(time, &self.shared.stop);
        while let Ok(slice) = patience.next() {
            let Some(seat) = Seat::take(&self.shared, slice) else { continue };
            let Some(stream) = self.listener.accept(slice)? else { continue };
            let served = std::thread::Builder::new().name("pipe client".to_owned()).spawn(move || seat.serve(stream));
            if let Err(error) = served {
                self.shared.refused(&format!("the system starts no thread: {error}"));
            }
        }
        Ok(())
    }

    /// What it has done so far.
    pub fn counts(&self) -> Counts {
        self.shared.counts().clone()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // Otherwise the next server could not have the same name at once. A client that is served has two deadlines.
        let longest = self.shared.limits.patience * 3;
        let busy = self.shared.busy();
        drop(self.shared.freed.wait_timeout_while(busy, longest, |busy| *busy > 0));
    }
}

impl Shared {
    fn busy(&self) -> MutexGuard<'_, usize> {
        self.busy.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn counts(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn refused(&self, text: &str) {
        let mut counts = self.counts();
        counts.refused += 1;
        counts.last_refusal = Some((SystemTime::now(), text.to_owned()));
    }
}

/// One of the seats for clients. It is free again when it is dropped.
struct Seat(Arc<Shared>);

impl Seat {
    /// Waits at most `wait` for a free seat.
    fn take(shared: &Arc<Shared>, wait: Duration) -> Option<Self> {
        let until = Instant::now() + wait;
        let mut busy = shared.busy();
        while *busy >= shared.limits.clients {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return None;
            }
            busy = shared.freed.wait_timeout(busy, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        *busy += 1;
        Some(Self(shared.clone()))
    }

    fn serve(self, mut stream: Stream) {
        let shared = &*self.0;
        shared.handler.on_thread();
        let patience = || Patience::unless(shared.limits.patience, &shared.stop);
        let reply = match shared.reply(&mut stream, &patience()) {
            // The client has changed its mind.
            Ok(None) => return,
            Ok(Some(answer)) => {
                shared.counts().answered += 1;
                Reply::Answer(answer)
            }
            Err(refusal) => {
                // A client that was interrupted by the end of the service is not to blame.
                if !shared.stop.load(Ordering::Relaxed) {
                    shared.refused(&refusal.text);
                }
                Reply::Refused(refusal)
            }
        };
        let patience = patience();
        let message = serde_json::to_vec(&reply).ok().and_then(|json| frame::message(&json, LONGEST_ANSWER).ok());
        if message.is_some_and(|message| stream.write(&message, &patience).is_ok()) {
            drain(&mut stream, &patience);
        }
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        *self.0.busy() -= 1;
        self.0.freed.notify_all();
    }
}

/// Waits for the client to close: Windows may drop what it has not read yet if the server closes first.
fn drain(stream: &mut Stream, patience: &Patience<'_>) {
    let (mut rest, mut read) = ([0; 4096], 0);
    while read < LONGEST_REQUEST {
        match stream.read(&mut rest, patience) {
            Ok(0) | Err(_) => return,
            Ok(some) => read += some,
        }
    }
}

impl Shared {
    /// Reads a request and answers it. None: nothing was asked.
    fn reply(&self, stream: &mut Stream, patience: &Patience<'_>) -> Result<Option<Value>, Refusal> {
        let json = frame::read(&mut Reader(stream, patience), LONGEST_REQUEST).map_err(unreadable)?;
        let Some(json) = json else { return Ok(None) };
        // Windows says who the client is only after something was read.
        let caller = stream
            .caller()
            .map_err(|error| Refusal::new(Why::Forbidden, format_args!("the system does not say who asks: {error}")))?;
        let of = |refusal: Refusal| refusal.of(&caller.account);
        let request = protocol::request(&json).map_err(of)?;
        let (request, caller) =
            protocol::admit(request, caller.clone(), || self.handler.dashboard_changes()).map_err(of)?;
        let answer = catch_unwind(AssertUnwindSafe(|| self.handler.answer(&request, &caller)))
            .unwrap_or_else(|_| Err(Refusal::new(Why::Bug, "a bug in rasadmin: no answer was made; report it")))
            .map_err(of)?;
        if serde_json::to_vec(&Reply::Answer(&answer)).map_or(0, |json| json.len()) > LONGEST_ANSWER {
            return Err(of(Refusal::new(Why::TooLong, "the answer would be longer than a message can be")));
        }
        Ok(Some(answer))
    }
}

fn unreadable(why: Unreadable) -> Refusal {
    let kind = match &why {
        Unreadable::Foreign | Unreadable::Version(_) => Why::Version,
        Unreadable::TooLong { .. } => Why::TooLong,
        Unreadable::Io(error) if error.kind() == io::ErrorKind::TimedOut => Why::TooLate,
        Unreadable::EndsEarly | Unreadable::Io(_) => Why::Invalid,
    };
    Refusal::new(kind, format_args!("the request was not read: {}", frame::of_request(&why)))
}
