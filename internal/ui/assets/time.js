// Times stand on the page in UTC. Here they become those of the reader's zone,
// written as the reader's country writes the page's language.
const language = document.documentElement.lang;
const reader = navigator.languages.find(l => l.split("-")[0] === language) ?? language;
// One writer for all of a page's times: making it takes longer than writing with it,
// and the first picture of the page waits.
const writers = {};
const writer = style => writers[style.dateStyle] ??= new Intl.DateTimeFormat(reader, style);
for (const t of document.querySelectorAll("time[datetime]")) {
  const at = new Date(t.dateTime);
  if (isNaN(at)) continue;
  const exact = /\d:\d/.test(t.textContent);
  t.title = t.textContent + (exact ? "" : " (UTC)");
  t.textContent = writer(exact ? { dateStyle: "medium", timeStyle: "medium" } : { dateStyle: "long" }).format(at);
}
