// Draws every chart of the page, one after the other, and again when the theme changes.

const DATA = JSON.parse(document.getElementById("data").textContent);
const drawn = new Map(); // element id -> chart

function draw(name, chart) {
  const element = document.getElementById(name);
  const select = document.querySelector(`select[data-chart="${name}"]`);
  const first = Object.keys(chart.data.values || chart.data.pairs || chart.data.sweeps || chart.data.gates || {})[0];
  const picture = drawn.get(name) || echarts.init(element);
  picture.setOption(CHARTS[chart.kind](chart.data, select ? select.value : first), true);
  drawn.set(name, picture);
}

function drawAll() {
  document.querySelectorAll(".swatch").forEach((swatch) => { swatch.style.background = colour(Number(swatch.dataset.colour)); });
  const waiting = DATA.flatMap((suite) => Object.entries(suite.charts));
  (function next() {
    const one = waiting.shift();
    if (one === undefined) {
      document.documentElement.dataset.drawn = Math.round(performance.now()); // ms since loading began
      return;
    }
    draw(...one);
    setTimeout(next); // the page stays responsive between two charts
  }());
}

document.querySelectorAll("section.flipped").forEach((section) => flippedList(section, DATA[section.dataset.suite].flipped));
document.querySelectorAll("select[data-chart]").forEach((select) => {
  const charts = Object.assign({}, ...DATA.map((suite) => suite.charts));
  select.addEventListener("change", () => draw(select.dataset.chart, charts[select.dataset.chart]));
});
document.querySelectorAll("a.to-flips").forEach((link) => link.addEventListener("click", () => {
  document.querySelector(link.getAttribute("href")).dispatchEvent(new CustomEvent("choose", { detail: link.dataset.gate }));
}));
const sizes = new ResizeObserver((changes) => changes.forEach((change) => drawn.get(change.target.id)?.resize()));
document.querySelectorAll(".chart").forEach((element) => sizes.observe(element));
DARK.addEventListener("change", drawAll);
drawAll();
