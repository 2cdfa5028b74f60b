//! Accepts connections, and serves the routes on them until the server stops.

use crate::attempts::network;
use crate::gate::Ends;
use crate::patient::Patient;
use crate::served::Served;
use crate::tls::{Encryption, plain};
use axum::Router;
use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::{GracefulShutdown, Watcher};
use hyper_util::service::TowerToHyperService;
use std::collections::HashMap;
use std::convert::Infallible;
use std::future::ready;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

/// What clients may ask of the server.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// How long a handshake or a request's head may take, and how long a connection may wait for the next request.
    pub head: Duration,
    /// How long a request may take, with its body, until its answer begins.
    pub request: Duration,
    /// How long a client may take nothing of an answer.
    pub answer: Duration,
    /// How many connections there may be.
    pub connections: usize,
    /// How many of them one address of another computer may have.
    pub of_one: usize,
    /// How many of them the IPv6 addresses of one site may have together.
    pub of_site: usize,
    /// How many of them are kept for this computer.
    pub here: usize,
    /// How long the last answers may take when the server stops.
    pub stop: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        let seconds = Duration::from_secs;
        Self {
            head: seconds(10),
            request: seconds(30),
            answer: seconds(30),
            connections: 512,
            of_one: 64,
            of_site: 192,
            here: 64,
            stop: seconds(5),
        }
    }
}

/// The head of a request may have so many bytes.
const HEAD: usize = 32 << 10;

/// What every connection is served with.
pub struct Serving {
    /// The pages.
    pub routes: Router,
    /// What clients may ask.
    pub limits: Limits,
    /// The encryption, if there is one.
    pub encryption: Option<Arc<Encryption>>,
    /// The names that it is served under.
    pub served: Served,
}

/// Accepts connections until `stop` is true. Then the requests that have come are still answered.
pub async fn accept(listener: TcpListener, serving: Serving, mut stop: watch::Receiver<bool>) {
    let (graceful, places) = (GracefulShutdown::new(), Arc::new(Places::default()));
    let (limits, serving) = (serving.limits, Arc::new(serving));
    loop {
        let accepted = tokio::select! {
            // Nobody can say it any more: that is a stop too.
            _ = stop.wait_for(|stop| *stop) => break,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, remote)) = accepted else {
            // No more files can be opened, for example: some connection will end.
            sleep(Duration::from_millis(50)).await;
            continue;
        };
        let Ok(ends) = ends(&stream, remote) else { continue };
        // Beyond the limit, a connection is closed at once.
        let Some(place) = places.take(ends, &limits) else { continue };
        let (serving, watcher, mut stop) = (serving.clone(), graceful.watcher(), stop.clone());
        tokio::spawn(async move {
            let opened = tokio::select! {
                // A handshake that has not ended keeps nothing.
                _ = stop.wait_for(|stop| *stop) => None,
                opened = serving.begin(stream) => opened,
            };
            match opened {
                Some(Opened::Plain(stream)) => serving.pages(stream, ends, watcher).await,
                Some(Opened::Encrypted(stream)) => serving.pages(stream, ends, watcher).await,
                Some(Opened::Unencrypted(stream)) => serving.refuse(stream, ends, watcher).await,
                None => {}
            }
            drop(place);
        });
    }
    drop(listener);
    let _ = timeout(limits.stop, graceful.shutdown()).await;
}

/// A connection whose requests can be read.
enum Opened {
    /// There is no encryption.
    Plain(Patient<TcpStream>),
    Encrypted(Box<TlsStream<Patient<TcpStream>>>),
    /// The client does not encrypt, but must.
    Unencrypted(Patient<TcpStream>),
}

impl Serving {
    /// Shakes hands, if the dashboard is encrypted. None if the client does not.
    async fn begin(&self, stream: TcpStream) -> Option<Opened> {
        let patient = |stream| Patient::new(stream, self.limits.answer);
        let Some(encryption) = &self.encryption else { return Some(Opened::Plain(patient(stream))) };
        let shaken = async {
            let mut first = [0];
            if stream.peek(&mut first).await.ok()? == 0 {
                return None;
            }
            if first != [plain::HANDSHAKE] {
                return Some(Opened::Unencrypted(patient(stream)));
            }
            let acceptor = TlsAcceptor::from(encryption.config().await);
            let stream = acceptor.accept(patient(stream)).await.ok()?;
            Some(Opened::Encrypted(Box::new(stream)))
        };
        timeout(self.limits.head, shaken).await.ok()?
    }

    async fn pages(&self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, ends: Ends, watcher: Watcher) {
        let pages = TowerToHyperService::new(self.routes.clone());
        let service = service_fn(move |mut request: Request<Incoming>| {
            request.extensions_mut().insert(ends);
            pages.call(request)
        });
        let connection = self.http().serve_connection(TokioIo::new(stream), service);
        // It ends by a fault of the client's: nobody reads about it.
        let _ = watcher.watch(connection).await;
    }

    /// Answers one request with the address that is encrypted.
    async fn refuse(&self, stream: impl AsyncRead + AsyncWrite + Unpin + 'static, ends: Ends, watcher: Watcher) {
        let service = service_fn(|request: Request<Incoming>| {
            ready(Ok::<_, Infallible>(plain::answer(&request, &self.served, ends.local)))
        });
        let connection = self.http().serve_connection(TokioIo::new(stream), service);
        let _ = watcher.watch(connection).await; // As above.
    }

    fn http(&self) -> http1::Builder {
        let mut builder = http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(self.limits.head).max_buf_size(HEAD);
        builder
    }
}

fn ends(stream: &TcpStream, remote: std::net::SocketAddr) -> std::io::Result<Ends> {
    stream.set_nodelay(true)?;
    Ok(Ends { remote, local: stream.local_addr()? })
}

/// The connections that there are, by the address of the other computer; None is this one.
#[derive(Default)]
struct Places(Mutex<HashMap<Option<IpAddr>, usize>>);

/// The place of one connection.
struct Held {
    places: Arc<Places>,
    of: Option<IpAddr>,
}

impl Places {
    fn take(self: &Arc<Self>, ends: Ends, limits: &Limits) -> Option<Held> {
        let [remote, local] = [ends.remote, ends.local].map(|end| end.ip().to_canonical());
        let of = (!remote.is_loopback() && remote != local).then_some(remote);
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sum = |counts: &dyn Fn(&IpAddr) -> bool| -> usize {
            held.iter().filter(|(of, _)| of.is_some_and(|of| counts(&of))).map(|(_, count)| count).sum()
        };
        // Everybody behind a proxy on this computer comes from there.
        let is_full = of.is_some_and(|of| {
            sum(&|other| *other == of) >= limits.of_one
                || sum(&|other| network(*other) == network(of)) >= limits.of_site
                || sum(&|_| true) >= limits.connections.saturating_sub(limits.here)
        });
        if is_full || held.values().sum::<usize>() >= limits.connections {
            return None;
        }
        *held.entry(of).or_default() += 1;
        drop(held);
        Some(Held { places: self.clone(), of })
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        let mut held = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        match held.get_mut(&self.of) {
            Some(count) if *count > 1 => *count -= 1,
            _ => {
                held.remove(&self.of);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use std::net::SocketAddr;

    fn from(address: &str) -> Ends {
        Ends { remote: SocketAddr::new(address.parse().unwrap(), 5000), local: "10.0.0.9:8600".parse().unwrap() }
    }

    #[test]
    fn one_address_has_a_part_of_the_places() {
        let limits = Limits { connections: 5, of_one: 2, here: 1, ..Limits::default() };
        let places = Arc::new(Places::default());
        let take = |address: &str| places.take(from(address), &limits);
        let first = take("10.0.0.1").unwrap();
        let _second = take("::ffff:10.0.0.1").unwrap();
        assert!(take("10.0.0.1").is_none());
        drop(first);
        let _third = take("10.0.0.1").unwrap();
        let _here: Vec<_> = (0..3).map(|_| take("127.0.0.1").unwrap()).collect();
        assert!(take("127.0.0.1").is_none() && take("10.0.0.2").is_none(), "five");
    }

    /// A host has as many IPv6 addresses as it likes.
    #[test]
    fn a_site_with_many_addresses_has_a_part_of_the_places_and_this_computer_keeps_some() {
        let limits = Limits { connections: 7, of_one: 2, of_site: 3, here: 2, ..Limits::default() };
        let places = Arc::new(Places::default());
        let take = |address: &str| places.take(from(address), &limits);
        let site = ["2001:db8:0:1::2", "2001:db8:0:1::2", "2001:db8:0:2::3"];
        let _site: Vec<_> = site.map(|address| take(address).unwrap()).into();
        assert!(take("2001:db8:0:1::2").is_none() && take("2001:db8::4").is_none());
        let _others: Vec<_> = ["2001:db8:1::1", "10.0.0.1"].map(|address| take(address).unwrap()).into();
        assert!(take("10.0.0.2").is_none(), "the rest is kept");
        // By the loopback address, or by its own.
        let _here = take("127.0.0.1").unwrap();
        assert!(take("10.0.0.9").is_some());
    }
}
