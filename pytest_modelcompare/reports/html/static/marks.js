// What several charts draw: bars of intervals, dashed lines across.

// points: [x, low, high]; points without an interval are left out
function intervals(name, points, stroke, across) {
  return {
    type: "custom", name, silent: true, z: 1, itemStyle: { color: stroke },
    data: points.filter((point) => point[1] !== null && point[2] !== null),
    encode: across ? { x: [1, 2], y: 0 } : { x: 0, y: [1, 2] },
    renderItem(params, api) {
      const place = (end) => (across ? api.coord([api.value(end), api.value(0)]) : api.coord([api.value(0), api.value(end)]));
      const [from, to] = [place(1), place(2)];
      return {
        type: "line", shape: { x1: from[0], y1: from[1], x2: to[0], y2: to[1] },
        style: { stroke, lineWidth: 2, opacity: .55 },
      };
    },
  };
}

const CLOSE = .06; // of an axis: names of lines this close to each other would overlap
const ALONG = ["insideEndTop", "insideMiddleTop", "insideStartTop"];

// lines: {name, y}: contestants that have no place on the x axis; values: all that is drawn, for the axis' length
function across(lines, values, first) {
  const quiet = css("quiet");
  const span = Math.max(...values, ...lines.map((line) => line.y)) - Math.min(...values, ...lines.map((line) => line.y));
  let place = first;
  const sorted = [...lines].sort((one, other) => one.y - other.y);
  return {
    symbol: "none", silent: true, animation: false, lineStyle: { color: quiet, type: "dashed", width: 1 },
    label: { color: quiet, fontSize: 11, formatter: (line) => line.name },
    data: sorted.map((line, number) => {
      place = number && line.y - sorted[number - 1].y < CLOSE * span ? place + 1 : first;
      return { name: line.name, yAxis: line.y, label: { position: ALONG[place % ALONG.length] } };
    }),
  };
}
