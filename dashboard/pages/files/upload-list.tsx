import { useMay } from '../../api/may.ts';
import { dismiss, retry, type Upload, uploads } from '../../api/uploads.ts';
import { formatBytes, formatPercent } from '../../lib/format.ts';
import { useValue } from '../../lib/value.ts';
import { Meter } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';

const SHOWN_MAX = 30;

function describe({ state, sent, file, problem }: Upload): string {
  switch (state) {
    case 'waiting':
      return 'Waiting';
    case 'sending':
      return sent >= file.size ? 'Being stored' : `${formatBytes(sent)} of ${formatBytes(file.size)}`;
    case 'exists':
      return 'There is a file of this name';
    case 'failed':
      return `Did not arrive: ${problem}`;
    default:
      return 'Stored';
  }
}

function Row({ upload }: { readonly upload: Upload }) {
  const { id, key, state, sent, file } = upload;
  const { write } = useMay();
  const share = file.size === 0 ? 1 : sent / file.size;
  return (
    <li>
      <div class="upload-name">
        <span class="wrap">{key}</span>
        <span class="muted small">{describe(upload)}</span>
        {state === 'sending' && <Meter share={share} label={`${key}: ${formatPercent(share * 100)} sent`} />}
      </div>
      <div class="actions">
        {state === 'exists' && write && (
          <button type="button" class="button" onClick={() => retry(id, true)}>
            Replace
          </button>
        )}
        {state === 'failed' && (
          <button type="button" class="button" onClick={() => retry(id)}>
            Try again
          </button>
        )}
        <button
          type="button"
          class="button quiet icon-only"
          aria-label={state === 'sending' || state === 'waiting' ? `Stop uploading ${key}` : `Dismiss ${key}`}
          onClick={() => dismiss(id)}
        >
          <Icon name="close" />
        </button>
      </div>
    </li>
  );
}

/** What is on its way, and what did not arrive. */
export function UploadList() {
  const all = useValue(uploads);
  if (all.length === 0) return null;
  const done = all.filter(({ state }) => state === 'done');
  const others = all.filter(({ state }) => state !== 'done');
  return (
    <section class="card" aria-labelledby="uploads">
      <div class="card-head">
        <h2 id="uploads">
          Uploads <span class="muted">{`${done.length} of ${all.length} stored`}</span>
        </h2>
        {others.length === 0 && (
          <button type="button" class="link" onClick={() => uploads.set([])}>
            Close
          </button>
        )}
      </div>
      <ul class="rows">
        {others.slice(0, SHOWN_MAX).map((upload) => (
          <Row key={upload.id} upload={upload} />
        ))}
      </ul>
      {others.length > SHOWN_MAX && <p class="muted">and {others.length - SHOWN_MAX} more</p>}
    </section>
  );
}
