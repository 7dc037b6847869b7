// A button beside each text that is meant to be copied.
"use strict";
for (const text of document.querySelectorAll("[data-copy]")) {
  const button = document.createElement("button");
  const label = text.dataset.copy;
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
    button.textContent = text.dataset.copied;
    setTimeout(() => { button.textContent = label; }, 2000);
  });
  text.after(button);
}
