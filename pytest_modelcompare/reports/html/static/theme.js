// Colours of both themes, and what every chart begins with.

const DARK = matchMedia("(prefers-color-scheme: dark)");
const PALETTE = {
  light: ["#1f6fd1", "#d9570f", "#14885f", "#a03bb0", "#a87700", "#c2255c", "#0e8a99", "#6b4e2e", "#5f6b7a", "#5b5bd6"],
  dark: ["#6aa9ff", "#ff9a5c", "#4fd1a0", "#d88be6", "#e6c04a", "#ff7ea8", "#4fd3e0", "#c7a27a", "#a9b4c2", "#a5a5ff"],
};
const SYMBOLS = ["circle", "rect", "triangle", "diamond", "emptyCircle", "emptyRect", "emptyTriangle", "emptyDiamond"];
const DASHES = ["solid", "dashed", "dotted"];
const CHARTS = {}; // kind -> function (data, choice) -> option, filled by the other files

function colour(place) {
  const palette = PALETTE[DARK.matches ? "dark" : "light"];
  return palette[place % palette.length];
}

// contestants of one colour differ by their symbol and dash
const symbol = (place) => SYMBOLS[place % SYMBOLS.length];
const dash = (place) => DASHES[Math.floor(place / PALETTE.light.length) % DASHES.length];

function css(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

// a tooltip is HTML: every text in it is escaped here
function tip(lines) {
  return lines.filter((line) => line !== null && line !== undefined).map((line) => echarts.format.encodeHTML(String(line))).join("<br>");
}

function axis(type, name, more) {
  const quiet = css("quiet");
  return {
    type, name, nameLocation: "middle", nameGap: 30, scale: true,
    nameTextStyle: { color: quiet }, axisLabel: { color: quiet, hideOverlap: true },
    axisLine: { lineStyle: { color: css("line") } }, splitLine: { lineStyle: { color: css("line"), opacity: .6 } },
    ...more,
  };
}

const byName = (log) => (log ? "log" : "value");

function accuracyAxis(more) {
  return axis("value", "accuracy", { nameGap: 42, axisLabel: { color: css("quiet"), formatter: tick }, ...more });
}

function frame(option) {
  return {
    animation: false, aria: { enabled: true }, textStyle: { fontFamily: "system-ui, sans-serif" },
    grid: { left: 58, right: 22, top: 34, bottom: 48 },
    tooltip: {
      trigger: "item", confine: true, backgroundColor: css("card"), borderColor: css("line"), textStyle: { color: css("ink"), fontSize: 13 },
      formatter: (point) => (point.data && point.data.tip ? tip(point.data.tip) : tip([point.seriesName])),
    },
    ...option,
  };
}

function legend(names) {
  return { type: "scroll", top: 0, data: names, textStyle: { color: css("ink") }, pageTextStyle: { color: css("quiet") }, pageIconColor: css("link") };
}

// as the rest of the page prints it: .930
const share = (value) => Number(value).toFixed(3).replace(/^(-?)0\./, "$1.");

// on an axis or a scale: .9
const tick = (value) => Number(value).toFixed(3).replace(/\.?0+$/, "").replace(/^(-?)0\./, "$1.");

function interval(value, low, high) {
  return low === null || high === null ? share(value) : `${share(value)} (${share(low)} to ${share(high)})`;
}

// the room that names take left of a chart, in pixels
const gutter = (names, most) => Math.min(most, 18 + 7 * Math.max(...names.map((name) => name.length)));

const grouped = (value) => Number(value).toLocaleString("en-US");
const compact = (value) => Number(value).toLocaleString("en-US", { notation: "compact" });
const short = (value) => Number(Number(value).toPrecision(3)).toLocaleString("en-US", { maximumFractionDigits: 8 });
