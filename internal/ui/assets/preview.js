// Shows the consent page anew while an app is described: the form is sent to the
// address of its Preview button, and of the answer the preview is taken.
"use strict";
const form = document.getElementById("app-form");
const shown = document.getElementById("preview");
const ask = form && form.querySelector("button[formaction]");
if (ask && shown) {
  let waiting = 0;
  let last = 0;
  const refresh = async () => {
    const mine = ++last;
    let html;
    try {
      const answer = await fetch(ask.formAction, { method: "POST", body: new URLSearchParams(new FormData(form)), credentials: "same-origin" });
      if (!answer.ok) return;
      html = await answer.text();
    } catch {
      return; // away for a moment; the button still works
    }
    const next = new DOMParser().parseFromString(html, "text/html").getElementById("preview");
    if (next && mine === last) shown.replaceChildren(...document.importNode(next, true).childNodes);
  };
  form.addEventListener("input", () => {
    clearTimeout(waiting);
    waiting = setTimeout(refresh, 300);
  });
  ask.hidden = true;
}
