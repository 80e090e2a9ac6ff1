// The heat map by class, and confusion matrices.

const shades = () => (DARK.matches ? ["#23282d", "#1d4b8f", "#7db4ff"] : ["#f3f6fb", "#8fb8ec", "#12509f"]);

// the two ends of a scale: what is written on a cell must be read on its shade
const written = (share) => ((share > .7) === DARK.matches ? "#10151b" : "#ffffff");

function scale(least, most, formatter) {
  return {
    min: least, max: most, dimension: 2, orient: "horizontal", left: "center", bottom: 0, itemHeight: 140, itemWidth: 10,
    text: [formatter(most), formatter(least)], inRange: { color: shades() }, textStyle: { color: css("quiet") },
  };
}

function names(labels, width, more) {
  return {
    type: "category", data: labels, axisTick: { show: false }, axisLine: { show: false },
    axisLabel: { color: css("quiet"), width, overflow: "truncate", fontSize: 11, ...more },
  };
}

CHARTS.heat = (data, choice) => {
  const cells = [];
  const many = data.labels.length > 30 || data.contestants.length > 12;
  const known = data.values[choice].flat().filter((value) => value !== null);
  const least = Math.floor(10 * Math.min(...known)) / 10;
  data.values[choice].forEach((row, y) => row.forEach((value, x) => {
    if (value === null) return;
    const tip = [data.contestants[x], `${data.labels[y]}, ${grouped(data.n[y])} test rows`, `${choice} ${share(value)}`];
    cells.push({ value: [x, y, value], tip, label: { color: written((value - least) / (1 - least || 1)) } });
  }));
  return frame({
    grid: { left: gutter(data.labels, 190), right: 16, top: 60, bottom: 40 },
    visualMap: scale(least, 1, tick),
    xAxis: { ...names(data.contestants, 90, { interval: 0, rotate: data.contestants.length > 5 ? 30 : 0 }), position: "top" },
    yAxis: { ...names(data.labels, 175, { interval: 0 }), inverse: true },
    series: [{
      type: "heatmap", name: choice, data: cells, itemStyle: { borderColor: css("card"), borderWidth: 1 },
      label: { show: !many, fontSize: 11, formatter: (cell) => share(cell.value[2]) },
    }],
  });
};

// shaded by the root of the share, so that rare confusions are seen beside the diagonal
CHARTS.confusion = (data, choice) => {
  const pairs = data.pairs[choice];
  const rowsOf = {};
  pairs.forEach(([truth, , rows]) => { rowsOf[truth] = (rowsOf[truth] || 0) + rows; });
  const answers = pairs.some((pair) => pair[1] < 0) ? [...data.labels, "(no answer)"] : data.labels;
  const cells = pairs.map(([truth, answer, rows]) => {
    const x = answer < 0 ? data.labels.length : answer;
    const part = rows / rowsOf[truth];
    const tip = [truth === answer ? `${data.labels[truth]}, right` : `${data.labels[truth]}, taken for ${answers[x]}`, `${grouped(rows)} of ${grouped(rowsOf[truth])}`];
    return { value: [x, truth, Math.sqrt(part), part], tip, label: { color: written(Math.sqrt(part)) } };
  });
  const few = data.labels.length <= 12;
  const every = Math.ceil(data.labels.length / 32) - 1;
  return frame({
    grid: { left: gutter(data.labels, 150), right: 16, top: 10, bottom: 120 },
    visualMap: scale(0, 1, tick),
    xAxis: names(answers, 90, { rotate: 60, interval: every }),
    yAxis: { ...names(data.labels, 135, { interval: every }), inverse: true },
    series: [{ type: "heatmap", name: choice, data: cells, label: { show: few, formatter: (cell) => share(cell.value[3]) } }],
  });
};
