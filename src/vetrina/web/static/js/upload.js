// Image uploads with progress: from a file input, drag and drop or the clipboard.
import { say } from "./messages.js";

function size(bytes) {
  return bytes < 1e6 ? `${Math.ceil(bytes / 1000)} KB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

/** Send one file to the library. Resolves to the API's answer {id, thumbnail_url, ...}; rejects with a readable Error. */
export function send(file, category, onProgress = () => {}) {
  return new Promise((resolve, reject) => {
    const body = new FormData();
    body.append("category", category);
    body.append("file", file, file.name || "picture.png");
    const request = new XMLHttpRequest();
    request.open("POST", "/api/v1/files");
    request.responseType = "json";
    request.setRequestHeader("Accept", "application/json");
    request.upload.addEventListener("progress", (event) => event.lengthComputable && onProgress(event.loaded / event.total));
    request.addEventListener("load", () => {
      const answer = request.response;
      if (request.status === 201) resolve(answer);
      else {
        const error = new Error(answer?.detail || answer?.title || say("status", { status: request.status }));
        reject(Object.assign(error, { status: request.status, wait: Number(request.getResponseHeader("Retry-After")) || 2 }));
      }
    });
    request.addEventListener("error", () => reject(new Error(say("lost"))));
    request.send(body);
  });
}

function line(list, file) {
  const item = document.createElement("li");
  item.className = "upload";
  const picture = new Image();
  picture.alt = "";
  picture.src = URL.createObjectURL(file);
  picture.addEventListener("load", () => URL.revokeObjectURL(picture.src), { once: true });
  picture.addEventListener("error", () => picture.removeAttribute("src"), { once: true });
  const name = document.createElement("span");
  name.className = "upload-name";
  name.textContent = file.name || say("pasted");
  const said = document.createElement("span");
  said.className = "upload-said";
  said.textContent = size(file.size);
  const bar = document.createElement("progress");
  bar.max = 1;
  bar.value = 0;
  bar.setAttribute("aria-label", name.textContent);
  item.append(picture, name, said, bar);
  list.append(item);
  return { item, bar, said };
}

/** Send again when the server is busy with earlier pictures, after the time that it names. */
async function patiently(said, attempt) {
  for (let left = 5; ; left -= 1) {
    try {
      return await attempt();
    } catch (error) {
      if (error.status !== 429 || left === 0) throw error;
      said.textContent = say("turn");
      await new Promise((resolve) => setTimeout(resolve, Math.min(error.wait, 60) * 1000));
    }
  }
}

/** Beside a refused file: the ways on, and another try. The file stays picked. */
function offer(item, list, status, again) {
  const ways = list.parentElement.querySelector("template[data-ways-on]")?.content.cloneNode(true);
  if (!ways) return;
  if (status !== 409) ways.querySelector("[data-for-storage]")?.remove(); // deleting gives no upload of the month back
  const button = Object.assign(document.createElement("button"), { type: "button", className: "btn btn-small", textContent: say("again") });
  button.addEventListener("click", again);
  ways.querySelector(".ways-on").prepend(button);
  item.append(ways);
}

/** Upload files two at a time, with a line for each in `list`. Calls `done(answer, item)` after each upload. */
export async function sendAll(files, { list, category, maxBytes, done }) {
  const queue = [...files].map((file) => ({ file, ...line(list, file) }));
  const work = async () => {
    for (let job = queue.shift(); job; job = queue.shift()) {
      const { file, item, bar, said } = job;
      try {
        // Only what is surely no picture: some systems have no type for HEIC, and the server looks at the bytes.
        if (file.type && !file.type.startsWith("image/")) throw new Error(say("type"));
        if (file.size > maxBytes) throw new Error(say("size", { size: size(file.size), most: size(maxBytes) }));
        const answer = await patiently(said, () => send(file, category, (share) => {
          bar.value = share;
          said.textContent = share < 1 ? `${Math.round(share * 100)} %` : say("checked");
        }));
        said.textContent = say("done");
        bar.value = 1;
        done(answer, item);
      } catch (error) {
        item.classList.add("is-bad");
        said.textContent = error.message;
        if (error.status === 402 || error.status === 409) offer(item, list, error.status, () => {
          item.remove();
          sendAll([file], { list, category, maxBytes, done });
        });
      }
    }
  };
  await Promise.all([work(), work()]);
}

/** Accept drops on `zone` (a label with a file input); calls `take(files)`. */
export function takeDrops(zone, take) {
  const input = zone.querySelector("input[type=file]");
  input.addEventListener("change", () => {
    const files = [...input.files];
    input.value = ""; // else the form would send them a second time
    if (files.length) take(files);
  });
  let depth = 0;
  const over = (on) => zone.classList.toggle("is-over", on);
  zone.addEventListener("dragenter", (event) => { event.preventDefault(); depth += 1; over(true); });
  zone.addEventListener("dragover", (event) => event.preventDefault());
  zone.addEventListener("dragleave", () => { depth -= 1; if (depth <= 0) over(false); });
  zone.addEventListener("drop", (event) => {
    event.preventDefault();
    depth = 0;
    over(false);
    if (event.dataTransfer.files.length) take([...event.dataTransfer.files]);
  });
}

/** Call `take` with images pasted outside text fields. */
export function takePastes(take) {
  document.addEventListener("paste", (event) => {
    const files = [...(event.clipboardData?.files ?? [])];
    if (!files.length) return;
    event.preventDefault();
    take(files);
  });
}

// A file dropped outside a zone must not navigate away.
for (const kind of ["dragover", "drop"]) {
  window.addEventListener(kind, (event) => event.dataTransfer?.types.includes("Files") && event.preventDefault());
}
