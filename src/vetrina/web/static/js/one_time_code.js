// One-time codes: pasted spaces are removed, six digits submit the form, countdowns run. Progressive enhancement.
const form = document.querySelector("[data-code-form]");
const input = form?.querySelector("#code");

// Convert digits of other scripts to ASCII.
const plain = (text) =>
  text.replace(/[\u0660-\u0669\u06f0-\u06f9]/g, (digit) => String(digit.charCodeAt(0) & 0xf)).replace(/[^0-9a-z]/gi, "");

let sent = "";
input?.addEventListener("input", () => {
  const code = plain(input.value);
  if (/^\d{1,6}$/.test(code) && code !== input.value) input.value = code;
  if (form.hasAttribute("data-sends-itself") && /^\d{6}$/.test(code) && code !== sent) {
    sent = code;
    form.requestSubmit();
  }
});

// Chromium on a phone reads the code from an SMS that names this site, with the user's consent.
if (input && "OTPCredential" in window) {
  const stop = new AbortController();
  form.addEventListener("submit", () => stop.abort());
  navigator.credentials.get({ otp: { transport: ["sms"] }, signal: stop.signal }).then((found) => {
    if (!found) return;
    input.value = found.code;
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }, () => {});
}

const clock = (seconds) => `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;

function countdown(end, tell) {
  const tick = () => {
    const left = Math.max(0, Math.round((end - Date.now()) / 1000));
    tell(left);
    if (left === 0) clearInterval(timer);
  };
  const timer = setInterval(tick, 1000);
  tick();
}

const until = document.querySelector("[data-until]");
if (until) {
  const shown = until.querySelector("[data-left]");
  countdown(Date.parse(until.dataset.until), (left) => {
    if (left > 0) shown.textContent = clock(left);
    else until.textContent = until.dataset.over;
  });
}

// A new code only after a pause: the first may still arrive.
const again = document.querySelector("[data-again]");
if (again) {
  const wait = again.querySelector("[data-wait]");
  again.disabled = true;
  countdown(Date.now() + Number(again.dataset.again) * 1000, (left) => {
    wait.textContent = left > 0 ? clock(left) : "";
    again.disabled = left > 0;
  });
}
