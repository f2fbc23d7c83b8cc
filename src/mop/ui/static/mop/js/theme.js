"use strict";
// Switches the theme without a new page; without this script the form asks the server to do it.
(() => {
  const themes = ["auto", "light", "dark"];
  const year = 365 * 24 * 3600;

  document.addEventListener("submit", (event) => {
    const form = event.target.closest("[data-theme-switch]");
    if (!form) return;
    event.preventDefault();
    const button = form.querySelector("button[name=theme]");
    const theme = button.value;
    const following = themes[(themes.indexOf(theme) + 1) % themes.length];
    document.documentElement.dataset.theme = theme;
    document.cookie = `theme=${theme};path=/;max-age=${year};samesite=lax${location.protocol === "https:" ? ";secure" : ""}`;
    button.value = following;
    button.title = `Theme: ${theme}`;
    form.querySelector("[data-theme-label]").textContent = `Theme: ${theme}. Switch to ${following}`;
  });
})();
