"use strict";
(() => {
  const root = document.documentElement;
  const themes = ["auto", "light", "dark"];
  let theme = "auto";
  try { theme = localStorage.getItem("theme") || "auto"; } catch { /* a page from disk may not keep anything */ }
  const dress = () => {
    if (theme === "auto") delete root.dataset.theme; else root.dataset.theme = theme;
  };
  dress();
  root.classList.add("scripted");

  document.addEventListener("DOMContentLoaded", () => {
    const button = document.getElementById("theme");
    const name = () => { button.textContent = theme[0].toUpperCase() + theme.slice(1); };
    name();
    button.addEventListener("click", () => {
      theme = themes[(themes.indexOf(theme) + 1) % themes.length];
      try { localStorage.setItem("theme", theme); } catch { /* as above */ }
      dress();
      name();
    });

    for (const chart of document.querySelectorAll(".newest-last")) chart.scrollLeft = chart.scrollWidth;

    for (const tools of document.querySelectorAll("[data-filters]")) {
      const rows = [...document.querySelectorAll("#" + tools.dataset.filters + " tbody tr")];
      const told = tools.querySelector("output");
      const inputs = [...tools.querySelectorAll("select, input")];
      const fits = (row, input) => {
        if (input.type === "search") return row.textContent.toLowerCase().includes(input.value.trim().toLowerCase());
        if (input.type === "checkbox") return !input.checked || row.dataset[input.name] === "yes";
        return input.value === "" || row.dataset[input.name] === input.value;
      };
      const sift = () => {
        let shown = 0;
        for (const row of rows) {
          row.hidden = !inputs.every((input) => fits(row, input));
          if (!row.hidden) shown += 1;
        }
        told.textContent = shown === rows.length ? "" : shown + " of " + rows.length;
      };
      for (const input of inputs) input.addEventListener("input", sift);
    }
  });
})();
