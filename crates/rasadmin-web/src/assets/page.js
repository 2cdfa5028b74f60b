// Live parts: when the server says that something has changed, the element with `data-live` is fetched again.
"use strict";
(() => {
  // A list of earlier rows has no address: it does not change.
  const live = () => document.querySelector("#live[data-live]");
  if (!live() || !window.EventSource) return;
  let busy = false, again = false, missed = false, leaving = false;
  // A mark says when the page does not follow what happens.
  const mark = document.createElement("p");
  mark.className = "stale";
  mark.setAttribute("role", "status");
  const reload = document.createElement("a");
  reload.href = location.pathname + location.search;
  reload.textContent = "load this page again";
  mark.append("Not live: ", reload);
  const isLive = (yes) => { if (yes || !live()) mark.remove(); else document.body.append(mark); };
  const refresh = async () => {
    // What was in progress and is ready changes no more.
    if (!live() || leaving) return;
    if (busy) { again = true; return; }
    busy = true;
    // The page says why it cannot be shown yet. The browser loads it again when the answer has changed.
    const awaited = live().hasAttribute("data-awaited");
    try {
      const answer = await fetch(live().dataset.live, { headers: { "X-Live": "1" }, redirect: "error" });
      if (awaited && answer.status !== 503) {
        leaving = true;
        location.reload();
      } else if (answer.ok) {
        const page = new DOMParser().parseFromString(await answer.text(), "text/html");
        const fresh = page.getElementById("live");
        // What a person has opened stays open, and what has the focus keeps it.
        const open = [...live().querySelectorAll("details")].map((one) => one.open);
        const busyWith = live().contains(document.activeElement) && document.activeElement !== document.body;
        missed = busyWith;
        if (fresh && !busyWith) {
          live().replaceWith(fresh);
          [...fresh.querySelectorAll("details")].forEach((one, at) => { one.open = !!open[at]; });
        }
      }
      isLive(answer.ok || awaited);
    } catch { isLive(false); /* The next change tries again. */ }
    busy = false;
    if (again) { again = false; refresh(); }
  };
  // What came while a person was there is fetched when they leave.
  document.addEventListener("focusout", () => { if (missed) { missed = false; setTimeout(refresh); } });
  let stream = null;
  const listen = () => {
    if (stream || document.hidden) return;
    stream = new EventSource("/events");
    stream.addEventListener("changed", refresh);
    stream.addEventListener("open", () => isLive(true));
    // The browser tries again by itself, unless the answer was an error: no place is free, or the visit has ended.
    stream.addEventListener("error", () => {
      isLive(false);
      if (stream?.readyState === EventSource.CLOSED) { stream = null; setTimeout(listen, 15000); }
    });
  };
  document.addEventListener("visibilitychange", () => {
    if (document.hidden && stream) { stream.close(); stream = null; } else { listen(); refresh(); }
  });
  listen();
  // What is still in progress is looked at again, until it is not.
  const lookOn = () => {
    const every = Number(live()?.dataset.every);
    if (every) setTimeout(async () => { if (!document.hidden) await refresh(); lookOn(); }, every);
  };
  lookOn();
})();
