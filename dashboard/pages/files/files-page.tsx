import { useRef, useState } from 'preact/hooks';
import { useMay } from '../../api/may.ts';
import { namespace } from '../../api/session.ts';
import type { EntryInfo } from '../../api/types.ts';
import { arrivals, upload } from '../../api/uploads.ts';
import { chosenFiles, type DroppedFile, droppedFiles } from '../../lib/dropped.ts';
import { goTo, usePlace } from '../../lib/place.ts';
import { useValue } from '../../lib/value.ts';
import { Empty, Note, PageHead } from '../../parts/basics.tsx';
import { Icon } from '../../parts/icon.tsx';
import { complain } from '../../parts/toasts.tsx';
import { DeleteFiles } from './delete-files.tsx';
import { FileDialog } from './file-dialog.tsx';
import { FileTable } from './file-table.tsx';
import { Path, SearchForm } from './toolbar.tsx';
import { UploadList } from './upload-list.tsx';

function UploadButtons({ onFiles }: { readonly onFiles: (files: readonly DroppedFile[]) => void }) {
  const input = useRef<HTMLInputElement>(null);
  return (
    <>
      <input
        ref={input}
        class="visually-hidden"
        type="file"
        multiple
        tabIndex={-1}
        aria-label="Files to upload"
        onChange={(event) => {
          onFiles(chosenFiles(event.currentTarget.files));
          event.currentTarget.value = '';
        }}
      />
      <button type="button" class="button primary" onClick={() => input.current?.click()}>
        <Icon name="upload" />
        Upload files
      </button>
    </>
  );
}

/** Takes what is dropped anywhere on the page. */
function useDrop(isAllowed: boolean, onFiles: (files: readonly DroppedFile[]) => void) {
  const [isOver, setOver] = useState(false);
  const handlers = {
    onDragOver: (event: DragEvent) => {
      if (!isAllowed || !event.dataTransfer?.types.includes('Files')) return;
      event.preventDefault();
      setOver(true);
    },
    onDragLeave: (event: DragEvent) => {
      if (!(event.currentTarget as Element).contains(event.relatedTarget as Node | null)) setOver(false);
    },
    onDrop: (event: DragEvent) => {
      event.preventDefault();
      setOver(false);
      if (isAllowed && event.dataTransfer) droppedFiles(event.dataTransfer).then(onFiles, complain);
    },
  };
  return { isOver, handlers };
}

interface BrowserProps {
  readonly scope: string;
  readonly prefix: string;
  readonly search: string;
  readonly open: string | undefined;
}

/** The list, and what is open above it. */
function Browser({ scope, prefix, search, open }: BrowserProps) {
  const [doomed, setDoomed] = useState<readonly EntryInfo[]>([]);
  const arrived = useValue(arrivals);
  const changed = (): void => arrivals.set(arrived + 1);
  const show = (name?: string): void => goTo('files', { prefix, search, open: name });
  return (
    <>
      <FileTable {...{ scope, prefix, search }} onOpen={show} onDelete={setDoomed} />
      {open !== undefined && doomed.length === 0 && (
        <FileDialog
          key={open}
          scope={scope}
          name={open}
          onClose={() => show()}
          onChange={(name) => {
            changed();
            if (name !== undefined) show(name);
          }}
          onDelete={(entry) => setDoomed([entry])}
        />
      )}
      {doomed.length > 0 && (
        <DeleteFiles
          scope={scope}
          files={doomed}
          onClose={() => setDoomed([])}
          onDone={() => {
            setDoomed([]);
            show();
            changed();
          }}
        />
      )}
    </>
  );
}

/** The files of the store, as folders that slashes make. */
export function FilesPage() {
  const { query } = usePlace();
  const { prefix = '', search = '', open } = query;
  const scope = useValue(namespace);
  const { read, put } = useMay();
  const take = (files: readonly DroppedFile[]): void =>
    upload(
      scope,
      files.map(({ path, file }) => ({ key: prefix + path, file })),
    );
  const { isOver, handlers } = useDrop(put, take);
  return (
    <div class={`drop ${isOver ? 'over' : ''}`} {...handlers}>
      <PageHead title="Files">{put && <UploadButtons onFiles={take} />}</PageHead>
      {read && (
        <div class="toolbar">
          <Path prefix={prefix} search={search} />
          <SearchForm prefix={prefix} search={search} />
        </div>
      )}
      <UploadList />
      {read ? (
        <Browser {...{ scope, prefix, search, open }} />
      ) : (
        <section class="card">
          <Empty icon="upload" title="Drop files here">
            <p>This token may add files, and see none.</p>
          </Empty>
        </section>
      )}
      {isOver && (
        <div class="drop-hint">
          <Note tone="good">{`Drop the files to store them ${prefix ? `in ${prefix}` : 'here'}.`}</Note>
        </div>
      )}
    </div>
  );
}
