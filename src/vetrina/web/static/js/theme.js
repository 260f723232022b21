// Theme: light, dark or system. The server renders it from the cookie; this changes it without a reload.
const root = document.documentElement;
const buttons = [...document.querySelectorAll("button[name=theme]")];

/** Apply a theme and store it for a year. */
export function setTheme(theme) {
  if (theme === "auto") delete root.dataset.bsTheme;
  else root.dataset.bsTheme = theme;
  document.querySelector("meta[name=color-scheme]").content = theme === "auto" ? "light dark" : theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.value === theme));
}

/** Return whether the page is dark now. */
export function isDark() {
  return root.dataset.bsTheme ? root.dataset.bsTheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

for (const button of buttons) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    setTheme(button.value);
  });
}
