//! What is wrong with a page.

use super::Page;
use serde_json::Value;
use std::collections::HashSet;

impl Page<'_> {
    /// What the browser complains about since the page was opened: errors on the console, exceptions, answers that are
    /// missing, what the page's policy forbids; and dialogs.
    pub fn errors(&mut self) -> Vec<String> {
        self.catch_up();
        let console = self.events("Runtime.consoleAPICalled").filter(|call| call["type"] == "error").map(|call| {
            let words = call["args"].as_array().into_iter().flatten();
            words
                .map(|word| word.get("value").unwrap_or(&word["description"]).to_string())
                .collect::<Vec<_>>()
                .join(" ")
        });
        let thrown = self
            .events("Runtime.exceptionThrown")
            .map(|thrown| thrown["exceptionDetails"]["exception"]["description"].to_string());
        let logged = self.events("Log.entryAdded").map(|logged| &logged["entry"]);
        let logged = logged
            .filter(|entry| entry["level"] == "error")
            .map(|entry| format!("{}: {} {}", entry["source"], entry["text"], entry["url"]));
        let dialogs =
            self.events("Page.javascriptDialogOpening").map(|dialog| format!("a dialog: {}", dialog["message"]));
        console.chain(thrown).chain(logged).chain(dialogs).collect()
    }

    /// The addresses that were asked for since the page was opened.
    pub fn requests(&mut self) -> Vec<String> {
        self.catch_up();
        let sent = self.events("Network.requestWillBeSent");
        sent.filter_map(|sent| sent["request"]["url"].as_str().map(str::to_owned)).collect()
    }

    /// How many octets the page has cost so far, as they came over the network. A stream that goes on does not count.
    pub fn octets(&mut self) -> u64 {
        // What the page fetches by itself is complete when nothing of it is open.
        self.catch_up();
        self.events("Network.loadingFinished").filter_map(|one| one["encodedDataLength"].as_f64()).sum::<f64>() as u64
    }

    /// What axe-core calls serious or critical: the rule, and the elements.
    pub fn barriers(&mut self, axe: &str) -> Vec<String> {
        if self.eval("typeof axe === 'undefined'") == Value::Bool(true) {
            // It comes through the protocol, so the page's policy does not concern it.
            self.eval(&format!("{axe}\n;0"));
        }
        let found = self.eval(
            "axe.run(document, { resultTypes: ['violations'] }).then(found => found.violations
                .filter(one => ['serious', 'critical'].includes(one.impact))
                .map(one => `${one.id} (${one.impact}): ` + one.nodes.map(node => node.target.join(' ') + ' ' +
                    node.failureSummary.replace(/\\s+/g, ' ')).join('; ')))",
        );
        found.as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect()
    }

    /// How many pixels the document is wider than the window, and the elements that stand out.
    pub fn overhang(&mut self) -> (i64, Vec<String>) {
        let found = self.eval(
            "(() => { const root = document.documentElement, wide = root.clientWidth;
                const out = [...document.body.querySelectorAll('*')].filter(one => {
                    if (one.getBoundingClientRect().right <= wide + 1) return false;
                    // What has a place of its own is cut only by what its place is in.
                    const around = at => ({ absolute: at.offsetParent, fixed: null })[getComputedStyle(at).position];
                    const outer = at => { const place = around(at); return place === undefined ? at.parentElement : place; };
                    for (let at = outer(one); at && at !== document.body; at = outer(at)) {
                        if (getComputedStyle(at).overflowX !== 'visible') return false;
                    }
                    return true;
                });
                return [root.scrollWidth - wide, out.slice(0, 5).map(one => one.outerHTML.slice(0, 120))]; })()",
        );
        let out = found[1].as_array().unwrap().iter().map(|one| one.as_str().unwrap().to_owned()).collect();
        (found[0].as_i64().unwrap(), out)
    }

    /// How much of what was already shown has moved by itself since the page was opened, as browsers count it: less than 0.1
    /// does not disturb people. Nobody does anything meanwhile; what browsers call recent input is the new size of the window.
    pub fn shift(&mut self) -> f64 {
        // What is shown when the answer comes has been painted.
        let sum = self.eval(
            "new Promise(done => {
                let sum = 0;
                const add = all => all.forEach(one => { sum += one.value; });
                const observer = new PerformanceObserver(list => add(list.getEntries()));
                observer.observe({ type: 'layout-shift', buffered: true });
                requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(() => {
                    add(observer.takeRecords());
                    done(sum);
                })));
            })",
        );
        sum.as_f64().unwrap()
    }

    /// The ids that two elements have.
    pub fn repeated_ids(&mut self) -> Vec<String> {
        let ids = self.eval("[...document.querySelectorAll('[id]')].map(one => one.id)");
        let mut seen = HashSet::new();
        let ids = ids.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned());
        ids.filter(|id| !seen.insert(id.clone())).collect()
    }

    /// Takes the events that have come: they are read only while an answer is awaited.
    fn catch_up(&mut self) {
        self.eval("0");
    }
}
