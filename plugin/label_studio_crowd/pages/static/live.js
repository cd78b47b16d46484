// Keeps a page up to date: the server says which version of it there is, and the page fetches itself anew and takes
// over what differs, so that focus, scrolling and what is folded open stay. Without this script pages work, too.
"use strict";

const live = document.getElementById("live");
let source = null;
let wanted = null;
let busy = false;

function localTimes() {
  for (const time of document.querySelectorAll("time[datetime]"))
    time.textContent = new Date(time.dateTime).toLocaleString([], { dateStyle: "medium", timeStyle: "short" });
}

async function refresh() {
  if (busy || wanted === null || wanted === live.dataset.version) return;
  busy = true;
  const version = wanted;
  wanted = null;
  try {
    const answer = await fetch(location.href, { cache: "no-store" }).catch(() => null);
    if (answer === null || answer.status >= 500) {
      wanted ??= version; // asked for again in a second
      return;
    }
    const found = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("live");
    if (!answer.ok || found === null) return;
    const news = found.dataset.taken !== live.dataset.taken;
    Idiomorph.morph(live, found, {
      callbacks: {
        beforeAttributeUpdated: (name, node) => !(name === "open" && node.tagName === "DETAILS"),
        beforeNodeMorphed: (old, fresh) => !(old.tagName === "TIME" && old.dateTime === fresh.dateTime),
      },
    });
    localTimes();
    if (news) document.getElementById("updated").textContent = `Updated at ${new Date().toLocaleTimeString()}`;
  } finally {
    setTimeout(() => { busy = false; refresh(); }, 1000);
  }
}

// A hidden page listens to nothing: a browser keeps six connections to a server, for all of its pages together.
function listen() {
  if (document.hidden) {
    source?.close();
    source = null;
  } else if (source === null || source.readyState === EventSource.CLOSED) {
    source = new EventSource(live.dataset.events);
    source.onmessage = (event) => { wanted = event.data; refresh(); };
    source.onerror = () => { if (source?.readyState === EventSource.CLOSED) setTimeout(listen, 5000); };
  }
}

localTimes();
if (live.dataset.events) {
  document.addEventListener("visibilitychange", listen);
  listen();
}
