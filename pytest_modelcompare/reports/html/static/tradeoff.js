// Accuracy against cost or latency, with the Pareto front.

CHARTS.tradeoff = (data) => frame({
  grid: { left: 58, right: 34, top: 26, bottom: 48 },
  xAxis: axis(byName(data.log), data.axis, { axisLabel: { color: css("quiet"), hideOverlap: true, formatter: short } }),
  yAxis: accuracyAxis(),
  series: [
    {
      type: "line", name: "Pareto front", data: data.front, step: "end", showSymbol: false, silent: true, z: 0,
      lineStyle: { color: css("quiet"), width: 1.5 }, markLine: across(data.lines),
    },
    ...data.points.map((point) => intervals(point.name, [[point.x, point.low, point.high]], colour(point.colour))),
    {
      type: "scatter", name: "contestants", symbolSize: 12, labelLayout: { moveOverlap: "shiftY" },
      data: data.points.map((point) => ({
        name: point.name, value: [point.x, point.y], symbol: symbol(point.colour), itemStyle: { color: colour(point.colour) },
        tip: [point.name, `accuracy ${interval(point.y, point.low, point.high)}`, `${data.axis}: ${point.x_text}`],
      })),
      label: { show: true, position: "top", color: css("ink"), formatter: (point) => point.name },
    },
  ],
});
