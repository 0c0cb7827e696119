// Sorts the table of fields: by the buttons of its head, or by the list that a phone shows instead. Nothing is sent anywhere.
"use strict";
(() => {
  const table = document.querySelector("table.fields");
  if (!table) return;
  document.documentElement.classList.add("js");
  const heads = [...table.querySelectorAll("thead th[data-column]")];
  const said = document.querySelector("[data-sorted]");
  const list = document.querySelector("[data-sort]");
  const turn = document.querySelector("[data-turn]");

  const sort = (column, descending) => {
    const head = heads.find((it) => it.dataset.column === column);
    const numbers = head.dataset.kind === "number";
    const value = (body) => body.querySelector(`[data-of="${column}"]`).dataset.value;
    const bodies = [...table.tBodies].sort((one, other) => Number(one.dataset.place) - Number(other.dataset.place));
    const compared = (one, other) =>
      numbers ? Number(one) - Number(other) : one.localeCompare(other, undefined, { numeric: true });
    bodies.sort((a, b) => {
      const [one, other] = [value(a), value(b)];
      if (one === "" || other === "") return (one === "") - (other === "");
      return descending ? compared(other, one) : compared(one, other);
    });
    table.append(...bodies);
    for (const it of heads) it.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", descending ? "descending" : "ascending");
    list.value = column;
    turn.setAttribute("aria-pressed", String(descending));
    said.textContent = `Sorted by ${head.textContent.trim()}, ${descending ? "descending" : "ascending"}`;
  };

  for (const head of heads) {
    head.querySelector("button").addEventListener("click", () => {
      const now = head.getAttribute("aria-sort");
      sort(head.dataset.column, now ? now === "ascending" : head.dataset.kind === "number");
    });
  }
  list.addEventListener("change", () => sort(list.value, turn.getAttribute("aria-pressed") === "true"));
  turn.addEventListener("click", () => sort(list.value, turn.getAttribute("aria-pressed") !== "true"));
})();
