// The studio: selected images, price preview, character counter, seed.
import { sendAll, takeDrops, takePastes } from "./upload.js";

const form = document.querySelector("form[data-studio]");
const button = form.querySelector("[data-generate]");
const why = form.querySelector("[data-why]");
const lines = form.querySelector("[data-lines]");
const buy = form.querySelector("[data-buy]");
const blank = document.getElementById("chosen-item");
let underWay = 0;
let lastSlot = null;

const line = (name, text) => (lines.querySelector(`[data-line=${name}]`).textContent = text);
const count = (role) => form.querySelectorAll(`[name=${role}_files]:checked`).length;

/** Show the price and whether the generation can be started. */
function tally() {
  const style = form.querySelector("input[name=style]:checked");
  const asset = form.querySelector("input[name=asset]:checked, input[type=hidden][name=asset]");
  const balance = Number(asset.dataset.balance);
  const cost = asset.value === "conversion" ? 1 : Number(style?.dataset.cost ?? 0);
  const short = balance < cost;
  line("style", style?.dataset.title ?? "–");
  line("balance", balance.toLocaleString("en"));
  line("cost", cost.toLocaleString("en"));
  line("after", short ? "–" : (balance - cost).toLocaleString("en"));
  lines.classList.toggle("is-short", short);
  buy.hidden = !short;
  const needs = style?.dataset ?? {};
  const reason = short ? "short"
    : underWay ? "uploading"
    : "needsProduct" in needs && !count("product") ? "product"
    : "needsModel" in needs && !count("model") ? "model"
    : needs.engine === "builtin" && !count("product") && !count("model") ? "any"
    : "";
  button.disabled = Boolean(reason);
  why.textContent = why.dataset[reason || "fine"];
}

/** Show the selected images of a slot in its frame. */
function showChosen(slot) {
  const list = slot.querySelector("[data-chosen]");
  list.replaceChildren();
  for (const box of slot.querySelectorAll(".picks input:checked, input[data-arrived]:checked")) {
    const item = blank.content.firstElementChild.cloneNode(true);
    const image = item.querySelector("img");
    const source = box.dataset.thumb ? null : box.parentElement.querySelector("img");
    image.src = source?.src ?? box.dataset.thumb;
    image.alt = source?.alt ?? box.getAttribute("aria-label");
    item.querySelector("button").addEventListener("click", () => {
      box.checked = false;
      showChosen(slot);
      tally();
      slot.querySelector("input[type=file]").focus();
    });
    list.append(item);
  }
}

function arrived(slot, role, answer) {
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", name: `${role}_files`, value: answer.id, checked: true, hidden: true });
  box.dataset.arrived = "";
  box.dataset.thumb = answer.thumbnail_url;
  box.setAttribute("aria-label", answer.file_name);
  slot.append(box);
}

for (const slot of form.querySelectorAll("[data-slot]")) {
  const role = slot.dataset.slot;
  const list = slot.querySelector("[data-upload-list]");
  slot.take = async (files) => {
    underWay += 1;
    tally();
    await sendAll(files, {
      list,
      category: `${role}_image`,
      maxBytes: Number(form.dataset.maxBytes),
      done: (answer, item) => {
        arrived(slot, role, answer);
        item.remove();
        showChosen(slot);
      },
    });
    underWay -= 1;
    tally();
  };
  takeDrops(slot.querySelector(".drop"), slot.take);
  slot.addEventListener("pointerenter", () => (lastSlot = slot));
  slot.addEventListener("focusin", () => (lastSlot = slot));
  showChosen(slot);
}
takePastes((files) => (lastSlot ?? form.querySelector("[data-slot]")).take(files));

form.addEventListener("change", (event) => {
  const slot = event.target.closest("[data-slot]");
  if (slot) showChosen(slot);
  tally();
});

const prompt = form.elements.prompt;
const counter = form.querySelector("[data-counter=prompt]");
const countLetters = () => (counter.textContent = `${prompt.value.length} / ${prompt.maxLength}`);
form.addEventListener("input", (event) => {
  if (event.target === prompt) countLetters();
  if (event.target.type === "range") {
    form.querySelector(`output[for="${CSS.escape(event.target.id)}"]`).textContent = event.target.value;
  }
});

form.querySelector("[data-dice]").addEventListener("click", () => {
  form.elements.seed.value = crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
});

// Disable the button after a click; enable it again when the user navigates back.
form.addEventListener("submit", () => queueMicrotask(() => (button.disabled = true)));
window.addEventListener("pageshow", () => {
  for (const slot of form.querySelectorAll("[data-slot]")) showChosen(slot);
  tally();
});
countLetters();
tally();
