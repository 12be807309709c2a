// SPDX-FileCopyrightText: secretops.infisical contributors
// SPDX-License-Identifier: GPL-3.0-or-later
(() => {
  "use strict";
  const table = document.querySelector("table");
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  const rows = [...body.rows];
  const tools = document.querySelector(".tools");
  const search = tools.querySelector("input");
  const shown = tools.querySelector("output");
  const words = new Intl.Collator("en", { numeric: true });
  const count = new Intl.NumberFormat("en");
  let texts = null;
  let timer = 0;

  // What has no value is NaN.
  const numberOf = (cell) => (cell.dataset.v ? Number(cell.dataset.v) : NaN);
  const timeOf = (cell) => Date.parse(cell.querySelector("time")?.dateTime);

  function sort(head) {
    const opposite = { ascending: "descending", descending: "ascending" };
    const order = opposite[head.getAttribute("aria-sort")] || head.dataset.first;
    const sign = order === "ascending" ? 1 : -1;
    const column = heads.indexOf(head);
    const read = { number: numberOf, time: timeOf, text: (cell) => cell.textContent }[head.dataset.kind];
    const keyed = rows.map((row) => ({ row, key: read(row.cells[column]) }));
    if (head.dataset.kind === "text") {
      keyed.sort((one, other) => sign * words.compare(one.key, other.key));
    } else {
      // Nothing comes last, whichever way.
      keyed.sort((one, other) =>
        isNaN(one.key) || isNaN(other.key) ? isNaN(one.key) - isNaN(other.key) : sign * (one.key - other.key));
    }
    const sorted = document.createDocumentFragment();
    keyed.forEach(({ row }) => sorted.append(row));
    body.append(sorted);
    heads.forEach((each) => each.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", order);
  }

  function filter() {
    texts ||= rows.map((row) => `${row.textContent} ${row.id}`.toLowerCase());
    const wanted = search.value.toLowerCase().split(/\s+/);
    let found = 0;
    rows.forEach((row, number) => {
      const fits = wanted.every((word) => texts[number].includes(word));
      if (row.hidden === fits) {
        row.hidden = !fits;
      }
      found += fits;
    });
    shown.textContent = `${count.format(found)} of ${count.format(rows.length)} shown`;
  }

  if (!rows[0].id) {
    return;
  }
  heads.forEach((head) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
  });
  table.tHead.addEventListener("click", (event) => {
    const button = event.target.closest("button");
    if (button) {
      sort(button.parentElement);
    }
  });
  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(filter, 120);
  });
  table.classList.add("live");
  tools.hidden = false;
  // A browser may have kept what was searched for.
  filter();
})();
