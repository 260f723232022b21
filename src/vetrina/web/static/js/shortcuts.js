// Keyboard shortcuts. Single-letter shortcuts can be disabled in the sheet (WCAG 2.1.4) and are ignored in text fields.
import { isDark, setTheme } from "./theme.js";

const sheet = document.getElementById("keys");
const PLACES = Object.fromEntries([...sheet.querySelectorAll("[data-key]")].map(({ dataset }) => [dataset.key, dataset.leads]));
const toggle = document.getElementById("keys-on");
let lastG = 0;

const kept = (() => {
  try { return localStorage.getItem("shortcuts"); } catch { return null; }
})();
toggle.checked = kept !== "off";
toggle.addEventListener("change", () => {
  try { localStorage.setItem("shortcuts", toggle.checked ? "on" : "off"); } catch { /* private mode: until the page closes */ }
});

document.addEventListener("keydown", (event) => {
  const field = event.target.closest?.("input:not([type=checkbox], [type=radio], [type=range]), textarea, select");
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.target.closest?.("form")?.requestSubmit();
    return;
  }
  if (field || event.ctrlKey || event.metaKey || event.altKey || !toggle.checked || document.querySelector("dialog[open]")) return;
  const place = PLACES[event.key];
  if (event.key === "?") sheet.showModal();
  else if (event.key === "d") setTheme(isDark() ? "light" : "dark");
  else if (event.key === "g") lastG = event.timeStamp;
  else if (event.key === "/") {
    const search = document.querySelector("[data-search]");
    if (!search) return;
    event.preventDefault();
    search.focus();
    search.select();
  } else if (place && event.timeStamp - lastG < 1500) location.assign(place);
});
