// A button beside each text that is meant to be copied, and on each piece of code
// of a part that says so.
"use strict";
function copier(text, label, done) {
  const button = document.createElement("button");
  button.type = "button";
  button.className = "copy";
  button.textContent = label;
  button.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(text.textContent.trim());
    } catch {
      // No clipboard here (an http address, a permission): the text is selected instead.
      getSelection().selectAllChildren(text);
      return;
    }
    button.textContent = done;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
  return button;
}
for (const text of document.querySelectorAll("[data-copy]")) {
  text.after(copier(text, text.dataset.copy, text.dataset.copied));
}
for (const part of document.querySelectorAll("[data-copies]")) {
  for (const code of part.querySelectorAll("pre")) {
    const box = document.createElement("div");
    box.className = "copies";
    code.replaceWith(box);
    box.append(code, copier(code, part.dataset.copies, part.dataset.copied));
  }
}
