// Keeps a page up to date: the server says which version of it there is, and the page fetches itself anew and takes
// over what differs, so that focus, scrolling and what is folded open stay. Without this script pages work, too.
"use strict";

const live = document.getElementById("live");
const updated = document.getElementById("updated");
const SOON = 1000;
const LATER = 5000;
let source = null;
let told = null;
let wanted = null;
let busy = false;

function localTimes() {
  for (const time of document.querySelectorAll("time[datetime]"))
    time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

function takeOver(page) {
  const found = page.getElementById("live");
  if (found === null) { // the server asks for another password, say
    live.dataset.events = "";
    updated.textContent = "This page is no longer updated: reload it.";
    return;
  }
  const news = found.dataset.taken !== live.dataset.taken;
  document.title = page.title;
  Idiomorph.morph(live, found, {
    callbacks: {
      beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
      beforeNodeMorphed: (old, fresh) => !(old.tagName === "TIME" && old.dateTime === fresh.dateTime),
    },
  });
  localTimes();
  if (news) updated.textContent = `Updated at ${new Date().toLocaleTimeString()}`;
}

async function refresh() {
  if (busy || wanted === null || wanted === live.dataset.version) return;
  busy = true;
  const version = wanted;
  let pause = SOON;
  wanted = null;
  try {
    const answer = await fetch(location.href, { cache: "no-store", headers: { Accept: "text/html" } }).catch(() => null);
    const text = await answer?.text().catch(() => null);
    if (text == null || answer.status >= 500) {
      wanted ??= version;
      pause = LATER;
      return;
    }
    takeOver(new DOMParser().parseFromString(text, "text/html"));
    listen();
    wanted ??= told; // of what passed between two of its looks the server tells nothing: a page made then is made anew
  } finally {
    setTimeout(() => { busy = false; refresh(); }, pause);
  }
}

// A page without events is of nothing that changes: its project is served no longer, say. A hidden one listens to
// nothing either: a browser keeps six connections to a server, for all of its pages together.
function listen() {
  if (document.hidden || !live.dataset.events) {
    source?.close();
    source = told = null;
  } else if (source === null || source.readyState === EventSource.CLOSED) {
    source = new EventSource(live.dataset.events);
    source.onmessage = (event) => { wanted = told = event.data; refresh(); };
    source.onerror = () => {
      told = null;
      if (source?.readyState === EventSource.CLOSED) setTimeout(lookAnyway, LATER);
    };
  }
}

// The server refuses to tell: the page finds out why.
function lookAnyway() {
  if (document.hidden) return;
  wanted = "unknown";
  refresh();
}

// Charts are drawn on the server: it has to know the reader's time zone. A page drawn before it does is fetched anew.
function tellZone() {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone || live.dataset.zone === zone || document.cookie.split("; ").includes(`zone=${zone}`)) return;
  document.cookie = `zone=${zone}; path=/; max-age=31536000; samesite=lax`;
  lookAnyway();
}

localTimes();
tellZone();
document.addEventListener("visibilitychange", listen);
listen();
