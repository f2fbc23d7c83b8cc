"use strict";
// The end of a log is followed while its switch is on; scrolling up lets go of it.
(() => {
  const logOf = (root) => root.querySelector("[data-follow]");

  const isFollowed = (log) => {
    const control = log.parentElement.querySelector("[data-follow-switch] input");
    return control !== null && control.checked;
  };

  const show = () => {
    const log = logOf(document);
    if (!log) return;
    const control = log.parentElement.querySelector("[data-follow-switch]");
    if (control) control.hidden = false;
    if (!log.dataset.seen || isFollowed(log)) log.scrollTop = log.scrollHeight;
    log.dataset.seen = "yes";
  };

  document.addEventListener("change", (event) => {
    if (event.target.closest("[data-follow-switch]")) show();
  });

  document.addEventListener("htmx:afterSettle", show);
  show();
})();
