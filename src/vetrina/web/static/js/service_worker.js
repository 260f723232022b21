// The service worker: shows pushed notifications, and a page of its own where a page cannot be loaded. It keeps no other page.
const CACHE = "offline-1";

self.addEventListener("install", (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.add(new Request("/offline", { cache: "reload", credentials: "omit" }))));
  self.skipWaiting();
});

self.addEventListener("activate", (event) => event.waitUntil(self.clients.claim()));

self.addEventListener("fetch", (event) => {
  if (event.request.mode !== "navigate" || event.request.method !== "GET") return;
  event.respondWith(fetch(event.request).catch(async () => (await caches.match("/offline")) ?? Response.error()));
});

self.addEventListener("push", (event) => {
  const { text, href, tag } = event.data?.json() ?? {};
  if (text) event.waitUntil(self.registration.showNotification("Vetrina", { body: text, tag, data: href, icon: "/static/img/icon-192.png" }));
});

self.addEventListener("notificationclick", (event) => {
  event.notification.close();
  const address = new URL(event.notification.data ?? "/notifications", self.location.origin);
  if (address.origin === self.location.origin) event.waitUntil(self.clients.openWindow(address.href));
});
