import { getJson } from '../api/store.ts';
import { formatBytes } from '../lib/format.ts';
import { useEvery, useLoad } from '../lib/load.ts';
import { Chart } from './chart.tsx';

/** What the server remembers of the space that was taken. */
interface History {
  readonly samples: readonly {
    readonly time: string;
    readonly logicalBytes: number;
    readonly uniqueBytes: number;
    readonly storedBytes: number;
  }[];
}

const REFRESH_MS = 30_000;

/** The space that is taken, since the server was started. */
export function SpaceChart() {
  const { value, reload } = useLoad((signal) => getJson<History>('/history', { signal }), []);
  useEvery(REFRESH_MS, reload);
  const samples = value?.samples ?? [];
  return (
    <Chart
      title="Space, since the server was started"
      times={samples.map(({ time }) => Date.parse(time) / 1000)}
      format={formatBytes}
      least={1000}
      series={[
        { label: 'On disk', values: samples.map(({ storedBytes }) => storedBytes) },
        { label: 'Different content', values: samples.map(({ uniqueBytes }) => uniqueBytes) },
        { label: 'Your files', values: samples.map(({ logicalBytes }) => logicalBytes) },
      ]}
    />
  );
}
