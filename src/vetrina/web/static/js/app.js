// Behaviour of every page: theme, shortcuts, menus, confirmation of deletions. Progressive enhancement: pages work without it.
import "./theme.js";
import "./time_zone.js";
import "./shortcuts.js";

document.addEventListener("click", (event) => {
  const opener = event.target.closest("[data-opens]");
  if (opener) document.getElementById(opener.dataset.opens)?.showModal();
  for (const menu of document.querySelectorAll("details.menu[open]")) {
    if (!menu.contains(event.target) || opener) menu.open = false;
  }
});

document.addEventListener("keydown", (event) => {
  const menu = event.key === "Escape" && document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  }
});

// Close a dialog on a click outside it.
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
}

/** Show a confirmation dialog; resolves to whether it was confirmed. */
export function ask(question) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("h2").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

// Deletions are confirmed in a dialog instead of on their own page; the server gets `confirmed`.
document.addEventListener("submit", async (event) => {
  const form = event.target;
  const question = form.dataset.confirm ?? form.dataset.confirmMany;
  if (!question) return;
  event.preventDefault();
  if (!(await ask(question))) return;
  const confirmed = document.createElement("input");
  Object.assign(confirmed, { type: "hidden", name: "confirmed", value: "1" });
  form.append(confirmed);
  form.submit();
});

// Copy the value of a field; without permission it is selected, to be copied by hand.
document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copies]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copies);
  field.select();
  try {
    await navigator.clipboard.writeText(field.value);
  } catch {
    return;
  }
  button.querySelector("[aria-live]").textContent = button.dataset.copied;
});

// Filters apply at once; the button is for browsers without scripts.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-submits-itself] select")) event.target.form.requestSubmit();
});
