// The studio: selected images, price preview, character counter, seed.
import { sendAll, takeDrops, takePastes } from "./upload.js";

const form = document.querySelector("form[data-studio]");
const button = form.querySelector("[data-generate]");
const why = form.querySelector("[data-why]");
const lines = form.querySelector("[data-lines]");
const buy = form.querySelector("[data-buy]");
const each = form.querySelector("[data-each]");
const blank = document.getElementById("chosen-item");
const panel = form.querySelector("[data-panel]");
const number = (value) => value.toLocaleString(document.documentElement.lang); // digits as the page writes them
let underWay = 0;
let drops = 0;
let lastSlot = null;

const line = (name, text) => (lines.querySelector(`[data-line=${name}]`).textContent = text);
const count = (role) => form.querySelectorAll(`[name=${role}_files]:checked`).length;

const needs = (style) => "needsProduct" in style && !count("product") ? "product"
  : "needsModel" in style && !count("model") ? "model"
  : "needsPicture" in style && !count("product") && !count("model") ? "any"
  : "";

/** The styles of the pictures that would be started, in order: one, or those of a batch. */
function planned(style) {
  const make = form.elements.make.value;
  if (make === "pictures") return Array(count("product") || count("model")).fill(style);
  if (make === "seeds") return Array(Number(form.elements.count.value) || 0).fill(style);
  if (make !== "styles") return [style];
  const ticked = new Set([...form.querySelectorAll("[name=styles]:checked")].map((box) => box.value));
  const tiles = [...form.querySelectorAll("input[name=style]")];
  return tiles.filter((tile) => (ticked.size ? ticked.has(tile.value) : !needs(tile.dataset)));
}

/** Pay with the other kind of credit where the first does not cover the price, unless it was chosen by hand. */
function payWithWhatCovers() {
  if (form.dataset.paysByHand !== undefined) return;
  const style = form.querySelector("input[name=style]:checked");
  const price = (asset) => planned(style).reduce((sum, tile) => sum + (asset.value === "conversion" ? 1 : Number(tile?.dataset.cost ?? 0)), 0);
  const covers = (asset) => Number(asset.dataset.balance) >= price(asset);
  const [first, other] = [...form.querySelectorAll("input[type=radio][name=asset]")].sort((a, b) => b.checked - a.checked);
  if (other && covers(other) && !covers(first)) other.checked = true;
}

/** Show the price and whether the generation, or the batch, can be started. */
function tally() {
  payWithWhatCovers();
  const style = form.querySelector("input[name=style]:checked");
  const asset = form.querySelector("input[name=asset]:checked, input[type=hidden][name=asset]");
  const batch = form.elements.make.value !== "";
  const balance = Number(asset.dataset.balance);
  const costs = planned(style).map((tile) => (asset.value === "conversion" ? 1 : Number(tile?.dataset.cost ?? 0)));
  const cost = costs.reduce((sum, one) => sum + one, 0);
  let left = balance;
  const affordable = costs.filter((one) => one <= left && ((left -= one), true)).length;
  const short = balance < cost;
  const title = style?.dataset.title ?? "–";
  line("style", form.elements.make.value === "styles" ? lines.dataset.styles.replace("{n}", number(costs.length))
    : batch ? `${title} × ${number(costs.length)}` : title);
  line("kind", lines.querySelector("[data-line=kind]").dataset[asset.value]);
  const pay = form.querySelector("[data-pay]");
  if (pay && balance < cost) pay.hidden = false; // another kind of credit is needed
  line("balance", number(balance));
  line("cost", number(cost));
  line("after", short ? "–" : number(balance - cost));
  form.elements.total.value = batch ? cost : "";
  lines.classList.toggle("is-short", short);
  buy.hidden = !short;
  const most = Math.max(count("product"), count("model"));
  form.querySelector("[data-samples]")?.toggleAttribute("hidden", most > 0);
  each.hidden = batch || most < 2;
  const missing = planned(style).map((tile) => needs(tile?.dataset ?? {})).find(Boolean);
  const reason = underWay ? "uploading"
    : missing ? missing
    : !costs.length ? "any"
    : most > Number(form.dataset.limit) && form.elements.make.value !== "pictures" ? "over"
    : costs.length > Number(form.dataset.batchLimit) ? "many"
    : short ? (batch ? "part" : "short")
    : "";
  button.disabled = Boolean(reason);
  why.textContent = why.dataset[reason || "fine"].replace("{n}", number(affordable)).replace("{count}", number(costs.length));
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
      saveSoon();
      slot.querySelector("input[type=file]").focus();
    });
    list.append(item);
  }
}

/** Tick an image that has been uploaded, in the order of the drop: smaller ones arrive sooner. */
function arrived(slot, role, answer, order) {
  const box = document.createElement("input");
  Object.assign(box, { type: "checkbox", name: `${role}_files`, value: answer.id, checked: true, hidden: true });
  box.dataset.arrived = "";
  box.dataset.thumb = answer.thumbnail_url;
  box.setAttribute("aria-label", answer.file_name);
  box.dataset.order = order;
  const later = [...slot.querySelectorAll("input[data-arrived]")].find((other) => Number(other.dataset.order) > order);
  if (later) later.before(box);
  else slot.append(box);
}

for (const slot of form.querySelectorAll("[data-slot]")) {
  const role = slot.dataset.slot;
  const list = slot.querySelector("[data-upload-list]");
  const tooMany = slot.querySelector("[data-too-many]");
  slot.take = async (dropped) => {
    const left = form.dataset.uploads === undefined ? Infinity : Math.max(0, Number(form.dataset.uploads));
    const files = dropped.slice(0, left);
    tooMany.hidden = dropped.length <= left;
    tooMany.textContent = tooMany.hidden ? "" : tooMany.dataset.tooMany
      .replace("{n}", number(dropped.length - left)).replace("{count}", number(dropped.length)).replace("{left}", number(left));
    underWay += 1;
    tally();
    const sending = sendAll(files, {
      list,
      category: `${role}_image`,
      maxBytes: Number(form.dataset.maxBytes),
      done: (answer, item) => {
        if (form.dataset.uploads !== undefined) form.dataset.uploads -= 1;
        arrived(slot, role, answer, Number(item.dataset.order));
        item.remove();
        showChosen(slot);
        saveSoon();
      },
    });
    for (const item of list.children) item.dataset.order ??= ++drops;
    await sending;
    underWay -= 1;
    tally();
  };
  takeDrops(slot.querySelector(".drop"), slot.take);
  slot.addEventListener("pointerenter", () => (lastSlot = slot));
  slot.addEventListener("focusin", () => (lastSlot = slot));
  showChosen(slot);
}

// A sample photograph goes into the library and is chosen; what the form has stays as it is.
for (const sample of form.querySelectorAll("[data-samples] button")) {
  sample.addEventListener("click", async (event) => {
    event.preventDefault();
    const slot = form.querySelector(`[data-slot=${sample.dataset.role}]`);
    sample.disabled = true;
    underWay += 1;
    tally();
    try {
      const answer = await fetch(sample.dataset.adds, { method: "POST", headers: { Accept: "application/json" } });
      const file = await answer.json();
      if (!answer.ok) throw new Error(file.detail || file.title);
      arrived(slot, slot.dataset.slot, file, ++drops);
      showChosen(slot);
      saveSoon();
    } catch (error) {
      sample.disabled = false;
      sample.querySelector("span").textContent = error.message;
    }
    underWay -= 1;
    tally();
  });
}
takePastes((files) => (lastSlot ?? form.querySelector("[data-slot]")).take(files));

/** Show the chosen style's settings in the panel, and the words where its engine reads them. */
function showSettings() {
  const chosen = form.querySelector("input[name=style]:checked");
  const present = panel.querySelector("[data-knobs]");
  if (!chosen || present?.dataset.knobs === chosen.value) return;
  const home = (name) => form.querySelector(`[data-style="${CSS.escape(name)}"]`);
  const next = home(chosen.value).querySelector("[data-knobs]");
  if (present) home(present.dataset.knobs).append(present);
  panel.append(next);
  const words = form.querySelector("[data-words]");
  const leads = "followsPrompt" in chosen.dataset;
  form.elements.prompt.rows = leads ? 4 : 2;
  if (leads !== (words.compareDocumentPosition(form.querySelector("[data-pictures]")) === Node.DOCUMENT_POSITION_FOLLOWING)) {
    form.querySelector(leads ? "[data-pictures]" : "[data-styles]")[leads ? "before" : "after"](words);
  }
}

if (matchMedia("(min-width: 48rem)").matches) form.querySelector("[data-settings]").open = true; // it is shown there anyway

// A field that the browser refuses must be in sight to say so.
form.addEventListener("invalid", (event) => event.target.closest("details")?.setAttribute("open", ""), true);

/** Show the styles whose title or description has every word of the search, in all groups. */
function search() {
  const step = form.querySelector("[data-styles]");
  const said = step.querySelector("[data-matches]");
  const asked = step.querySelector("[data-search]").value.toLowerCase().split(/\s+/).filter(Boolean);
  let matches = 0;
  for (const style of step.querySelectorAll("[data-style]")) {
    const tile = style.querySelector(".tile");
    const text = `${tile.textContent} ${tile.title} ${style.dataset.style}`.toLowerCase();
    style.hidden = !asked.every((word) => text.includes(word));
    matches += !style.hidden;
  }
  step.classList.toggle("is-searching", asked.length > 0);
  said.textContent = !asked.length ? "" : matches ? said.dataset.many.replace("{n}", number(matches)) : said.dataset.none;
}
form.querySelector("[data-search]").addEventListener("input", search);
form.querySelector("[data-search]").addEventListener("keydown", (event) => {
  if (event.key === "Enter") event.preventDefault(); // else the form would be sent
});
for (const kind of form.querySelectorAll("[name=group]")) {
  kind.addEventListener("change", () => {
    form.querySelector("[data-search]").value = "";
    search();
  });
}

each.addEventListener("click", () => {
  form.elements.make.value = "pictures";
  tally();
  saveSoon();
});

form.addEventListener("change", (event) => {
  if (event.target.name === "asset") form.dataset.paysByHand = "";
  const slot = event.target.closest("[data-slot]");
  if (slot) showChosen(slot);
  showSettings();
  tally();
});

const prompt = form.elements.prompt;
const counter = form.querySelector("[data-counter=prompt]");
const countLetters = () => (counter.textContent = `${number(prompt.value.length)} / ${number(prompt.maxLength)}`);
form.addEventListener("input", (event) => {
  if (event.target === prompt) countLetters();
  if (event.target.name === "count") tally();
  if (event.target.type === "range") {
    form.querySelector(`output[for="${CSS.escape(event.target.id)}"]`).textContent = event.target.value;
  }
});

form.querySelector("[data-dice]").addEventListener("click", () => {
  form.elements.seed.value = crypto.getRandomValues(new Uint32Array(1))[0] >>> 1;
  saveSoon();
});

// The draft is saved shortly after each change, and at once when the page is left.
const saved = document.querySelector("[data-saved]");
let saving = null;
async function saveDraft() {
  clearTimeout(saving);
  saving = null;
  const body = new FormData(form);
  for (const name of ["product_upload", "model_upload"]) body.delete(name);
  try {
    const answer = await fetch(form.dataset.draft, { method: "POST", body, keepalive: true });
    saved.textContent = answer.ok ? saved.dataset.text : "";
  } catch {
    saved.textContent = "";
  }
}
form.addEventListener("formdata", (event) => { // the settings of other styles are not read
  const own = `p.${event.formData.get("style")}.`;
  for (const name of [...event.formData.keys()]) if (name.startsWith("p.") && !name.startsWith(own)) event.formData.delete(name);
});
function saveSoon() {
  clearTimeout(saving);
  saving = setTimeout(saveDraft, 600);
}
for (const kind of ["change", "input"]) {
  form.addEventListener(kind, (event) => event.target.name && event.target.name !== "group" && saveSoon());
}
document.addEventListener("visibilitychange", () => document.visibilityState === "hidden" && saving && saveDraft());
window.addEventListener("pagehide", () => saving && saveDraft());
form.addEventListener("submit", () => { // the server saves what it refuses
  clearTimeout(saving);
  saving = null;
});

// Disable the button after a click; enable it again when the user navigates back.
form.addEventListener("submit", () => queueMicrotask(() => (button.disabled = true)));
window.addEventListener("pageshow", () => {
  for (const slot of form.querySelectorAll("[data-slot]")) showChosen(slot);
  showSettings();
  search();
  tally();
});
countLetters();
tally();
