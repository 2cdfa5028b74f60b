//! A page: what it shows, and how it is looked at.

use super::{Browser, PATIENCE};
use serde_json::{Value, json};
use std::time::{Duration, Instant};

pub struct Page<'b> {
    pub(super) browser: &'b mut Browser,
    session: String,
    context: Value,
    /// How many of its events belong to earlier addresses.
    pub(super) earlier: usize,
}

impl<'b> Page<'b> {
    pub(super) fn new(browser: &'b mut Browser, session: String, context: Value) -> Self {
        let mut page = Self { browser, session, context, earlier: 0 };
        for domain in ["Page", "Runtime", "Network", "Log"] {
            page.ask(&format!("{domain}.enable"), json!({}));
        }
        // Each visit is measured as the first.
        page.ask("Network.setCacheDisabled", json!({ "cacheDisabled": true }));
        page
    }

    pub(super) fn ask(&mut self, method: &str, parameters: Value) -> Value {
        self.call(method, parameters).unwrap_or_else(|error| panic!("{error}"))
    }

    fn call(&mut self, method: &str, parameters: Value) -> Result<Value, String> {
        self.browser.call(Some(&self.session), method, parameters)
    }

    /// The events since the page was opened, of one kind.
    pub(super) fn events<'p>(&'p self, method: &'p str) -> impl Iterator<Item = &'p Value> {
        let events = self.browser.events.get(&self.session).map_or(&[][..], Vec::as_slice);
        let events = events.get(self.earlier..).unwrap_or_default();
        events.iter().filter(move |event| event["method"] == method).map(|event| &event["params"])
    }

    /// Opens an address, and waits until it is loaded. What was noted of earlier ones is forgotten.
    #[track_caller]
    pub fn goto(&mut self, url: &str) {
        self.earlier = self.browser.events.get(&self.session).map_or(0, Vec::len);
        let answer = self.ask("Page.navigate", json!({ "url": url }));
        assert!(answer.get("errorText").is_none(), "{url}: {answer}");
        self.loaded();
    }

    /// Waits until an address is loaded that was opened since the last [`goto`](Self::goto).
    #[track_caller]
    pub fn loaded(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.events("Page.loadEventFired").next().is_none() {
            let received = self.browser.receive(deadline).unwrap_or_else(|error| panic!("{error}"));
            assert!(received.is_some(), "nothing was loaded in {PATIENCE:?}");
        }
    }

    /// Does something that opens another address, and waits until that is loaded.
    #[track_caller]
    pub fn follows(&mut self, act: impl FnOnce(&mut Self)) {
        self.earlier = self.browser.events.get(&self.session).map_or(0, Vec::len);
        act(self);
        self.loaded();
    }

    /// The value of an expression; a promise is awaited.
    pub fn try_eval(&mut self, expression: &str) -> Result<Value, String> {
        let parameters = json!({ "expression": expression, "awaitPromise": true, "returnByValue": true });
        let mut answer = self.call("Runtime.evaluate", parameters)?;
        match answer.get("exceptionDetails") {
            Some(details) => Err(details["exception"]["description"].as_str().unwrap_or("an exception").to_owned()),
            None => Ok(answer["result"]["value"].take()),
        }
    }

    #[track_caller]
    pub fn eval(&mut self, expression: &str) -> Value {
        self.try_eval(expression).unwrap_or_else(|error| panic!("{expression}: {error}"))
    }

    /// The value of an expression that is a text.
    #[track_caller]
    pub fn text(&mut self, expression: &str) -> String {
        let value = self.eval(expression);
        value.as_str().unwrap_or_else(|| panic!("{expression}: {value} is no text")).to_owned()
    }

    /// Waits until an expression is true. While another address is being loaded, it is not.
    #[track_caller]
    pub fn wait(&mut self, expression: &str) {
        let deadline = Instant::now() + PATIENCE;
        let mut last = Ok(Value::Null);
        while last != Ok(Value::Bool(true)) {
            assert!(Instant::now() < deadline, "still not true ({last:?}): {expression}\n{}", self.shown());
            std::thread::sleep(Duration::from_millis(20));
            last = self.try_eval(&format!("!!({expression})"));
        }
    }

    #[track_caller]
    pub fn wait_for(&mut self, selector: &str) {
        self.wait(&format!("document.querySelector({})", json!(selector)));
    }

    /// What a person reads.
    pub fn shown(&mut self) -> String {
        let text = self.try_eval("document.body.innerText").unwrap_or_default();
        text.as_str().unwrap_or_default().to_owned()
    }

    pub fn viewport(&mut self, width: u32, height: u32) {
        let mobile = width < 600;
        let metrics = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile });
        self.ask("Emulation.setDeviceMetricsOverride", metrics);
    }

    /// `light` or `dark`, without movement.
    pub fn scheme(&mut self, scheme: &str) {
        self.medium("screen", scheme);
    }

    /// The same on a `screen`, or in `print`.
    pub fn medium(&mut self, medium: &str, scheme: &str) {
        let features = [("prefers-color-scheme", scheme), ("prefers-reduced-motion", "reduce")];
        let features = features.map(|(name, value)| json!({ "name": name, "value": value }));
        self.ask("Emulation.setEmulatedMedia", json!({ "media": medium, "features": features }));
    }

    /// A picture of the page as WebP, of less than `most` bytes. Of a long page it has the beginning.
    pub fn screenshot(&mut self, most: usize) -> Vec<u8> {
        let tries = [(2400, 80), (2400, 50), (1600, 50), (900, 50), (900, 20)];
        self.first_below(most, &tries)
    }

    /// The same of the first so many pixels.
    pub fn beginning(&mut self, height: u32, most: usize) -> Vec<u8> {
        self.first_below(most, &[85, 70, 50, 30].map(|quality| (height, quality)))
    }

    /// The first picture of these heights and qualities that has less than `most` bytes.
    fn first_below(&mut self, most: usize, tries: &[(u32, u32)]) -> Vec<u8> {
        for (height, quality) in tries {
            let size = self.eval(&format!("[innerWidth, Math.min(document.documentElement.scrollHeight, {height})]"));
            let clip = json!({ "x": 0, "y": 0, "width": size[0], "height": size[1], "scale": 1 });
            let parameters =
                json!({ "format": "webp", "quality": quality, "captureBeyondViewport": true, "clip": clip });
            let picture = base64(self.ask("Page.captureScreenshot", parameters)["data"].as_str().unwrap());
            if picture.len() < most {
                return picture;
            }
        }
        panic!("no picture of the page has less than {most} bytes")
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        let context = json!({ "browserContextId": self.context });
        // A test that panics says why; this must not panic too.
        let _ = self.browser.call(None, "Target.disposeBrowserContext", context);
        self.browser.events.remove(&self.session);
    }
}

fn base64(text: &str) -> Vec<u8> {
    let (mut bytes, mut bits, mut count) = (Vec::with_capacity(text.len() / 4 * 3), 0_u32, 0);
    for digit in text.bytes() {
        let six = match digit {
            b'A'..=b'Z' => digit - b'A',
            b'a'..=b'z' => digit - b'a' + 26,
            b'0'..=b'9' => digit - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => break,
        };
        (bits, count) = (bits << 6 | u32::from(six), count + 6);
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).unwrap());
        }
    }
    bytes
}
