// Keeps an open page true: listens to the daemon, lets htmx fetch the parts that changed, counts times on,
// and says so when the daemon is gone. Every page works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  const pace = 700; // ms: events come faster than a page need be drawn
  const due = new Map();

  const tell = (name) => {
    if (due.has(name)) return;
    due.set(name, setTimeout(() => {
      due.delete(name);
      document.body.dispatchEvent(new CustomEvent("live-" + name));
    }, pace));
  };

  let stream = null;
  let lost = null;
  const connect = () => {
    stream = new EventSource("/api/v1/events");
    stream.addEventListener("state", () => {
      clearTimeout(lost);
      root.removeAttribute("data-lost");
      tell("state");
    });
    stream.addEventListener("progress", () => tell("progress"));
    stream.addEventListener("run", () => { tell("run"); tell("progress"); });
    stream.onerror = () => {
      clearTimeout(lost);
      lost = setTimeout(() => root.setAttribute("data-lost", ""), 1500);
      if (stream.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    };
  };
  if (document.body.hasAttribute("data-live") && window.EventSource) {
    connect();
    setInterval(() => { if (!root.hasAttribute("data-lost") && !document.hidden) tell("tick"); }, 10000);
    window.addEventListener("pagehide", () => stream.close());
    window.addEventListener("pageshow", (event) => { if (event.persisted) { connect(); tell("state"); } });
  }

  // Before htmx or the browser sends a form: a button that takes something away asks first.
  document.addEventListener("submit", (event) => {
    const question = event.submitter && event.submitter.dataset.confirm;
    if (!question || window.confirm(question)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  const span = (s) =>
    s < 90 ? Math.round(s) + " s"
      : s < 5400 ? Math.round(s / 60) + " min"
        : s < 129600 ? Math.floor(s / 3600) + " h" + (Math.round((s % 3600) / 60) ? " " + Math.round((s % 3600) / 60) + " min" : "")
          : Math.round(s / 86400) + " d";
  const times = (where) => {
    for (const element of where.querySelectorAll("time[datetime]")) {
      const when = new Date(element.dateTime);
      element.title = when.toLocaleString();
      if (element.dataset.show === "moment") element.textContent = when.toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
      const passed = (Date.now() - when) / 1000;
      if (element.dataset.show === "ago") element.textContent = passed < 2 ? "just now" : span(passed) + " ago";
      if (element.dataset.show === "until") element.textContent = passed > -1 ? "now" : "in " + span(-passed);
    }
  };
  times(document);
  setInterval(() => times(document), 5000);
  document.body.addEventListener("htmx:afterSwap", (event) => times(event.detail.target.parentNode || document));
  document.body.addEventListener("htmx:responseError", (event) => {
    const told = document.getElementById("told");
    if (!told) return;
    let text = "The daemon answered " + event.detail.xhr.status + ".";
    try { const body = JSON.parse(event.detail.xhr.responseText); text = [body.detail, body.remedy].filter(Boolean).join(" "); } catch (_) { /* no JSON */ }
    told.querySelector("p").textContent = text;
    told.hidden = false;
  });
})();
