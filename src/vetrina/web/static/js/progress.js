// Live progress of a generation by server-sent events. Event data: {id, status, progress, step, error_message, queue_position}.
import { announce } from "./live.js";
import { number, say } from "./messages.js";

const place = document.querySelector("[data-progress]");

function watch() {
  const bar = place.querySelector("progress");
  const step = place.querySelector("[data-step]");
  const percent = place.querySelector("[data-percent]");
  const events = new EventSource(place.dataset.progress);
  let failures = 0;

  const show = (event) => {
    failures = 0;
    const now = JSON.parse(event.data);
    if (!["pending", "uploading", "processing"].includes(now.status)) {
      events.close();
      // The finished page is another page; a hidden tab shows first that there is something to see.
      if (document.hidden && now.status === "completed") {
        announce(document.querySelector("[data-live]")?.dataset.ready ?? document.title);
        document.addEventListener("visibilitychange", () => location.reload(), { once: true });
      } else location.reload();
      return;
    }
    bar.value = now.progress;
    percent.textContent = `${Math.round(now.progress)} %`;
    const words = {
      pending: now.queue_position > 1 ? say("place", { n: number(now.queue_position) }) : now.queue_position === 1 ? say("next") : step.dataset.waiting,
      uploading: step.dataset.preparing,
      processing: now.step || step.dataset.working,
    }[now.status];
    if (step.textContent.trim() !== words) step.textContent = words;
    document.title = document.title.replace(/^(\d+ % · )?/, `${Math.round(now.progress)} % · `);
  };
  events.addEventListener("message", show);
  events.addEventListener("generation", show);
  events.addEventListener("error", () => {
    failures += 1;
    if (failures > 5 || events.readyState === EventSource.CLOSED) {
      events.close();
      setTimeout(() => location.reload(), 3000);
    }
  });
}

if (place) watch();
