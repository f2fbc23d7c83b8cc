"use strict";
// Moves focus into a panel or error summary that has just come, and closes the panel without a new page.
(() => {
  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id === "panel") document.getElementById("panel-heading")?.focus();
  });

  document.querySelector("[data-focus]")?.focus();

  const close = () => {
    const panel = document.getElementById("panel");
    const back = panel?.querySelector("[data-close]");
    if (!back) return;
    const opener = document.getElementById(panel.dataset.opener);
    history.replaceState(null, "", back.href);
    panel.hidden = true;
    panel.replaceChildren(); // a live part that is gone asks no more
    for (const row of document.querySelectorAll(".is-selected")) row.classList.remove("is-selected");
    opener?.focus();
  };

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-close]")) return;
    event.preventDefault();
    close();
  });

  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !document.querySelector("details.menu[open]")) close();
  });
})();
