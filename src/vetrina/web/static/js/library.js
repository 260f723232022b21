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
  // Files may be dropped anywhere on the page.
  const leave = () => document.body.classList.remove("page-drop");
  document.addEventListener("dragover", (event) => event.dataTransfer.types.includes("Files") && document.body.classList.add("page-drop"));
  document.addEventListener("dragleave", (event) => event.relatedTarget || leave());
  document.addEventListener("drop", (event) => {
    leave();
    if (event.target.closest(".drop") || !event.dataTransfer.files.length) return;
    event.preventDefault();
    take([...event.dataTransfer.files]);
  });
}

/** The size of the tiles, kept in this browser; `sizes` follows, so that the fitting thumbnail is loaded. */
function setSize(rem) {
  const grid = document.getElementById("files");
  if (!grid) return;
  grid.dataset.sized = "";
  grid.style.setProperty("--tile", `${rem}rem`);
  for (const picture of grid.querySelectorAll("img[srcset]")) picture.sizes = `min(${rem * 1.25}rem, 90vw)`;
}

let size = null;
try { size = Number(localStorage.getItem("library-size")) || null; } catch { /* private mode: the default */ }
const slider = document.querySelector("[data-size-slider]");
if (slider && size) {
  slider.value = size;
  setSize(slider.value);
}
document.addEventListener("input", (event) => {
  if (!event.target.matches("[data-size-slider]")) return;
  setSize(event.target.value);
  try { localStorage.setItem("library-size", event.target.value); } catch { /* until the page closes */ }
});

function count(files) {
  const n = files.querySelectorAll("input[name=id]:checked").length;
  files.querySelector("[data-selected-count]").textContent = say("selected", { n: number(n) });
}

// On the document, because the grid is replaced after uploads.
document.addEventListener("change", (event) => {
  if (event.target.matches(".library-item input[name=id]")) count(event.target.form);
});
let last = null;
document.addEventListener("click", (event) => {
  const box = event.target.closest?.(".library-item input[name=id]");
  if (!box) return;
  const boxes = [...box.form.querySelectorAll(".library-item input[name=id]")];
  const [from, to] = [boxes.indexOf(last), boxes.indexOf(box)];
  if (event.shiftKey && from >= 0) {
    for (const other of boxes.slice(Math.min(from, to), Math.max(from, to) + 1)) other.checked = box.checked;
  }
  last = box;
});
document.addEventListener("keydown", (event) => {
  const form = document.querySelector("form:has(.library-item)");
  if (!form || event.target.matches("input:not([type=checkbox]), textarea, select") || document.querySelector("dialog[open]")) return;
  const boxes = [...form.querySelectorAll(".library-item input[name=id]")];
  if (event.key === "a" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    for (const box of boxes) box.checked = true;
  } else if (event.key === "Escape") {
    for (const box of boxes) box.checked = false;
  } else if (event.key === "Delete" && boxes.some((box) => box.checked)) {
    form.requestSubmit(form.querySelector("[data-delete-selected]"));
    return;
  } else return;
  count(form);
});
document.addEventListener("click", async (event) => {
  if (!event.target.closest("[data-download-selected]")) return;
  for (const item of document.querySelectorAll(".library-item:has(input:checked)")) {
    const link = Object.assign(document.createElement("a"), { href: item.dataset.download, download: "" });
    link.click();
    await new Promise((resolve) => { setTimeout(resolve, 300); });
  }
});
document.addEventListener("click", (event) => {
  if (!event.target.closest("[data-unselect]")) return;
  const files = event.target.closest("form");
  for (const box of files.querySelectorAll("input[name=id]:checked")) box.checked = false;
  count(files);
});
