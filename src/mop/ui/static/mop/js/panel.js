"use strict";
// Moves focus into a panel or error summary that has just come, and closes the panel without a new page.
(() => {
  const narrow = matchMedia("(max-width: 1100px)"); // a panel stands below the page there
  const widthKey = "panel-half";

  const widen = (isHalf) => {
    const panel = document.getElementById("panel");
    const button = panel?.querySelector("[data-widen]");
    if (!button) return;
    button.hidden = narrow.matches;
    button.setAttribute("aria-pressed", String(isHalf));
    panel.classList.toggle("panel--half", isHalf);
  };

  const isHalf = () => sessionStorage.getItem(widthKey) === "yes";

  document.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target.id !== "panel") return;
    widen(isHalf());
    document.getElementById("panel-heading")?.focus();
  });

  // where there is no room for a panel its link leads to the page of its own
  document.addEventListener(
    "click",
    (event) => {
      const link = event.target.closest("a[data-page]");
      if (!link || !narrow.matches) return;
      link.href = link.dataset.page;
      event.stopPropagation();
    },
    true,
  );

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-widen]")) return;
    sessionStorage.setItem(widthKey, isHalf() ? "no" : "yes");
    widen(isHalf());
  });

  widen(isHalf());

  document.querySelector("[data-focus]")?.focus();

  const close = () => {
    const panel = document.getElementById("panel");
    const back = panel?.querySelector("[data-close]");
    if (!back) return;
    const opener = document.getElementById(panel.dataset.opener);
    history.replaceState(null, "", back.href);
    panel.hidden = true;
    panel.replaceChildren(); // a live part that is gone asks no more
    for (const row of document.querySelectorAll("tr.is-on:not(.open)")) row.classList.remove("is-on");
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
