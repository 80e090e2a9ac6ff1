// Accuracy against cost or latency, with the Pareto front.

// names stand towards the middle: contestants that cost the same lie above each other, and a name above hides the next
function side(x, data) {
  const along = data.log ? Math.log : Number;
  const ends = data.points.map((point) => along(point.x));
  const [least, most] = [Math.min(...ends), Math.max(...ends)];
  return along(x) - least > (most - least) / 2 ? "left" : "right";
}

CHARTS.tradeoff = (data) => frame({
  grid: { left: 58, right: 34, top: 26, bottom: 48 },
  xAxis: axis(byName(data.log), data.axis, { axisLabel: { color: css("quiet"), hideOverlap: true, formatter: short } }),
  yAxis: accuracyAxis(),
  series: [
    {
      type: "line", name: "Pareto front", data: data.front, step: "end", showSymbol: false, silent: true, z: 0,
      lineStyle: { color: css("quiet"), width: 1.5 }, markLine: across(data.lines, data.points.map((point) => point.y), 2),
    },
    ...data.points.map((point) => intervals(point.name, [[point.x, point.low, point.high]], colour(point.colour))),
    {
      type: "scatter", name: "contestants", symbolSize: 12, labelLayout: { moveOverlap: "shiftY" },
      data: data.points.map((point) => ({
        name: point.name, value: [point.x, point.y], symbol: symbol(point.colour), itemStyle: { color: colour(point.colour) },
        label: { position: side(point.x, data) },
        tip: [point.name, `accuracy ${interval(point.y, point.low, point.high)}`, `${data.axis}: ${point.x_text}`],
      })),
      label: { show: true, color: css("ink"), textBorderColor: css("card"), textBorderWidth: 3, formatter: (point) => point.name },
    },
  ],
});
