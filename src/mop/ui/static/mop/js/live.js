"use strict";
// Live parts: send back the ETag of what is shown, stay when the server fails, say changes aloud, let running times run.
(() => {
  document.addEventListener("htmx:configRequest", (event) => {
    const etag = event.detail.elt.dataset.etag;
    if (etag) event.detail.headers["If-None-Match"] = etag;
  });

  document.addEventListener("htmx:beforeSwap", (event) => {
    const { xhr } = event.detail;
    const isFailurePage = xhr.status >= 500 && !xhr.getResponseHeader("HX-Retarget");
    if (isFailurePage) event.detail.shouldSwap = false; // loading.js says it; a poll asks again by itself
  });

  // what somebody types in a live part, or an open menu there, is not swapped away by its poll
  document.addEventListener("htmx:beforeRequest", (event) => {
    const element = event.detail.elt;
    const isPoll = element.dataset?.etag && event.detail.requestConfig.triggeringEvent === undefined;
    if (isPoll && element.querySelector("[data-editing], details.menu[open]")) event.preventDefault();
  });

  document.addEventListener("htmx:load", (event) => {
    const text = event.detail.elt.dataset?.announce;
    const announcer = document.getElementById("announcer");
    if (text && announcer && announcer.textContent !== text) announcer.textContent = text;
  });

  const written = (seconds) => {
    if (seconds < 60) return `${seconds} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
    return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  };

  setInterval(() => {
    for (const element of document.querySelectorAll("[data-since]")) {
      const seconds = Math.max(0, Math.round((Date.now() - Date.parse(element.dataset.since)) / 1000));
      element.textContent = `${written(seconds)} so far`;
    }
  }, 1000);
})();
