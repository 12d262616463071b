import { useCallback, useState } from 'preact/hooks';
import { useMay } from '../../api/may.ts';
import { send } from '../../api/session.ts';
import { addressOf, ITEMS_MAX, itemsOf, type SnapshotItem } from '../../api/snapshots.ts';
import type { SnapshotInfo } from '../../api/types.ts';
import { formatBytes, formatTime } from '../../lib/format.ts';
import { useLoad } from '../../lib/load.ts';
import { linkTo } from '../../lib/place.ts';
import { Empty, Failure, Note, PageHead, Skeleton, TickCell } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Preview } from '../files/preview.tsx';
import { RestoreItems } from './restore-items.tsx';
import { WhyKept } from './why-kept.tsx';

interface BrowseProps {
  readonly scope: string;
  readonly id: string;
  readonly folder: string;
  readonly snapshot: SnapshotInfo | undefined;
}

const SHOWN_MAX = 500;
const isFolder = ({ child }: SnapshotItem): boolean => child.type === 'tree';
const isFile = ({ child }: SnapshotItem): boolean => child.type !== 'tree' && child.type !== 'link';

interface RowProps {
  readonly id: string;
  readonly item: SnapshotItem;
  readonly isTicked: boolean;
  readonly onTick: ((isTicked: boolean) => void) | undefined;
  readonly onOpen: () => void;
}

function Row({ id, item, isTicked, onTick, onOpen }: RowProps) {
  const { path, child } = item;
  return (
    <tr>
      {onTick && <TickCell name={path} isTicked={isTicked} onTick={onTick} isChoice={isFile(item)} />}
      <td>
        {isFolder(item) ? (
          <a class="file-name" href={linkTo('snapshots', { id, folder: path })}>
            <Icon name="files" class="folder" />
            <span>{path}/</span>
          </a>
        ) : (
          <button type="button" class="link file-name" onClick={onOpen} disabled={!isFile(item)}>
            <Icon name="file" />
            <span>{path}</span>
          </button>
        )}
      </td>
      <td class="end number">{child.size === undefined ? '' : formatBytes(child.size)}</td>
    </tr>
  );
}

/** One file as it was. */
function ItemDialog({
  scope,
  id,
  item,
  onClose,
}: Omit<BrowseProps, 'folder' | 'snapshot'> & { item: SnapshotItem; onClose: () => void }) {
  const { path, child } = item;
  const read = useCallback(
    async (_bytes: number | undefined, signal: AbortSignal) => {
      const answer = await send('/snapshots/file', { scope, signal, query: { address: addressOf(id, path) } });
      return new Uint8Array(await answer.arrayBuffer());
    },
    [scope, id, path],
  );
  return (
    <Dialog title={path} isLarge onClose={onClose}>
      <Preview scope={scope} name={path} contentType={child.contentType} size={child.size ?? 0} read={read} />
      <WhyKept scope={scope} address={addressOf(id, path)} />
    </Dialog>
  );
}

function Items({ scope, id, items }: Omit<BrowseProps, 'folder' | 'snapshot'> & { items: readonly SnapshotItem[] }) {
  const { write } = useMay();
  const [ticks, setTicks] = useState<readonly string[]>([]);
  const [filter, setFilter] = useState('');
  const [open, setOpen] = useState<SnapshotItem>();
  const matching = items.filter(({ path }) => path.toLowerCase().includes(filter.toLowerCase()));
  return (
    <>
      <div class="toolbar">
        <input
          type="search"
          aria-label="Show only names with"
          placeholder="Show only names with…"
          value={filter}
          onInput={(event) => setFilter(event.currentTarget.value)}
        />
        {write && <RestoreItems {...{ scope, id }} paths={ticks} onDone={() => setTicks([])} />}
      </div>
      <section class="card flush" aria-label="Files of the snapshot">
        <table>
          <tbody>
            {matching.slice(0, SHOWN_MAX).map((item) => (
              <Row
                key={item.path}
                {...{ id, item }}
                isTicked={ticks.includes(item.path)}
                onTick={
                  write
                    ? (isTicked) =>
                        setTicks(isTicked ? [...ticks, item.path] : ticks.filter((one) => one !== item.path))
                    : undefined
                }
                onOpen={() => setOpen(item)}
              />
            ))}
          </tbody>
        </table>
        {(matching.length > SHOWN_MAX || items.length >= ITEMS_MAX) && (
          <p class="more muted">
            There are more. Type a part of a name above to find them among the first {ITEMS_MAX}.
          </p>
        )}
      </section>
      {open && <ItemDialog {...{ scope, id }} item={open} onClose={() => setOpen(undefined)} />}
    </>
  );
}

/** What lies in a snapshot. */
export function BrowseSnapshot({ scope, id, folder, snapshot }: BrowseProps) {
  const { value, error, reload } = useLoad((signal) => itemsOf(id, folder, { scope, signal }), [scope, id, folder]);
  return (
    <>
      <p>
        <a class="back" href={folder === '' ? linkTo('snapshots') : linkTo('snapshots', { id })}>
          <Icon name="back" />
          {folder === '' ? 'All snapshots' : 'Top of the snapshot'}
        </a>
      </p>
      <PageHead
        title={snapshot?.message || 'Snapshot'}
        about={snapshot && `${snapshot.ref}, ${formatTime(snapshot.time)}${folder && `, ${folder}/`}`}
      />
      {error !== undefined && !value && <Failure error={error} onRetry={reload} />}
      {!value && !error && <Skeleton rows={6} />}
      {value?.length === 0 && (
        <section class="card">
          <Empty icon="files" title="There is nothing in it" />
        </section>
      )}
      {value && value.length > 0 && <Items {...{ scope, id }} items={value} />}
      {!snapshot && value && <Note>No series names this snapshot any more.</Note>}
    </>
  );
}
