// Times stand on the page in UTC. Here they become those of the reader's zone,
// written as the reader's country writes the page's language; and what the reader
// types is of that zone, and sent in UTC.
"use strict";
const zone = () => {
  const language = document.documentElement.lang;
  const reader = navigator.languages.find(l => l.split("-")[0] === language) ?? language;
  // One writer for all times of a kind: making it takes longer than writing with it.
  const writers = {};
  const writer = style => writers[style.dateStyle] ??= new Intl.DateTimeFormat(reader, style);
  for (const t of document.querySelectorAll("time[datetime]")) {
    const at = new Date(t.dateTime);
    if (isNaN(at)) continue;
    const exact = /\d:\d/.test(t.textContent);
    t.title = t.textContent + (exact ? "" : " (UTC)");
    t.textContent = writer(exact ? { dateStyle: "medium", timeStyle: "medium" } : { dateStyle: "long" }).format(at);
  }
};
const utc = text => new Date(text).toISOString().slice(0, 19);
const typed = () => {
  for (const box of document.querySelectorAll("input[type=datetime-local]")) {
    if (box.value) {
      const at = new Date(box.value + "Z");
      box.value = utc(at - at.getTimezoneOffset() * 60_000);
    }
    for (const label of box.labels) label.textContent = label.textContent.replace(" (UTC)", "");
    box.form.addEventListener("formdata", ({ formData }) => {
      if (box.value) formData.set(box.name, utc(box.value));
    });
  }
};
// The page shows first: the writers take longer than all else before its first picture.
requestAnimationFrame(() => setTimeout(() => {
  zone();
  typed();
}));
