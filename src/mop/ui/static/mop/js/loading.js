"use strict";
// What comes late shows where it will stand; what could not be loaded says so, and how to go on.
(() => {
  const LATE = 300;
  const timers = new WeakMap();
  let lastAnswer = new Date();

  const isPoll = (detail) => Boolean(detail.elt.dataset?.etag) && detail.requestConfig?.triggeringEvent === undefined;
  const made = (tag, look, text = "") => Object.assign(document.createElement(tag), { className: look, textContent: text });

  const wait = (target) => {
    target.setAttribute("aria-busy", "true");
    if (target.id !== "panel") return;
    const bones = made("div", "panel__body stack");
    bones.append(made("p", "vh", "Loading"), ...["bone", "bone bone--s", "bone", "bone"].map((look) => made("span", look)));
    target.hidden = false;
    target.replaceChildren(bones);
  };

  const settle = (target) => {
    clearTimeout(timers.get(target));
    target?.removeAttribute("aria-busy");
  };

  document.addEventListener("htmx:beforeSend", (event) => {
    const { target } = event.detail;
    if (!isPoll(event.detail)) timers.set(target, setTimeout(wait, LATE, target));
  });

  const connection = () => document.getElementById("connection");

  document.addEventListener("htmx:afterRequest", (event) => {
    settle(event.detail.target);
    if (!event.detail.xhr?.status) return;
    lastAnswer = new Date();
    if (connection()) connection().hidden = true;
  });

  const lost = (event) => {
    const { elt, target } = event.detail;
    settle(target);
    if (isPoll(event.detail)) {
      if (!connection()) return;
      connection().querySelector("[data-since-when]").textContent = lastAnswer.toLocaleTimeString();
      connection().hidden = false;
      return;
    }
    const isPanel = target.id === "panel";
    const before = isPanel ? "" : "What is shown is what stood there before. ";
    const note = made("div", "note note--bad", `This could not be loaded. ${before}`);
    note.setAttribute("role", "alert");
    const again = made("button", "btn btn--s", "Try again");
    again.type = "button";
    again.addEventListener("click", () => {
      note.remove();
      if (elt.matches("form")) elt.requestSubmit();
      else elt.click();
    });
    note.append(again);
    if (isPanel) target.replaceChildren(note);
    else document.getElementById("faults")?.replaceChildren(note);
  };

  document.addEventListener("htmx:sendError", lost);
  document.addEventListener("htmx:timeout", lost);
  document.addEventListener("htmx:responseError", (event) => {
    const { xhr } = event.detail;
    const isTold = xhr.getResponseHeader("HX-Retarget") || !(xhr.status >= 500); // the answer itself says it
    if (!isTold) lost(event);
  });
})();
