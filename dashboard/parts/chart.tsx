import { useEffect, useRef } from 'preact/hooks';
import uPlot from 'uplot';
import { useValue } from '../lib/value.ts';
import { theme } from './theme.tsx';

/** One line of a chart. */
export interface Series {
  readonly label: string;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly series: readonly Series[];
  readonly format: (value: number) => string;
  /** What the axis reaches at least: smaller differences mean nothing. */
  readonly least: number;
}

const HEIGHT = 190;
/** Room for "1,023 bytes/s". */
const AXIS_WIDTH = 100;
/** What the line shows at least: of two points of one second nobody could read the axis. */
const SPAN_SECONDS_MIN = 30;
/** Fewer make no line. */
const POINTS_MIN = 2;

function optionsOf({ series, format, least }: ChartProps, width: number): uPlot.Options {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string): string => style.getPropertyValue(`--${name}`).trim();
  const lines = { stroke: color('line'), width: 1 };
  const axis = { stroke: color('muted'), grid: lines, ticks: lines, font: '12px system-ui, sans-serif' };
  return {
    width,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: {
      x: { range: (_chart, min, max) => [Math.min(min, max - SPAN_SECONDS_MIN), max] },
      y: { range: (_chart, _min, max) => [0, Math.max(least, max * 1.1)] },
    },
    axes: [axis, { ...axis, size: AXIS_WIDTH, values: (_chart, ticks) => ticks.map((tick) => format(tick)) }],
    series: [
      {},
      ...series.map(({ label }, index) => ({
        label,
        stroke: color(`series-${index + 1}`),
        width: 2,
        points: { show: false },
      })),
    ],
  };
}

function dataOf({ times, series }: ChartProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])] as uPlot.AlignedData;
}

const newest = ({ values }: Series): number | undefined => values.findLast((value) => value !== null) ?? undefined;

/** Lines over time. What it shows last stands beside it as text, for those who do not see it. */
export function Chart(props: ChartProps) {
  const { title, times, series, format } = props;
  const box = useRef<HTMLDivElement>(null);
  const shown = useRef<uPlot>(null);
  const look = useValue(theme);
  const isDrawn = times.length >= POINTS_MIN;
  useEffect(() => {
    const element = box.current;
    if (!element || !isDrawn) return;
    // With what there is: a chart that was made empty keeps its empty axis until the data changes twice.
    const chart = new uPlot(optionsOf(props, element.clientWidth), dataOf(props), element);
    shown.current = chart;
    const resized = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: HEIGHT }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      chart.destroy();
    };
  }, [look, series.length, isDrawn]);
  useEffect(() => {
    shown.current?.setData(dataOf(props));
  }, [times, look, isDrawn]);
  return (
    <section class="card" aria-label={title}>
      <div class="card-head">
        <h2>{title}</h2>
        <p class="legend">
          {series.map((one, index) => {
            const last = newest(one);
            return (
              <span key={one.label} class="number">
                <i class={`series-${index + 1}`} />
                {`${one.label}: ${last === undefined ? '–' : format(last)}`}
              </span>
            );
          })}
        </p>
      </div>
      {!isDrawn && <p class="muted">Lines are drawn as numbers come in.</p>}
      <div ref={box} class="chart-box" aria-hidden="true" hidden={!isDrawn} />
    </section>
  );
}
