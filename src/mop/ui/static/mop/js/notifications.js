"use strict";
// Following a notification's link marks it as read; without this script its button does.
(() => {
  const follow = (event) => {
    const link = event.target.closest("a[data-reads]");
    if (!link || event.button > 1) return;
    const form = document.getElementById(link.dataset.reads);
    fetch(form.action, { method: "POST", body: new FormData(form), keepalive: true, redirect: "manual" });
  };

  document.addEventListener("click", follow);
  document.addEventListener("auxclick", follow);
})();
