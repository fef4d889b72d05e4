// Keeps an open page true: listens to the daemon, lets htmx fetch the parts that changed, counts times on,
// and says so when the daemon is gone. Every page works without it.
(() => {
  "use strict";
  const root = document.documentElement;
  root.setAttribute("data-js", "");
  const pace = 700; // ms: events come faster than a page need be drawn
  const due = new Map();

  const tell = (name) => {
    if (due.has(name)) return;
    due.set(name, setTimeout(() => {
      due.delete(name);
      document.body.dispatchEvent(new CustomEvent("live-" + name));
    }, pace));
  };

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
      const passed = (Date.now() + skew - when) / 1000;
      if (element.dataset.show === "ago") element.textContent = passed < 2 ? "just now" : span(passed) + " ago";
      if (element.dataset.show === "until") element.textContent = passed > -1 ? "now" : "in " + span(-passed);
    }
  };

  // The daemon says something at least every 10 s (web/events.py). A stopped daemon and a lost network say
  // nothing at all, and no error comes of it: so silence counts, two beats and a bit of it.
  const patience = 25000;
  let stream = null;
  let silence = null;
  let skew = 0; // ms: how far the daemon's clock is ahead of this one
  let stale = document.hidden; // something may have been missed

  const expect = (ms) => {
    clearTimeout(silence);
    silence = setTimeout(() => { root.setAttribute("data-lost", ""); connect(); }, ms);
  };
  const heard = () => {
    expect(patience);
    root.removeAttribute("data-lost");
    if (!stale) return;
    stale = false;
    // What was asked of a network that is gone is never answered, and nothing else is asked while it waits.
    if (window.htmx) for (const part of document.querySelectorAll("[hx-trigger*=live-]")) window.htmx.trigger(part, "htmx:abort");
    tell("state");
    tell("run");
  };
  const connect = () => {
    if (stream) { stream.close(); stale = true; }
    stream = new EventSource("/api/v1/events");
    const on = (name, then) => stream.addEventListener(name, (event) => { heard(); then(event); });
    on("beat", (event) => { skew = new Date(JSON.parse(event.data).now) - Date.now(); times(document); });
    on("state", (event) => {
      // What needs attention changes without a run, too, and one may end while the page is on its way.
      const listed = document.querySelector("[data-needs]");
      if (listed && listed.dataset.needs !== JSON.parse(event.data).needs) tell("needs");
      tell("state");
    });
    on("progress", () => tell("progress"));
    on("run", () => { tell("run"); tell("progress"); });
    stream.onerror = () => { stale = true; expect(root.hasAttribute("data-lost") ? 3000 : 1500); };
    expect(patience);
  };
  const leave = () => {
    clearTimeout(silence);
    if (stream) stream.close();
    stream = null;
    stale = true;
  };
  if (document.body.hasAttribute("data-live") && window.EventSource) {
    // A browser allows six connections to a host: a page that nobody sees must not keep one.
    const attend = () => { if (document.hidden) leave(); else connect(); };
    attend();
    document.addEventListener("visibilitychange", attend);
    window.addEventListener("pagehide", leave);
    window.addEventListener("pageshow", (event) => { if (event.persisted) attend(); });
    setInterval(() => { if (stream && !root.hasAttribute("data-lost")) tell("tick"); }, 10000);
  }

  // A list is sorted anew at once; without a script its form's button does it.
  document.addEventListener("change", (event) => {
    if (event.target.matches("select[data-submit]")) event.target.form.requestSubmit();
  });

  // Keys, never while somebody types: each is a link's on the page, and does what a click on it does.
  const typing = (element) => element.isContentEditable || element.closest("input:not([type=checkbox]), textarea, select, dialog[open]");
  const arrows = { ArrowLeft: "k", ArrowRight: "j" };
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || typing(event.target)) return;
    const help = document.getElementById("keys");
    const search = document.getElementById("find");
    if (event.key === "?" && help) help.showModal();
    else if (event.key === "/" && search) search.focus();
    else if (event.key === "/" && help) location.assign("/images#find");
    else {
      const link = document.querySelector('a[data-key="' + CSS.escape(arrows[event.key] || event.key) + '"]');
      if (!link) return;
      link.click();
    }
    event.preventDefault();
  });

  // Before htmx or the browser sends a form: a button that takes something away asks first.
  document.addEventListener("submit", (event) => {
    const question = event.submitter && event.submitter.dataset.confirm;
    if (!question || window.confirm(question)) return;
    event.preventDefault();
    event.stopPropagation();
  }, true);

  times(document);
  setInterval(() => times(document), 5000);
  document.body.addEventListener("htmx:afterSwap", (event) => times(event.detail.target.parentNode || document));
  // Switches that are on their way stay as the person left them; what was not taken is as it was again.
  for (const name of ["htmx:beforeRequest", "htmx:beforeSwap"]) {
    document.body.addEventListener(name, (event) => {
      if ((event.detail.requestConfig || {}).verb === "post") return;
      const boxes = event.target.id === "switches" ? event.target.querySelectorAll("[type=checkbox]") : [];
      if ([...boxes].some((box) => box.checked !== box.defaultChecked)) event.preventDefault();
    });
  }

  for (const name of ["htmx:responseError", "htmx:sendError"]) {
    document.body.addEventListener(name, (event) => { if (event.detail.elt.id === "switch-form") event.detail.elt.reset(); });
  }

  // Whoever leaves a text or a choice that is not saved is asked first.
  let sent = null;
  const unsaved = (form) => form !== sent && (form.hasAttribute("data-unsaved") || [...form.elements].some((one) =>
    one.type === "checkbox" ? one.checked !== one.defaultChecked : one.tagName === "TEXTAREA" && one.value !== one.defaultValue));
  document.addEventListener("submit", (event) => { sent = event.target; });
  window.addEventListener("pageshow", () => { sent = null; });
  window.addEventListener("beforeunload", (event) => {
    if ([...document.querySelectorAll("form[data-guard]")].some(unsaved)) event.preventDefault();
  });

  // A message stays until somebody dismisses it, or the next one takes its place.
  const toasts = document.getElementById("toasts");
  const dismissible = () => { for (const button of toasts.querySelectorAll(".dismiss")) button.hidden = false; };
  if (toasts) {
    dismissible();
    new MutationObserver(dismissible).observe(toasts, { childList: true, subtree: true });
    toasts.addEventListener("click", (event) => { if (event.target.closest(".dismiss")) event.target.closest(".toast").remove(); });
  }

  // How many images are chosen stands on the button that goes on with them.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (!form || form.id !== "selection") return;
    const all = form.querySelector("[name=all]").checked;
    const many = [...form.elements].filter((one) => one.name === "image" && one.checked).length;
    form.querySelector("[data-chosen]").textContent = all ? " all that match" : many ? " " + many + " chosen" : "";
  });

  // What came of a click is brought into view; what the page asked by itself interrupts nobody.
  const told = document.getElementById("told");
  const clicked = (event) => ["submit", "change"].includes(((event.detail.requestConfig || {}).triggeringEvent || {}).type);
  const say = (event, text) => {
    if (!told) return;
    told.querySelector("p").textContent = text;
    told.hidden = false;
    if (!clicked(event)) return;
    told.scrollIntoView({ block: "center" });
    told.focus({ preventScroll: true });
  };
  document.body.addEventListener("htmx:beforeRequest", (event) => { if (told && clicked(event)) told.hidden = true; });
  document.body.addEventListener("htmx:responseError", (event) => {
    let text = "";
    try { const body = JSON.parse(event.detail.xhr.responseText); text = [body.detail, body.remedy].filter(Boolean).join(" "); } catch (_) { /* no JSON */ }
    say(event, text || "The daemon answered " + event.detail.xhr.status + ".");
  });
  document.body.addEventListener("htmx:sendError", (event) => {
    if (clicked(event)) say(event, "The daemon does not answer: whether it heard this is not known. Look again once it is back.");
  });
})();
