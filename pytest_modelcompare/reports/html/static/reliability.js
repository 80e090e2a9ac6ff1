// Reliability diagrams, and a gate's earlier sessions.

CHARTS.reliability = (data) => frame({
  legend: legend(data.series.map((one) => one.name)),
  xAxis: axis("value", "confidence", { min: 0, max: 1 }),
  yAxis: accuracyAxis({ min: 0, max: 1 }),
  series: [
    { type: "line", name: "calibrated", data: [[0, 0], [1, 1]], showSymbol: false, silent: true, z: 0, lineStyle: { color: css("quiet"), type: "dashed", width: 1 } },
    ...data.series.flatMap((one) => [
      {
        type: "line", name: one.name, symbol: symbol(one.colour), symbolSize: 8,
        lineStyle: { color: colour(one.colour), width: 1.5, type: dash(one.colour) }, itemStyle: { color: colour(one.colour) },
        data: one.bins.map(([confidence, accuracy, low, high, n]) => ({
          value: [confidence, accuracy], tip: [one.name, `says ${share(confidence)}`, `is right in ${interval(accuracy, low, high)}`, `${grouped(n)} rows`],
        })),
      },
      intervals(one.name, one.bins.map(([confidence, , low, high]) => [confidence, low, high]), colour(one.colour)),
    ]),
  ],
});

CHARTS.history = (data, choice) => {
  const sessions = data.gates[choice].filter((one) => one.value !== null && one.value !== undefined);
  const known = (number) => (number === undefined ? null : number);
  return frame({
    xAxis: { ...axis("category", "session"), data: sessions.map((one) => `${one.created.slice(0, 10)} ${(one.commit || "").slice(0, 7)}`) },
    yAxis: axis("value", "", {}),
    series: [
      { type: "line", name: "threshold", data: sessions.map((one) => known(one.threshold)), showSymbol: false, silent: true, step: "middle", lineStyle: { color: css("link"), type: "dashed", width: 1.5 } },
      intervals("interval", sessions.map((one, place) => [place, known(one.low), known(one.high)]), css("quiet")),
      {
        type: "line", name: choice, symbol: "circle", symbolSize: 10, lineStyle: { color: css("quiet"), width: 1 },
        data: sessions.map((one) => ({
          value: one.value, itemStyle: { color: css(one.outcome === "error" ? "fail" : one.outcome) },
          tip: [one.outcome, `${short(one.value)}${one.low === null || one.low === undefined ? "" : ` (${short(one.low)} to ${short(one.high)})`}`, one.created.slice(0, 16).replace("T", " "), one.branch, one.commit],
        })),
      },
    ],
  });
};
