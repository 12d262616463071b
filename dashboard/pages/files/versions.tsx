import { download } from '../../api/download.ts';
import { useMay } from '../../api/may.ts';
import { postJson, versionsOf } from '../../api/store.ts';
import type { EntryInfo, VersionInfo } from '../../api/types.ts';
import { formatBytes, formatTime } from '../../lib/format.ts';
import { useLoad } from '../../lib/load.ts';
import { Badge, Failure, Skeleton } from '../../parts/basics.tsx';
import { complain, tell } from '../../parts/toasts.tsx';

interface VersionsProps {
  readonly scope: string;
  readonly entry: EntryInfo;
  /** The version that is looked at. */
  readonly shown: string;
  readonly onShow: (version: VersionInfo) => void;
  readonly onChange: () => void;
}

interface RowProps extends Omit<VersionsProps, 'onChange'> {
  readonly version: VersionInfo;
  readonly onRestore: () => void;
}

function Row({ scope, entry, version, shown, onShow, onRestore }: RowProps) {
  const { write } = useMay();
  const { current, from, size, version: id } = version;
  const when = formatTime(from);
  return (
    <li>
      <span>
        {when} <span class="muted small">{formatBytes(size)}</span> {current && <Badge tone="good">Now</Badge>}
      </span>
      <span class="actions">
        {id === shown ? (
          <Badge>Shown</Badge>
        ) : (
          <button
            type="button"
            class="button"
            aria-label={`Show the version of ${when}`}
            onClick={() => onShow(version)}
          >
            Show
          </button>
        )}
        {!current && (
          <button
            type="button"
            class="button"
            aria-label={`Download the version of ${when}`}
            onClick={() => download({ scope, key: entry.key, version: id }).catch(complain)}
          >
            Download
          </button>
        )}
        {!current && write && (
          <button type="button" class="button" aria-label={`Restore the version of ${when}`} onClick={onRestore}>
            Restore
          </button>
        )}
      </span>
    </li>
  );
}

/** What a file was before, as far as that is kept. */
export function Versions({ onChange, ...props }: VersionsProps) {
  const { scope, entry } = props;
  const { value, error, reload } = useLoad(
    (signal) => versionsOf(entry.key, { scope, signal }),
    [scope, entry.key, entry.version, entry.modified],
  );
  const restore = async (version: string): Promise<void> => {
    try {
      await postJson('/restore', { key: entry.key, version, ifMatch: entry.version }, { scope });
      tell('The earlier version is back.');
      onChange();
    } catch (failure) {
      complain(failure);
    }
  };
  if (error) return <Failure error={error} onRetry={reload} />;
  if (!value) return <Skeleton rows={2} />;
  const { versions } = value;
  return (
    <section aria-labelledby="versions">
      <h3 id="versions">Versions</h3>
      {versions.length < 2 ? (
        <p class="muted">No earlier version of this file is kept.</p>
      ) : (
        <ul class="rows">
          {versions.map((version) => (
            <Row
              {...props}
              key={`${version.number ?? 'now'}`}
              version={version}
              onRestore={() => restore(version.version)}
            />
          ))}
        </ul>
      )}
    </section>
  );
}
