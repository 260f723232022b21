// An open conversation: messages appear as they come, and are sent without leaving the page.
const talk = document.querySelector("[data-conversation]");
const list = document.getElementById("messages");
const form = document.getElementById("write");
const address = `/conversations/${talk.dataset.conversation}`;
const isOld = "old" in talk.dataset;
let change = Number(talk.dataset.change);
let reading = null;
let again = false;

/** Put what the server has written since our last change in place. */
function show(text) {
  const page = new DOMParser().parseFromString(text, "text/html");
  const found = page.querySelector("[data-last-change]");
  if (!found) return false;
  for (const item of [...found.children]) {
    const other = document.getElementById(item.id);
    if (other) other.replaceWith(item);
    else list.append(item);
  }
  change = Math.max(change, Number(found.dataset.lastChange));
  const seen = page.querySelector("[data-seen]");
  const place = document.querySelector("[data-seen]");
  if (seen && place) place.textContent = seen.textContent;
  return true;
}

/** Read all changes after ours; a call that comes meanwhile makes it read once more. */
async function catchUp() {
  if (reading) {
    again = true;
    return;
  }
  do {
    again = false;
    const before = change;
    reading = fetch(`${address}/changes?after=${change}`, { headers: { Accept: "text/html" } });
    const answer = await reading;
    if (!answer.ok) break;
    show(await answer.text());
    if (change - before >= 200) again = true;
  } while (again);
  reading = null;
}

let timer = 0;
/** Write the list of conversations as the server has it now. */
function refreshList() {
  timer ||= setTimeout(async () => {
    timer = 0;
    const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } }).catch(() => null);
    if (!answer?.ok) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const rows = page.getElementById("talks-rows");
    const own = document.getElementById("talks-rows");
    if (rows && !own.contains(document.activeElement)) own.replaceWith(rows);
  }, 700);
}

document.addEventListener("vetrina:conversations", ({ detail }) => {
  const isOurs = !detail.conversation_id || detail.conversation_id === talk.dataset.conversation;
  if (isOurs && !isOld) catchUp().catch(() => { reading = null; });
  refreshList();
});

form.addEventListener("submit", async (event) => {
  if (isOld) return;
  event.preventDefault();
  const button = form.querySelector("button:not([type])");
  button.disabled = true;
  const body = new FormData(form);
  body.set("after", String(change));
  try {
    const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "text/html" } });
    if (!answer.ok || !show(await answer.text())) throw new Error(String(answer.status));
    form.reset();
    form.elements.body.value = "";
    form.elements.key.value = `${Date.now()} ${Math.random()}`;
    form.elements.about?.remove();
    form.querySelector(".message-subject")?.remove();
    form.querySelector("details").open = false;
    form.elements.body.focus();
  } catch {
    form.submit(); // the page that comes says what is wrong; the key keeps it from being sent twice
  } finally {
    button.disabled = false;
  }
});

// Enter sends where there is a keyboard; Shift and Enter begin a new line.
form.elements.body.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing || !matchMedia("(pointer: fine)").matches) return;
  event.preventDefault();
  if (form.elements.body.value.trim()) form.requestSubmit();
});
