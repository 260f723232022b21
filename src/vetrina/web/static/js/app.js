// What every page needs: theme, shortcuts, menus, questions before deletion. All of it is extra comfort.
import "./theme.js";
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

// A dialog closes by a click beside it.
for (const dialog of document.querySelectorAll("dialog")) {
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close("no"));
}

/** Ask in a dialog; resolves to whether the answer was yes. */
export function ask(question) {
  const dialog = document.getElementById("confirm");
  dialog.querySelector("h2").textContent = question;
  dialog.returnValue = "no";
  dialog.showModal();
  return new Promise((resolve) => dialog.addEventListener("close", () => resolve(dialog.returnValue === "yes"), { once: true }));
}

// Deletions ask here rather than on a page of their own; `confirmed` tells the server so.
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

// Filters show their result at once; the button is there for those without scripts.
document.addEventListener("change", (event) => {
  if (event.target.matches("form[data-submits-itself] select")) event.target.form.requestSubmit();
});
