import { useEffect, useState } from 'preact/hooks';
import { useMay } from '../../api/may.ts';
import type { EntryInfo } from '../../api/types.ts';
import { countOf, formatAgo, formatBytes, formatTime } from '../../lib/format.ts';
import { nameOf, previewOf } from '../../lib/key.ts';
import { linkTo } from '../../lib/place.ts';
import { Empty, Failure, Skeleton, TickCell } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { type ListingPlace, useListing } from './use-listing.ts';

interface FileTableProps extends ListingPlace {
  readonly onOpen: (name: string) => void;
  readonly onDelete: (entries: readonly EntryInfo[]) => void;
}

function FolderRow({ prefix, hasTicks }: { readonly prefix: string; readonly hasTicks: boolean }) {
  return (
    <tr>
      {hasTicks && <td class="tick" />}
      <td colSpan={3}>
        <a class="file-name" href={linkTo('files', { prefix })}>
          <Icon name="files" class="folder" />
          <span>{nameOf(prefix)}</span>
        </a>
      </td>
    </tr>
  );
}

interface FileRowProps {
  readonly entry: EntryInfo;
  /** Names are told from there on. */
  readonly from: string;
  readonly isTicked: boolean;
  readonly onTick: ((isTicked: boolean) => void) | undefined;
  readonly onOpen: () => void;
}

function FileRow({ entry, from, isTicked, onTick, onOpen }: FileRowProps) {
  const { key, size, modified, contentType } = entry;
  const isPicture = previewOf(key, contentType).kind === 'picture';
  return (
    <tr>
      {onTick && <TickCell name={key} isTicked={isTicked} onTick={onTick} />}
      <td>
        <button type="button" class="link file-name" onClick={onOpen}>
          <Icon name={isPicture ? 'picture' : 'file'} />
          <span>{key.slice(from.length) || key}</span>
        </button>
      </td>
      <td class="end number">{formatBytes(size)}</td>
      <td class="end optional muted" title={formatTime(modified)}>
        {formatAgo(modified)}
      </td>
    </tr>
  );
}

function NothingHere({ prefix, search }: Pick<FileTableProps, 'prefix' | 'search'>) {
  const { put } = useMay();
  if (search !== '')
    return (
      <Empty icon="search" title="Nothing found">
        <p>{`No file ${prefix ? `in ${prefix}` : ''} has “${search}” in its name.`}</p>
      </Empty>
    );
  return (
    <Empty icon="files" title={prefix === '' ? 'No files yet' : 'This folder is empty'}>
      {put && <p>Drop files anywhere on this page, or choose them with “Upload files”.</p>}
    </Empty>
  );
}

interface SelectionProps {
  readonly ticked: readonly EntryInfo[];
  readonly onDelete: () => void;
  readonly onClear: () => void;
}

function Selection({ ticked, onDelete, onClear }: SelectionProps) {
  return (
    <div class="selection" role="status">
      <strong>{countOf(ticked.length, 'file')} selected</strong>
      <span class="actions">
        <button type="button" class="button" onClick={onClear}>
          Clear
        </button>
        <button type="button" class="button danger" onClick={onDelete}>
          <Icon name="trash" />
          Delete
        </button>
      </span>
    </div>
  );
}

interface HeadProps {
  readonly allTicked: boolean;
  readonly onTickAll: ((all: boolean) => void) | undefined;
}

function Head({ allTicked, onTickAll }: HeadProps) {
  return (
    <thead>
      <tr>
        {onTickAll && (
          <th class="tick">
            <input
              type="checkbox"
              aria-label="Select all files shown"
              checked={allTicked}
              onChange={(event) => onTickAll(event.currentTarget.checked)}
            />
          </th>
        )}
        <th scope="col">Name</th>
        <th scope="col" class="end">
          Size
        </th>
        <th scope="col" class="end optional">
          Changed
        </th>
      </tr>
    </thead>
  );
}

/** What lies in a folder, or what a search found. */
export function FileTable({ onOpen, onDelete, ...place }: FileTableProps) {
  const { prefix, search } = place;
  const { write } = useMay();
  const { listing, error, isLoading, more, reload } = useListing(place);
  const [ticks, setTicks] = useState<ReadonlySet<string>>(new Set());
  useEffect(() => setTicks(new Set()), [place.scope, prefix, search]);
  if (error && !listing) return <Failure error={error} onRetry={reload} />;
  if (!listing || (isLoading && listing.entries.length + listing.prefixes.length === 0))
    return (
      <section class="card">
        <Skeleton rows={8} />
      </section>
    );
  const { entries, prefixes, next } = listing;
  const ticked = entries.filter(({ key }) => ticks.has(key));
  const tick = (key: string, isTicked: boolean): void => {
    setTicks(new Set(isTicked ? [...ticks, key] : [...ticks].filter((one) => one !== key)));
  };
  if (entries.length + prefixes.length === 0 && next === undefined)
    return (
      <section class="card">
        <NothingHere {...place} />
      </section>
    );
  return (
    <section class="card flush" aria-label="Files" aria-busy={isLoading}>
      {ticked.length > 0 && (
        <Selection ticked={ticked} onClear={() => setTicks(new Set())} onDelete={() => onDelete(ticked)} />
      )}
      <table>
        <Head
          allTicked={ticked.length > 0 && ticked.length === entries.length}
          onTickAll={write ? (all) => setTicks(new Set(all ? entries.map(({ key }) => key) : [])) : undefined}
        />
        <tbody>
          {prefixes.map((folder) => (
            <FolderRow key={folder} prefix={folder} hasTicks={write} />
          ))}
          {entries.map((entry) => (
            <FileRow
              key={entry.key}
              entry={entry}
              from={prefix}
              isTicked={ticks.has(entry.key)}
              onTick={write ? (isTicked) => tick(entry.key, isTicked) : undefined}
              onOpen={() => onOpen(entry.key)}
            />
          ))}
        </tbody>
      </table>
      {isLoading && next !== undefined && <p class="more muted">Searching…</p>}
      {!isLoading && next !== undefined && (
        <div class="more">
          <button type="button" class="button" onClick={more}>
            Show more
          </button>
        </div>
      )}
    </section>
  );
}
