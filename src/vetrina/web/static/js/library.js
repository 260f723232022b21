// The library: uploads with progress, selection.
import { number, say } from "./messages.js";
import { sendAll, takeDrops, takePastes } from "./upload.js";

/** Reload the library grid; rejected files stay listed with their reason. */
async function refresh() {
  const answer = await fetch("/library");
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const part of ["[data-storage]", "[data-uploads-left]", "[data-shown]"]) {
    const now = fresh.querySelector(part);
    if (now) document.querySelector(part)?.replaceWith(document.adoptNode(now));
  }
  window.htmx?.process(document.querySelector("[data-shown]"));
}

const form = document.querySelector("form[data-uploads]");
if (form) {
  const list = form.querySelector("[data-upload-list]");
  const take = async (files) => {
    let arrived = 0;
    await sendAll(files, {
      list,
      category: form.elements.category.value,
      maxBytes: Number(form.dataset.maxBytes),
      done: (_, item) => {
        arrived += 1;
        item.dataset.done = "";
      },
    });
    if (arrived && !list.querySelector(".is-bad")) location.assign("/library");
    else if (arrived) {
      await refresh();
      for (const item of list.querySelectorAll("[data-done]")) item.remove();
    }
  };
  takeDrops(form.querySelector(".drop"), take);
  takePastes(take);
}

function count(files) {
  const n = files.querySelectorAll("input[name=id]:checked").length;
  files.querySelector("[data-selected-count]").textContent = say("selected", { n: number(n) });
}

// On the document, because the grid is replaced after uploads.
document.addEventListener("change", (event) => {
  if (event.target.matches(".library-item input[name=id]")) count(event.target.form);
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-unselect]")) return;
  const files = event.target.closest("form");
  for (const box of files.querySelectorAll("input[name=id]:checked")) box.checked = false;
  count(files);
});
