// Reload the waiting page when its payment ends, by server-sent events. Event data: {id, status}.
const place = document.querySelector("[data-payment-events]");
if (place) {
  const events = new EventSource(place.dataset.paymentEvents);
  let failures = 0;
  const again = () => {
    events.close();
    location.reload(); // how it went is another page
  };
  events.addEventListener("payment", (event) => {
    failures = 0;
    if (JSON.parse(event.data).status !== "pending") again();
  });
  events.addEventListener("error", () => {
    failures += 1;
    if (failures > 5 || events.readyState === EventSource.CLOSED) setTimeout(again, 3000);
  });
}
