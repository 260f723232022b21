// The account's conversations, live: the number of unread ones in the header, and an event for the open conversation.
// Only the visible tab listens: a browser opens few connections to one site.
import { number } from "./messages.js";

const entry = document.querySelector("[data-conversations]");
const badge = entry?.querySelector("[data-unread]");
let events = null;

function show({ unread }) {
  badge.textContent = number(unread);
  badge.toggleAttribute("data-none", unread === 0);
}

function listen() {
  events = new EventSource(entry.dataset.conversations);
  for (const name of ["conversation", "resync"]) {
    events.addEventListener(name, (event) => {
      const detail = JSON.parse(event.data);
      show(detail);
      document.dispatchEvent(new CustomEvent("vetrina:conversations", { detail }));
    });
  }
}

function update() {
  if (document.hidden) {
    events?.close();
    events = null;
  } else if (!events) {
    listen();
  }
}

if (entry) {
  document.addEventListener("visibilitychange", update);
  addEventListener("pagehide", () => events?.close());
  update();
}
