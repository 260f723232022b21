// The studio's tour: one note after the other. It never covers the page, and ends with a click; the account remembers that.
const stops = [...document.querySelectorAll("[data-tour]")];

function show(number) {
  for (const stop of stops) stop.hidden = stop !== stops[number];
}

for (const [number, stop] of stops.entries()) {
  stop.querySelector("[data-tour-next]")?.addEventListener("click", (event) => {
    event.preventDefault();
    show(number + 1);
    stops[number + 1].focus({ preventScroll: true });
    stops[number + 1].scrollIntoView({ block: "center" });
  });
  stop.querySelector("[data-tour-end]").addEventListener("click", (event) => {
    event.preventDefault();
    for (const one of stops) one.remove();
    document.getElementById("main").focus({ preventScroll: true });
    fetch(stop.dataset.endsAt, { method: "POST", body: new URLSearchParams({ state: "ended" }), redirect: "manual" });
  });
}
