// Pictures that become ready while one is elsewhere: the balance and the list on the page, the tab's title, a notification.
import { number } from "./messages.js";

const place = document.querySelector("[data-live]");
const title = document.title;
let ready = 0;

/** Show in the tab, and as a notification where the person has allowed it, that a picture is ready; only while the tab is hidden. */
export function announce(text) {
  if (!document.hidden) return;
  ready += 1;
  document.title = `(${number(ready)}) ${title}`;
  if (window.Notification?.permission === "granted") {
    const notification = new Notification(text, { tag: "picture-ready" });
    notification.addEventListener("click", () => window.focus());
  }
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden || ready === 0) return;
  ready = 0;
  document.title = title;
});

async function showBalance() {
  const badge = document.querySelector(".balance");
  const answer = badge && await fetch(place.dataset.wallet, { headers: { Accept: "application/json" } });
  const balance = answer?.ok && (await answer.json()).balances?.find(({ asset }) => asset === "token")?.balance;
  if (Number.isInteger(balance)) badge.lastChild.textContent = number(balance);
}

/** Put the page's generations in place as the server writes them now. */
async function showList() {
  if (!document.querySelector("[data-generation]")) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const item of document.querySelectorAll("[data-generation]")) {
    const other = page.querySelector(`[data-generation="${item.dataset.generation}"]`);
    if (other && other.innerHTML !== item.innerHTML && !item.contains(document.activeElement)) item.replaceWith(other);
  }
}

let timer = 0;
function refreshSoon() {
  timer ||= setTimeout(async () => {
    timer = 0;
    await Promise.all([showBalance(), showList()]).catch(() => {});
  }, 700);
}

if (place && !document.querySelector("[data-progress]")) {
  const events = new EventSource(place.dataset.live);
  events.addEventListener("generation", (event) => {
    if (JSON.parse(event.data).status === "completed") announce(place.dataset.ready);
    refreshSoon();
  });
  events.addEventListener("resync", refreshSoon);
  addEventListener("pagehide", () => events.close());
}

// The browser is asked on a click, once: a refusal is kept by it.
for (const button of document.querySelectorAll("[data-notify]")) {
  button.hidden = window.Notification?.permission !== "default";
  button.addEventListener("click", async () => {
    await Notification.requestPermission();
    button.hidden = true;
  });
}
