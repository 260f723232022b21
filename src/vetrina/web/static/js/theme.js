// Light, dark or as the system. The server renders the choice from the cookie; here it changes without a reload.
const root = document.documentElement;
const buttons = [...document.querySelectorAll("button[name=theme]")];

/** Show a theme now and keep it for a year. */
export function setTheme(theme) {
  if (theme === "auto") delete root.dataset.bsTheme;
  else root.dataset.bsTheme = theme;
  document.querySelector("meta[name=color-scheme]").content = theme === "auto" ? "light dark" : theme;
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `theme=${theme}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  for (const button of buttons) button.setAttribute("aria-pressed", String(button.value === theme));
}

/** Whether the page is dark at this moment. */
export function isDark() {
  return root.dataset.bsTheme ? root.dataset.bsTheme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
}

for (const button of buttons) {
  button.addEventListener("click", (event) => {
    event.preventDefault();
    setTheme(button.value);
  });
}
