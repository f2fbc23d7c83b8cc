"use strict";
// "/" leads to the search; arrows walk through its hits; Escape and a click elsewhere put them away.
(() => {
  const field = document.querySelector("[data-search]");
  if (!field) return;
  const hits = document.getElementById("search-hits");
  const isTyping = (element) => element.matches("input, textarea, select, [contenteditable]");

  document.addEventListener("keydown", (event) => {
    if (event.key === "/" && !isTyping(event.target) && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      if (field.offsetParent === null) document.querySelector("a[href='/search/']")?.click();
      field.focus();
    }
    if (!field.form.contains(event.target)) return;
    if (event.key === "Escape" && hits.children.length) {
      event.stopPropagation();
      hits.replaceChildren();
      field.focus();
    }
    if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
    const stops = [field, ...hits.querySelectorAll("a")];
    const at = stops.indexOf(document.activeElement) + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    stops[(at + stops.length) % stops.length].focus();
  });

  document.addEventListener("click", (event) => {
    if (!field.form.contains(event.target)) hits.replaceChildren();
  });
})();
