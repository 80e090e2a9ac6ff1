// The distribution of latencies, and cost against the number of predictions.

CHARTS.latency = (data) => frame({
  legend: legend(data.series.map((one) => one.name)),
  xAxis: axis(byName(data.log), "milliseconds per prediction", { axisLabel: { color: css("quiet"), hideOverlap: true, formatter: short } }),
  yAxis: axis("value", "share of predictions", { min: 0, max: 1, nameGap: 42 }),
  series: data.series.map((one) => ({
    type: "line", name: one.name, step: "end", showSymbol: false, symbol: symbol(one.colour), symbolSize: 6,
    lineStyle: { color: colour(one.colour), width: 2, type: dash(one.colour) }, itemStyle: { color: colour(one.colour) },
    data: one.values.map((value, place) => ({ value: [value, (place + 1) / one.values.length], tip: [one.name, `${Math.round(100 * (place + 1) / one.values.length)} % within ${short(value)} ms`] })),
    triggerLineEvent: true,
  })),
});

const MOST_PREDICTIONS = 1e8;
const PER_DECADE = 8;

CHARTS.break_even = (data) => {
  const volumes = [];
  for (let step = 0; 10 ** (step / PER_DECADE) <= MOST_PREDICTIONS; step += 1) volumes.push(Math.round(10 ** (step / PER_DECADE)));
  const distinct = [...new Set(volumes)];
  return frame({
    legend: legend(data.series.map((one) => one.name)),
    grid: { left: 66, right: 22, top: 34, bottom: 48 },
    xAxis: axis("log", "predictions", { min: 1, max: MOST_PREDICTIONS, axisLabel: { color: css("quiet"), hideOverlap: true, formatter: compact } }),
    yAxis: axis("log", "USD so far", { nameGap: 50, axisLabel: { color: css("quiet"), formatter: (value) => (value < 1 ? short(value) : compact(value)) } }),
    series: data.series.map((one) => ({
      type: "line", name: one.name, symbol: symbol(one.colour), symbolSize: 5, showSymbol: false,
      lineStyle: { color: colour(one.colour), width: 2, type: dash(one.colour) }, itemStyle: { color: colour(one.colour) },
      data: distinct.map((volume) => ({ value: [volume, one.fixed + one.each * volume], tip: [one.name, `${grouped(volume)} predictions: ${short(one.fixed + one.each * volume)} USD`] })).filter((dot) => dot.value[1] > 0),
    })),
  });
};
