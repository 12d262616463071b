import { useMemo, useState } from 'preact/hooks';
import { download } from '../../api/download.ts';
import { useMay } from '../../api/may.ts';
import { getJson } from '../../api/store.ts';
import type { EntryInfo, VersionInfo } from '../../api/types.ts';
import { formatBytes, formatTime } from '../../lib/format.ts';
import { nameOf } from '../../lib/key.ts';
import { useLoad } from '../../lib/load.ts';
import { Failure, Note, Skeleton } from '../../parts/basics.tsx';
import { Dialog } from '../../parts/dialog.tsx';
import { Icon } from '../../parts/icon.tsx';
import { complain } from '../../parts/toasts.tsx';
import { entryReader, Preview } from './preview.tsx';
import { RenameForm } from './rename-form.tsx';
import { Versions } from './versions.tsx';

interface FileDialogProps {
  readonly scope: string;
  readonly name: string;
  readonly onClose: () => void;
  /** Told of another name, or of none where only what is shown changed. */
  readonly onChange: (name?: string) => void;
  readonly onDelete: (entry: EntryInfo) => void;
}

function Facts({ entry }: { readonly entry: EntryInfo }) {
  const { size, contentType, modified, created, digest, attributes, chunks } = entry;
  return (
    <dl class="facts">
      <dt>Size</dt>
      <dd>{formatBytes(size)}</dd>
      <dt>Kind</dt>
      <dd>{contentType ?? 'not said'}</dd>
      <dt>Changed</dt>
      <dd>{formatTime(modified)}</dd>
      {created !== modified && <dt>First stored</dt>}
      {created !== modified && <dd>{formatTime(created)}</dd>}
      {Object.entries(attributes).flatMap(([name, value]) => [
        <dt key={`${name} name`}>{name}</dt>,
        <dd key={`${name} value`}>{value}</dd>,
      ])}
      <dt>Stored in</dt>
      <dd>{chunks === 1 ? 'one part' : `${chunks} parts`}</dd>
      <dt>Fingerprint</dt>
      <dd class="mono">{digest}</dd>
    </dl>
  );
}

interface BodyProps extends FileDialogProps {
  readonly entry: EntryInfo;
}

function Actions({ entry, scope, onDelete, onRename }: BodyProps & { readonly onRename: () => void }) {
  const { write } = useMay();
  return (
    <div class="actions">
      <button type="button" class="button primary" onClick={() => download({ scope, key: entry.key }).catch(complain)}>
        <Icon name="download" />
        Download
      </button>
      {write && (
        <button type="button" class="button" onClick={onRename}>
          <Icon name="pencil" />
          Rename
        </button>
      )}
      {write && (
        <button type="button" class="button danger" onClick={() => onDelete(entry)}>
          <Icon name="trash" />
          Delete
        </button>
      )}
    </div>
  );
}

function Body(props: BodyProps) {
  const { entry, scope, onChange } = props;
  const [old, setOld] = useState<VersionInfo>();
  const [isRenaming, setRenaming] = useState(false);
  const shown = old ?? entry;
  const version = old && !old.current ? old.version : undefined;
  const read = useMemo(() => entryReader(scope, entry.key, version), [scope, entry.key, entry.version, version]);
  return (
    <>
      <Actions {...props} onRename={() => setRenaming(!isRenaming)} />
      {isRenaming && <RenameForm scope={scope} name={entry.key} onDone={onChange} />}
      {old && !old.current && <Note tone="warn">{`You are looking at what this was on ${formatTime(old.from)}.`}</Note>}
      <Preview scope={scope} name={entry.key} contentType={shown.contentType} size={shown.size} read={read} />
      <Facts entry={entry} />
      <Versions
        scope={scope}
        entry={entry}
        shown={shown.version}
        onShow={setOld}
        onChange={() => {
          setOld(undefined);
          onChange();
        }}
      />
    </>
  );
}

/** One file: what is in it, what it was before, and what can be done with it. */
export function FileDialog(props: FileDialogProps) {
  const { scope, name, onClose, onChange } = props;
  const { value, error, reload } = useLoad(
    (signal) => getJson<EntryInfo>('/stat', { key: name, scope, signal }),
    [scope, name],
  );
  return (
    <Dialog title={nameOf(name)} isLarge onClose={onClose}>
      {name !== nameOf(name) && <p class="muted wrap small">{name}</p>}
      {error !== undefined && !value && <Failure error={error} onRetry={reload} />}
      {!value && !error && <Skeleton rows={5} />}
      {value && (
        <Body
          {...props}
          entry={value}
          onChange={(renamed) => {
            onChange(renamed);
            if (renamed === undefined) reload();
          }}
        />
      )}
    </Dialog>
  );
}
