// The browser's time zone, for the server to write times in. A page that was written before it was known is corrected here.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
const stored = document.cookie.split("; ").find((item) => item.startsWith("time_zone="))?.slice(10);
if (zone && stored !== zone) {
  const secure = location.protocol === "https:" ? "; Secure" : "";
  document.cookie = `time_zone=${zone}; Path=/; Max-Age=31536000; SameSite=Lax${secure}`;
  const format = new Intl.DateTimeFormat(document.documentElement.lang === "en" ? "en-GB" : document.documentElement.lang, {
    day: "numeric", month: "short", year: "numeric", hour: "2-digit", minute: "2-digit", timeZoneName: "short",
  });
  for (const time of document.querySelectorAll("html:not([data-time-zone]) time[data-exact]")) {
    time.textContent = format.format(new Date(time.dateTime));
  }
}
