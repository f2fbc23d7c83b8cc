"use strict";
// The way back to the Models list leads to the view that somebody left: its filters, order and page, for this tab alone.
(() => {
  const LIST = "/models/";
  const KEY = "models";

  const keep = () => {
    if (location.pathname === LIST) sessionStorage.setItem(KEY, location.search);
  };

  document.addEventListener("htmx:pushedIntoHistory", keep);
  keep();
  const view = sessionStorage.getItem(KEY);
  if (!view || location.pathname === LIST) return;
  for (const link of document.querySelectorAll(`.crumbs a[href="${LIST}"]`)) link.href = LIST + view;
  for (const link of document.querySelectorAll('a[href^="/models/"][href$="/delete/"]')) {
    if (/^\/models\/[^/]+\/delete\/$/.test(link.pathname)) link.search = `?back=${encodeURIComponent(view.slice(1))}`;
  }
})();
