import type { ComponentChild } from 'preact';
import { useState } from 'preact/hooks';
import { access, namespace } from '../api/session.ts';
import { getJson, postJson } from '../api/store.ts';
import type { NamespaceInfo } from '../api/types.ts';
import { countOf, formatBytes, formatTime } from '../lib/format.ts';
import { type Loaded, useLoad } from '../lib/load.ts';
import { goTo } from '../lib/place.ts';
import { useValue } from '../lib/value.ts';
import { Badge, Empty, Failure, Meter, PageHead, Skeleton } from '../parts/basics.tsx';
import { Ask } from '../parts/dialog.tsx';
import { complain } from '../parts/toasts.tsx';

interface Keys {
  readonly slots: readonly {
    readonly id: string;
    readonly type: string;
    readonly label: string;
    readonly created: string;
  }[];
  readonly writers: readonly { readonly fingerprint: string; readonly label: string; readonly namespace: string }[];
  readonly epochs: readonly { readonly epoch: number; readonly created: string; readonly packs: number }[];
}

const GIGABYTE = 1_000_000_000;
const SLOT_WORDS: Readonly<Record<string, string>> = {
  passphrase: 'Passphrase',
  'key-file': 'Key file',
  recipient: 'Somebody’s key',
};

function QuotaForm({ info, onClose, onDone }: { info: NamespaceInfo; onClose: () => void; onDone: () => void }) {
  const [text, setText] = useState(info.quotaBytes === undefined ? '' : String(info.quotaBytes / GIGABYTE));
  const save = async (): Promise<void> => {
    onClose();
    const quotaBytes = text.trim() === '' ? null : Math.round(Number(text) * GIGABYTE);
    try {
      await postJson(`/namespaces/${encodeURIComponent(info.name)}/quota`, { quotaBytes }, { method: 'PUT' });
      onDone();
    } catch (error) {
      complain(error);
    }
  };
  return (
    <Ask title={`Limit of ${info.name}`} action="Set" onDo={() => void save()} onClose={onClose}>
      <label class="field">
        At most so many GB
        <input
          type="number"
          min="0"
          step="any"
          placeholder="No limit"
          value={text}
          onInput={(event) => setText(event.currentTarget.value)}
        />
      </label>
    </Ask>
  );
}

function Namespace({ info, onChange }: { readonly info: NamespaceInfo; readonly onChange: () => void }) {
  const [isAsking, setAsking] = useState(false);
  const { name, entries, logicalBytes, quotaBytes } = info;
  const share = quotaBytes === undefined ? 0 : logicalBytes / Math.max(1, quotaBytes);
  const show = (): void => {
    namespace.set(name);
    goTo('files');
  };
  return (
    <li>
      <span class="job-text">
        <strong class="wrap">{name}</strong>
        <span class="number">{`${countOf(entries, 'file')}, ${formatBytes(logicalBytes)}${quotaBytes === undefined ? '' : ` of ${formatBytes(quotaBytes)}`}`}</span>
        {quotaBytes !== undefined && (
          <Meter
            share={share}
            label={`Limit of ${name}`}
            tone={share > 0.95 ? 'bad' : share > 0.8 ? 'warn' : 'plain'}
          />
        )}
      </span>
      <span class="actions">
        <button type="button" class="button" aria-label={`Files of ${name}`} onClick={show}>
          Files
        </button>
        <button type="button" class="button" aria-label={`Limit of ${name}`} onClick={() => setAsking(true)}>
          Limit
        </button>
      </span>
      {isAsking && <QuotaForm info={info} onClose={() => setAsking(false)} onDone={onChange} />}
    </li>
  );
}

function Namespaces() {
  const loaded = useLoad((signal) => getJson<{ namespaces: readonly NamespaceInfo[] }>('/namespaces', { signal }), []);
  return (
    <section class="card" aria-labelledby="namespaces">
      <h2 id="namespaces">Namespaces</h2>
      <p class="muted">Each has keys of its own: whoever has one sees nothing of the others.</p>
      <Told {...loaded}>
        {({ namespaces }) =>
          namespaces.length === 0 ? (
            <p>There are none yet. All files are in the store itself.</p>
          ) : (
            <ul class="rows">
              {namespaces.map((info) => (
                <Namespace key={info.name} info={info} onChange={loaded.reload} />
              ))}
            </ul>
          )
        }
      </Told>
    </section>
  );
}

/** What was asked for, once it is there. */
function Told<T>({ value, error, reload, children }: Loaded<T> & { readonly children: (value: T) => ComponentChild }) {
  if (value !== undefined) return <>{children(value)}</>;
  return error ? <Failure error={error} onRetry={reload} /> : <Skeleton rows={3} />;
}

function KeyLists({ slots, writers, epochs }: Keys) {
  return (
    <>
      <ul class="rows">
        {slots.map(({ id, type, label, created }) => (
          <li key={id}>
            <span class="job-text">
              <strong class="wrap">{label || SLOT_WORDS[type]}</strong>
              <span class="muted small">{`since ${formatTime(created)}`}</span>
            </span>
            <Badge>{SLOT_WORDS[type] ?? type}</Badge>
          </li>
        ))}
      </ul>
      <h3>Who may only add</h3>
      {writers.length === 0 ? (
        <p class="muted">Nobody.</p>
      ) : (
        <ul class="rows">
          {writers.map(({ fingerprint, label, namespace: where }) => (
            <li key={fingerprint}>
              <strong class="wrap">{label}</strong>
              <Badge>{where}</Badge>
            </li>
          ))}
        </ul>
      )}
      <h3>Renewals of the key</h3>
      <ul class="rows">
        {epochs.map(({ epoch, created, packs }) => (
          <li key={epoch}>
            <span>{formatTime(created)}</span>
            <span class="muted">{`${countOf(packs, 'pack')} of data`}</span>
          </li>
        ))}
      </ul>
    </>
  );
}

function KeysCard() {
  const loaded = useLoad((signal) => getJson<Keys>('/keys', { signal }), []);
  return (
    <section class="card" aria-labelledby="keys">
      <h2 id="keys">What opens the store</h2>
      <p class="muted">
        To let somebody in or shut somebody out: <code>holdfast key --help</code>
      </p>
      <Told {...loaded}>{(keys) => <KeyLists {...keys} />}</Told>
    </section>
  );
}

/** Who gets at the data: keys, namespaces and their limits. */
export function AccessPage() {
  const { sealed } = useValue(access) ?? {};
  return (
    <>
      <PageHead title="Access" about="Who gets at the data, and how much they may keep." />
      {sealed ? (
        <div class="grid">
          <Namespaces />
          <KeysCard />
        </div>
      ) : (
        <section class="card">
          <Empty icon="access" title="This store is not encrypted">
            <p>
              Whoever can read its folders can read the files, so there are no keys and no namespaces. A store becomes
              encrypted when it is made: <code>holdfast init</code>
            </p>
          </Empty>
        </section>
      )}
    </>
  );
}
