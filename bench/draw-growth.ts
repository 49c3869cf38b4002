import { readFileSync } from 'node:fs';
import { init, use } from 'echarts/core';
import { LineChart } from 'echarts/charts';
import { GridComponent, TitleComponent } from 'echarts/components';
import { SVGRenderer } from 'echarts/renderers';
import { TASKS } from './measure-growth.js';

/** `npm run -s bench:chart growth.jsonl > docs/images/growth.svg`: what `npm run bench -- growth` printed, as a chart. */
const CHARTS = [
  { title: 'From a start to its end, p50, in s', metric: 'from_start_to_end_p50' },
  { title: 'A poll, p99, in ms', metric: 'poll_p99' },
  { title: 'Processor, in cores', metric: 'processor' },
  { title: 'Memory of the service, in MB', metric: 'memory_service' },
];
const [WIDTH, HEIGHT] = [960, 560];
const [COLUMNS, LEFT, TOP, BETWEEN] = [2, 60, 60, 60];

const lines = readFileSync(process.argv[2] ?? 0, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('{'))
  .map((line) => JSON.parse(line) as { metric: string; value: number });

/** The figure of so many tasks; the median where it was measured several times. */
function valueOf(metric: string, tasks: number): number {
  const values = lines.filter((line) => line.metric === `${metric}_of_${tasks}_tasks`).map(({ value }) => value);
  const value = values.sort((a, b) => a - b)[Math.floor(values.length / 2)];
  if (value === undefined) throw new Error(`There is no ${metric} of ${tasks} tasks`);
  return value;
}

use([LineChart, GridComponent, TitleComponent, SVGRenderer]);
const rows = Math.ceil(CHARTS.length / COLUMNS);
const [width, height] = [
  (WIDTH - LEFT - BETWEEN * (COLUMNS - 1)) / COLUMNS - 20,
  (HEIGHT - TOP - BETWEEN * 1.5 * (rows - 1)) / rows - 40,
];
const places = CHARTS.map((_, n) => ({
  left: LEFT + (n % COLUMNS) * (width + BETWEEN),
  top: TOP + Math.floor(n / COLUMNS) * (height + BETWEEN * 1.5),
  width,
  height,
}));
const chart = init(null, null, { renderer: 'svg', ssr: true, width: WIDTH, height: HEIGHT });
chart.setOption({
  animation: false,
  backgroundColor: '#fff',
  title: CHARTS.map(({ title }, n) => ({
    text: title,
    left: places[n]?.left,
    top: (places[n]?.top ?? 0) - 36,
    textStyle: { fontSize: 14 },
  })),
  grid: places,
  xAxis: CHARTS.map((_, n) => ({
    gridIndex: n,
    type: 'category',
    data: TASKS.map((tasks) => tasks.toLocaleString('en')),
    name: 'tasks at once',
    nameLocation: 'middle',
    nameGap: 26,
  })),
  yAxis: CHARTS.map((_, n) => ({ gridIndex: n, type: 'value', min: 0 })),
  series: CHARTS.map(({ metric }, n) => ({
    type: 'line',
    xAxisIndex: n,
    yAxisIndex: n,
    data: TASKS.map((tasks) => valueOf(metric, tasks)),
    label: { show: true },
    color: '#2563eb',
  })),
});
process.stdout.write(chart.renderToSVGString());
