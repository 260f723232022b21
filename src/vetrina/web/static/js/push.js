// Pushed notifications: this browser is subscribed on a click; all of the account's browsers are listed with a button to remove them.
const place = document.querySelector("[data-push]");

async function api(path, options = {}) {
  const answer = await fetch(`/api/v1${path}`, { headers: { "Content-Type": "application/json" }, ...options });
  if (!answer.ok) throw new Error((await answer.json()).detail);
  return answer.status === 204 ? null : answer.json();
}

async function show() {
  const list = place.querySelector("ul");
  const { items } = await api("/push-subscriptions");
  list.replaceChildren(...items.map(({ id, device }) => {
    const item = document.createElement("li");
    const name = document.createElement("span");
    name.textContent = device;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "btn btn-small";
    button.textContent = place.dataset.remove;
    button.addEventListener("click", async () => {
      await api(`/push-subscriptions/${id}`, { method: "DELETE" });
      await show();
    });
    item.append(name, " ", button);
    return item;
  }));
}

async function subscribe() {
  const status = place.querySelector("[role=status]");
  try {
    if (await Notification.requestPermission() !== "granted") throw new Error(place.dataset.denied);
    const registration = await navigator.serviceWorker.register("/service-worker.js", { scope: "/" });
    await navigator.serviceWorker.ready;
    const { public_key: applicationServerKey } = await api("/push-key");
    const subscription = await registration.pushManager.subscribe({ userVisibleOnly: true, applicationServerKey });
    const { endpoint, keys } = subscription.toJSON();
    await api("/push-subscriptions", { method: "POST", body: JSON.stringify({ endpoint, keys }) });
    status.textContent = "";
    await show();
  } catch (error) {
    status.textContent = error.message || place.dataset.denied;
  }
}

if (place && "serviceWorker" in navigator && "PushManager" in window) {
  place.hidden = false;
  place.querySelector("[data-subscribe]").addEventListener("click", subscribe);
  await show();
}
