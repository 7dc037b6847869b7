// Times stand on the page in UTC. Here they become those of the reader's zone.
for (const t of document.querySelectorAll("time[datetime]")) {
  const at = new Date(t.dateTime);
  if (isNaN(at)) continue;
  const exact = /\d:\d/.test(t.textContent);
  t.title = t.textContent + (exact ? "" : " (UTC)");
  t.textContent = at.toLocaleString(document.documentElement.lang, exact
    ? { day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit" }
    : { day: "numeric", month: "long", year: "numeric" });
}
