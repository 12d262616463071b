import { LineChart } from 'echarts/charts';
import { GridComponent, LegendComponent, TitleComponent } from 'echarts/components';
import { init, use } from 'echarts/core';
import { SVGRenderer } from 'echarts/renderers';
import type { Curve } from './curve.ts';

const SIZE = { width: 640, height: 360 };

/** A curve as the text of an SVG: both axes logarithmic, a line for each operation. */
export function plotCurve({ title, along, unit, points }: Curve): string {
  use([LineChart, GridComponent, LegendComponent, TitleComponent, SVGRenderer]);
  const chart = init(null, null, { renderer: 'svg', ssr: true, ...SIZE });
  chart.setOption({
    animation: false,
    backgroundColor: '#ffffff',
    title: { text: title, left: 'center', textStyle: { fontSize: 14 } },
    legend: { bottom: 0 },
    grid: { left: 70, right: 30, top: 50, bottom: 75 },
    xAxis: {
      type: 'category',
      name: along,
      nameLocation: 'middle',
      nameGap: 26,
      data: points.map(({ label }) => label),
    },
    yAxis: { type: 'log', name: `processor µs a ${unit}` },
    series: Object.keys(points[0]?.costs ?? {}).map((operation) => ({
      type: 'line',
      name: operation,
      data: points.map(({ costs }) => Number(costs[operation]!.processorUs.toPrecision(3))),
    })),
  });
  const text = chart.renderToSVGString();
  chart.dispose();
  return `${text}\n`;
}
