// The last 15 minutes, drawn by Chart.js. What happened to the gateway is in each chart as a thin bar of its own.

const SPAN = 900;  // seconds
const MARK_COLOURS = {
  start: '--soft', reload: '--accent', resize: '--accent', upgrade: '--accent', stop: '--warn',
  reload_failed: '--bad', upgrade_failed: '--bad', crash: '--bad',
};

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

class Timeline {
  /** `series`: [{ label, colour, value(point), fill }]; values stack on each other if `stacked`. */
  constructor(canvas, series, { stacked = false, log = false, unit } = {}) {
    this.series = series;
    this.marks = [];
    this.chart = new Chart(canvas, {
      type: 'line',
      data: {
        datasets: [
          ...series.map((each, at) => ({
            label: each.label, data: [], parsing: false, pointRadius: 0, pointHitRadius: 6, borderWidth: 1.5,
            tension: 0, fill: stacked ? (at === 0 ? 'origin' : '-1') : false, stack: 'all',
          })),
          { type: 'bar', label: 'Events', data: [], parsing: false, yAxisID: 'marks', barThickness: 2, grouped: false },
        ],
      },
      options: {
        animation: false, responsive: true, maintainAspectRatio: false, normalized: true,
        interaction: { mode: 'nearest', axis: 'x', intersect: false },
        scales: {
          x: { type: 'linear', offset: false, ticks: { stepSize: 180, includeBounds: false, maxRotation: 0, callback: format.minute }, grid: { drawTicks: false } },
          y: log
            ? { type: 'logarithmic', min: 0.1, ticks: { callback: decades }, grid: { drawTicks: false } }
            : { stacked, beginAtZero: true, suggestedMax: 1, ticks: { maxTicksLimit: 5, precision: 0 }, grid: { drawTicks: false } },
          marks: { axis: 'y', display: false, min: 0, max: 1 },
        },
        plugins: {
          legend: { align: 'end', labels: { boxWidth: 8, boxHeight: 8, padding: 8, filter: (item) => item.text !== 'Events' } },
          tooltip: {
            callbacks: {
              title: (items) => (items.length ? format.clock(items[0].parsed.x) : ''),
              label: (item) => (item.dataset.type === 'bar' ? this.marks[item.dataIndex].text
                : `${item.dataset.label}: ${unit(item.parsed.y)}`),
            },
          },
        },
      },
    });
    this.paint();
  }

  /** In the colours of the scheme that the reader has now. */
  paint() {
    const { options, data } = this.chart;
    options.color = colour('--soft');
    for (const scale of [options.scales.x, options.scales.y]) {
      scale.ticks.color = colour('--soft');
      scale.grid.color = colour('--grid');
      scale.grid.borderColor = colour('--line');
    }
    this.series.forEach((each, at) => {
      data.datasets[at].borderColor = colour(each.colour);
      data.datasets[at].backgroundColor = colour(each.colour) + (data.datasets[at].fill ? '55' : '');
    });
    data.datasets.at(-1).backgroundColor = this.marks.map((mark) => colour(MARK_COLOURS[mark.kind] || '--soft'));
    this.chart.update('none');
  }

  show(points, events, now) {
    const { options, data } = this.chart;
    // Soon after a start there is little to see, and it would be squeezed into a corner.
    options.scales.x.min = Math.max(now - SPAN, Math.min(points[0]?.time ?? now, now - 120));
    options.scales.x.ticks.stepSize = now - options.scales.x.min > 400 ? 180 : 60;
    options.scales.x.max = now;
    this.series.forEach((each, at) => {
      data.datasets[at].data = points.map((point) => ({ x: point.time, y: each.value(point) }));
    });
    this.marks = events.filter((event) => event.time > now - SPAN);
    data.datasets.at(-1).data = this.marks.map((mark) => ({ x: mark.time, y: 1 }));
    this.paint();
  }
}

function decades(value) {
  return Number.isInteger(Math.log10(value)) || value === 0.1 ? String(value) : '';
}

class Charts {
  constructor() {
    Chart.defaults.font.family = getComputedStyle(document.body).fontFamily;
    Chart.defaults.font.size = 11;
    const ms = (which) => (point) => (point.latency_s ? Math.max(0.1, point.latency_s[which] * 1000) : null);
    this.all = [
      new Timeline(byId('chart-rate'), [
        { label: '2xx', colour: '--c2', value: (point) => point.class_rates['2xx'] + point.class_rates['1xx'] },
        { label: '3xx', colour: '--c3', value: (point) => point.class_rates['3xx'] },
        { label: '4xx', colour: '--c4', value: (point) => point.class_rates['4xx'] },
        { label: '5xx', colour: '--c5', value: (point) => point.class_rates['5xx'] + point.class_rates.other },
      ], { stacked: true, unit: (n) => format.rate(n) + '/s' }),
      new Timeline(byId('chart-latency'), [
        { label: 'p50', colour: '--q50', value: ms('p50') },
        { label: 'p95', colour: '--q95', value: ms('p95') },
        { label: 'p99', colour: '--q99', value: ms('p99') },
      ], { log: true, unit: (n) => format.latency(n / 1000) }),
      new Timeline(byId('chart-load'), [
        { label: 'in flight', colour: '--q95', value: (point) => point.in_flight },
        { label: 'connections', colour: '--c3', value: (point) => point.connections },
        { label: 'tunnels', colour: '--c4', value: (point) => point.tunnels },
      ], { unit: format.count }),
    ];
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.all.forEach((each) => each.paint()));
  }

  show(points, events, now) {
    for (const each of this.all) each.show(points, events, now);
  }
}
