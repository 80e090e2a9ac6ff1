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

// lines: {name, y}: contestants that have no place on the x axis
function across(lines) {
  const quiet = css("quiet");
  return {
    symbol: "none", silent: true, animation: false, lineStyle: { color: quiet, type: "dashed", width: 1 },
    label: { position: "insideEndTop", color: quiet, fontSize: 11, formatter: (line) => line.name },
    data: lines.map((line) => ({ name: line.name, yAxis: line.y })),
  };
}
