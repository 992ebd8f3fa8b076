// Interaction of a report: values under the pointer, curves that can be hidden, tables that can be sorted.
// The page is complete without it. Texts of runs are set as text, never as HTML.
"use strict";
(() => {
  const SVG = "http://www.w3.org/2000/svg";
  const MOST = 6;  // lines that the values are shown of at once
  const REACH = 24;  // pixels between the point next to the pointer and those of other lines that are shown with it

  function number(value) {
    if (typeof value !== "number") return "-";
    return Math.abs(value) >= 1000 ? Math.round(value).toLocaleString("en-US") : String(+value.toPrecision(4));
  }

  function element(name, text, parent) {
    const made = document.createElement(name);
    made.textContent = text;
    if (parent) parent.append(made);
    return made;
  }

  // Pixels of the points of a path, in the order of its values.
  const pixels = (path) => [...path.getAttribute("d").matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)].map((m) => [+m[1], +m[2]]);

  function nearest(points, x) {
    let best = 0;
    points.forEach((point, index) => {
      if (Math.abs(point[0] - x) < Math.abs(points[best][0] - x)) best = index;
    });
    return best;
  }

  function hover(figure) {
    const svg = figure.querySelector("svg");
    const plot = JSON.parse(figure.dataset.plot);
    const width = svg.viewBox.baseVal.width;
    const lines = [...svg.querySelectorAll("g.line")].map((group) => {
      const path = group.querySelector("path[stroke-linejoin]");
      const diamonds = [...group.querySelectorAll(".diamond")].map((each) => {
        const [x, y] = pixels(each)[0];
        return [x, y + 5];
      });
      return { group, color: path.getAttribute("stroke"), points: pixels(path), diamonds, data: plot.lines[group.dataset.line] };
    });
    const cross = document.createElementNS(SVG, "path");
    cross.setAttribute("stroke", "currentColor");
    cross.setAttribute("stroke-opacity", "0.5");
    cross.style.pointerEvents = "none";
    svg.append(cross);
    const tip = element("div", "", figure);
    tip.className = "tip";
    tip.hidden = true;

    function hide() {
      tip.hidden = true;
      cross.setAttribute("d", "");
    }

    // The point of each visible line that is nearest to x; those far from the nearest of all are left out.
    function entries(x, y) {
      const found = [];
      for (const line of lines) {
        if (line.group.classList.contains("off")) continue;
        if (line.points.length) {
          const index = nearest(line.points, x);
          const [px, py] = line.points[index];
          const at = line.data.points[index];
          const band = at.length > 2 ? ` (${number(at[2])} to ${number(at[3])})` : "";
          found.push({ line, px, py, x: at[0], text: `${line.data.label}: ${number(at[1])}${band}` });
        }
        line.diamonds.forEach(([px, py], index) => {
          if (Math.hypot(px - x, py - y) > 12) return;
          const [at, value, low, high, words] = line.data.marks[index];
          const text = `${line.data.label}, ${words}: ${number(value)} (${number(low)} to ${number(high)})`;
          found.push({ line, px, py, x: at, text, first: true });
        });
      }
      if (!found.length) return { place: null, found };
      const place = found.reduce((a, b) => (Math.abs(a.px - x) <= Math.abs(b.px - x) ? a : b));
      const near = found.filter((each) => Math.abs(each.px - place.px) <= REACH);
      near.sort((a, b) => (b.first || 0) - (a.first || 0) || Math.abs(a.py - y) - Math.abs(b.py - y));
      return { place, found: near };
    }

    function show(event) {
      const box = svg.getBoundingClientRect();
      const scale = width / box.width;
      const x = (event.clientX - box.left) * scale;
      const y = (event.clientY - box.top) * scale;
      if (y > 245 || x < 50) return hide();  // below the x axis is the legend
      const { place, found } = entries(x, y);
      if (!place) return hide();
      cross.setAttribute("d", `M${place.px} 10V238`);
      tip.replaceChildren();
      element("b", `${number(place.x)} ${plot.x}`, tip);
      for (const { line, text } of found.slice(0, MOST)) {
        const row = element("div", "", tip);
        element("i", "", row).style.background = line.color;
        row.append(text);
      }
      if (found.length > MOST) element("div", `and ${found.length - MOST} more`, tip);
      tip.hidden = false;
      const room = figure.clientWidth - tip.offsetWidth;
      const wanted = place.px / scale + 12;
      tip.style.left = `${Math.max(0, wanted <= room ? wanted : place.px / scale - 12 - tip.offsetWidth)}px`;
      tip.style.top = `${Math.max(0, y / scale - tip.offsetHeight - 8)}px`;
    }

    svg.addEventListener("pointermove", show);
    svg.addEventListener("pointerdown", show);
    svg.addEventListener("pointerleave", hide);
  }

  // The same curve is hidden in all plots of a gallery: over steps and over time.
  function legend(gallery) {
    const keys = [...gallery.querySelectorAll("figure[data-plot] g.key")];
    const name = (key) => key.querySelector("title").textContent;
    const isOff = (key) => key.classList.contains("off");

    function set(label, off) {
      for (const key of keys.filter((each) => name(each) === label)) {
        key.classList.toggle("off", off);
        key.setAttribute("aria-pressed", String(!off));
        key.closest("svg").querySelector(`g.line[data-line="${key.dataset.line}"]`).classList.toggle("off", off);
      }
    }

    function only(label) {
      const alone = keys.every((key) => isOff(key) === (name(key) !== label));
      for (const key of keys) set(name(key), !alone && name(key) !== label);
    }

    for (const key of keys) {
      key.setAttribute("role", "button");
      key.setAttribute("tabindex", "0");
      key.setAttribute("aria-pressed", "true");
      key.addEventListener("click", () => set(name(key), !isOff(key)));
      key.addEventListener("dblclick", () => only(name(key)));
      key.addEventListener("keydown", (event) => {
        if (event.key !== "Enter" && event.key !== " ") return;
        event.preventDefault();
        set(name(key), !isOff(key));
      });
    }
  }

  // Numbers by size, other words by the alphabet; cells without a value come last either way.
  function order(a, b, sign) {
    const [none, other] = [a === "-" || a === "", b === "-" || b === ""];
    if (none || other) return none - other;
    const value = (text) => parseFloat(text.replace(/,(?=\d{3})/g, "").replace("−", "-"));
    const isNumber = (text) => /^[-−+]?\d[\d,]*(\.\d*)?([eE][-+]?\d+)?(?![\w-])/.test(text);
    if (isNumber(a) && isNumber(b)) return sign * (value(a) - value(b));
    return sign * a.localeCompare(b, "en", { numeric: true });
  }

  function sortable(table) {
    const heads = [...table.tHead.rows[0].cells];
    heads.forEach((head, column) => {
      head.setAttribute("tabindex", "0");
      head.setAttribute("aria-sort", "none");
      const sort = () => {
        const before = head.getAttribute("aria-sort");
        const downFirst = head.textContent.includes("↑");
        const down = before === "none" ? downFirst : before === "ascending";
        for (const each of heads) each.setAttribute("aria-sort", "none");
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        const rows = [...table.tBodies[0].rows];
        const text = (row) => row.cells[column].textContent.trim();
        rows.sort((a, b) => order(text(a), text(b), down ? -1 : 1));
        table.tBodies[0].append(...rows);
      };
      head.addEventListener("click", sort);
      head.addEventListener("keydown", (event) => {
        if (event.key === "Enter") sort();
      });
    });
  }

  document.querySelectorAll("figure[data-plot]").forEach(hover);
  document.querySelectorAll(".gallery").forEach(legend);
  document.querySelectorAll(".wide > table").forEach(sortable);
  document.documentElement.classList.add("live");
})();
