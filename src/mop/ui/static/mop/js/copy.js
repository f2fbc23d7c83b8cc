"use strict";
// Copy buttons appear where the browser can copy, and say aloud that they did.
(() => {
  const show = (root) => {
    if (!navigator.clipboard) return;
    for (const button of root.querySelectorAll("[data-copy]")) button.hidden = false;
  };

  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    await navigator.clipboard.writeText(button.dataset.copy);
    document.getElementById("announcer").textContent = button.dataset.copied;
    button.title = button.dataset.copied;
  });

  document.addEventListener("htmx:load", (event) => show(event.detail.elt));
  show(document);
})();
