//! A running service, and what is asked over its pipe.

use super::{PATIENCE, Scene, lock, log, settings};
use rasadmin_pipe::{Error, Refusal, Request, ask};
use rasadmin_service::{Current, Service, Settings, duties, pipe};
use serde::de::DeserializeOwned;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// A service beside a scene's recorder, without an RRAS.
pub struct Running {
    pub scene: Scene,
    pub service: Option<Service>,
    pub settings: Arc<Settings>,
}

impl Running {
    pub fn beside(scene: Scene) -> Self {
        let (settings, (log, _)) = (settings(&scene), log());
        let current = Arc::new(Current::new(scene.config.clone()));
        let all = duties(&settings, &current, None);
        let service = Service::start(&settings, lock(&settings.journal), all, 1, &log).unwrap();
        Self { scene, service: Some(service), settings }
    }

    pub fn try_ask<T: DeserializeOwned>(&self, request: &Request) -> Result<T, Error> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            match ask(&pipe::address(&self.settings.journal), request, PATIENCE) {
                Err(Error::NoService(_)) if Instant::now() < deadline => std::thread::sleep(Duration::from_millis(10)),
                answer => return answer,
            }
        }
    }

    pub fn ask<T: DeserializeOwned>(&self, request: &Request) -> T {
        self.try_ask(request).unwrap_or_else(|error| panic!("{}: {error}", short(request)))
    }

    pub fn refuses(&self, request: &Request) -> Refusal {
        match self.try_ask::<serde_json::Value>(request) {
            Err(Error::Refused(refusal)) => refusal,
            other => panic!("{}: {other:?}", short(request)),
        }
    }
}

/// A request can have a whole configuration.
fn short(request: &Request) -> String {
    format!("{request:?}").chars().take(300).collect()
}

impl Drop for Running {
    fn drop(&mut self) {
        if let Some(service) = self.service.take() {
            service.stop();
        }
    }
}
