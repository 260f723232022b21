// The count of unread notifications in the page's head, live while the page is looked at: a browser keeps few connections open.
import { number } from "./messages.js";

const bell = document.querySelector("[data-notifications]");
let events = null;

/** Write the count. */
function show(unread) {
  const count = bell.querySelector(".bell-count");
  count.textContent = number(unread);
  count.hidden = unread === 0;
  const words = unread === 0 ? bell.dataset.none : unread === 1 ? bell.dataset.one : bell.dataset.many;
  bell.setAttribute("aria-label", words.replace("{n}", number(unread)));
}

function follow() {
  if (document.hidden) {
    events?.close();
    events = null;
  } else if (!events) {
    events = new EventSource(bell.dataset.notifications);
    events.addEventListener("notifications", (event) => show(JSON.parse(event.data).unread));
  }
}

if (bell) {
  follow();
  document.addEventListener("visibilitychange", follow);
  addEventListener("pagehide", () => events?.close());
  addEventListener("pageshow", (event) => {
    if (!event.persisted) return;
    events = null;
    follow();
  });
}

// For the page without a connection; pushed notifications are subscribed to in the settings.
if (bell) navigator.serviceWorker?.register("/service-worker.js", { scope: "/" }).catch(() => {});
