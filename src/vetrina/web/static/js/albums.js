// The order of an album by dragging. Without scripts, and with the keyboard, the buttons below each picture do the same.
const list = document.querySelector("[data-album-order]");
let dragged = null;

list?.addEventListener("dragstart", (event) => {
  dragged = event.target.closest("[data-file]");
  if (!dragged) return;
  event.dataTransfer.effectAllowed = "move";
  event.dataTransfer.setData("text/plain", dragged.dataset.file);
  dragged.classList.add("is-dragged");
});

list?.addEventListener("dragover", (event) => {
  const target = event.target.closest("[data-file]");
  if (!dragged || !target) return;
  event.preventDefault();
  for (const item of list.querySelectorAll(".is-target")) item.classList.remove("is-target");
  if (target !== dragged) target.classList.add("is-target");
});

list?.addEventListener("drop", async (event) => {
  const target = event.target.closest("[data-file]");
  if (!dragged || !target || target === dragged) return;
  event.preventDefault();
  const moved = dragged;
  const next = moved.nextElementSibling;
  target.before(moved);
  const body = new URLSearchParams({ before: target.dataset.file });
  const response = await fetch(`${location.pathname}/files/${moved.dataset.file}/place`, { method: "POST", body });
  if (!response.ok) next ? next.before(moved) : list.append(moved);
  else location.reload();
});

list?.addEventListener("dragend", () => {
  dragged?.classList.remove("is-dragged");
  for (const item of list.querySelectorAll(".is-target")) item.classList.remove("is-target");
  dragged = null;
});
