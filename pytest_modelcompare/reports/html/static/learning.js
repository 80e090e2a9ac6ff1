// Data-efficiency curves, and the members of a sweep.

CHARTS.efficiency = (data) => frame({
  legend: legend(data.series.map((one) => one.name)),
  xAxis: axis(byName(data.log), "training rows", { axisLabel: { color: css("quiet"), hideOverlap: true, formatter: grouped } }),
  yAxis: accuracyAxis(),
  series: data.series.flatMap((one, number) => [
    {
      type: "line", name: one.name, symbol: symbol(one.colour), symbolSize: 9,
      lineStyle: { color: colour(one.colour), type: dash(one.colour) }, itemStyle: { color: colour(one.colour) },
      data: one.points.map(([x, y, low, high]) => ({ value: [x, y], tip: [one.name, `${grouped(x)} training rows`, interval(y, low, high)] })),
      ...(number === 0 ? { markLine: across(data.lines, data.series.flatMap((other) => other.points.map((point) => point[1])), 0) } : {}),
    },
    intervals(one.name, one.points.map(([x, , low, high]) => [x, low, high]), colour(one.colour)),
  ]),
});

CHARTS.sweep = (data, choice) => {
  const members = data.sweeps[choice];
  const stroke = colour(data.colours[choice]);
  const dots = (name, key, fill) => ({
    type: "scatter", name, symbolSize: 11, itemStyle: { color: fill, borderColor: stroke, borderWidth: 2 },
    data: members.map((one, row) => ({ value: [one[key], row], tip: [one.setting, `${name} ${share(one[key])}`] })).filter((dot) => dot.value[0] !== null),
  });
  return frame({
    legend: legend(["validation", "test"]),
    grid: { left: gutter(members.map((one) => `✓ ${one.setting}`), 190), right: 22, top: 34, bottom: 48 },
    xAxis: accuracyAxis({ nameGap: 30, splitNumber: 4 }),
    yAxis: {
      type: "category", inverse: true, data: members.map((one) => (one.selected ? `✓ ${one.setting}` : one.setting)),
      axisLabel: { color: css("ink"), width: 170, overflow: "truncate" }, axisLine: { lineStyle: { color: css("line") } }, axisTick: { show: false },
    },
    series: [
      intervals("test", members.map((one, row) => [row, one.low, one.high]), stroke, true),
      dots("validation", "validation", css("card")), dots("test", "test", stroke),
    ],
  });
};
