"use strict";
// A list with boxes: counts what is selected, selects a whole page, keeps the selection when live rows come anew.
(() => {
  const chosen = new Set();
  const boxes = () => [...document.querySelectorAll('input[form="selection"]')];

  const tell = () => {
    const shown = boxes();
    const checked = shown.filter((box) => box.checked);
    for (const box of shown) box.closest("tr").classList.toggle("is-on", box.checked);
    const text = document.querySelector("[data-selected]");
    if (text) text.textContent = checked.length ? `${checked.length} selected` : "";
    const all = document.querySelector("[data-select-all]");
    if (!all) return;
    all.hidden = false;
    all.checked = shown.length > 0 && checked.length === shown.length;
    all.indeterminate = checked.length > 0 && checked.length < shown.length;
  };

  const restore = () => {
    for (const box of boxes()) box.checked = chosen.has(box.value);
    tell();
  };

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-select-all]")) for (const one of boxes()) one.checked = box.checked;
    else if (!box.matches('input[form="selection"]')) return;
    chosen.clear();
    for (const one of boxes()) if (one.checked) chosen.add(one.value);
    tell();
  });

  // the filters' form knows no link of a heading or pager: what the address says goes along with a selection's action
  document.addEventListener("submit", (event) => {
    const back = event.target.matches("#selection") && event.target.elements.back;
    if (back) back.value = location.search.slice(1);
  });

  document.addEventListener("htmx:load", (event) => {
    if (event.detail.elt.matches("#models, #dsat-cases")) restore();
  });

  for (const box of boxes()) if (box.checked) chosen.add(box.value); // the browser keeps boxes when somebody goes back
  tell();
})();
