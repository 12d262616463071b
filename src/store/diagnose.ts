/** Looks at everything a store stands on, writes nothing, and says what to do about what it finds. */
import { access, constants } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Backend } from '../backend/contract.ts';
import { FsBackend } from '../backend/fs-backend.ts';
import { toHex } from '../bytes/bytes.ts';
import type { ErrorCode } from '../errors/codes.ts';
import { isStoreError } from '../errors/store-error.ts';
import type { StoreConfig } from '../format/index.ts';
import {
  checkGuardedJournal,
  checkGuardedKeys,
  type GuardedKeys,
  type GuardState,
  guardedKeys,
} from '../keys/index.ts';
import { listJournalPacks } from '../maintenance/journal-reader.ts';
import type { Head } from '../metadata/contract.ts';
import { nodeFileSystem } from '../runtime/file-system.ts';
import type { Connection } from './backends/connect.ts';
import { connectBackends } from './connect-store.ts';
import { describeFile } from './diagnose-file.ts';
import { describeSealing, guardFinding, LOCKED_FINDING } from './diagnose-sealing.ts';
import { checkExistingPlace, openPlace, type Place, readConfig, toPlace } from './location.ts';
import { openMetadata } from './open.ts';
import { rememberedOf } from './rollback-watch.ts';
import { SYSTEM_SURROUNDINGS } from './surroundings.ts';
import type { CallOptions, OpenOptions, StoreLocation } from './types.ts';
import { type Unlocking, unlockConfig, unlockMetadata } from './unlock.ts';
import type { DiagnosisReport, Finding } from './upkeep-types.ts';

const FREE_BYTES_LOW = 1024 ** 3;
const NODE_MAJOR_MIN = 24;
const NODE_MINOR_MIN = 7;
const MIB = 1024 ** 2;

/** What helps whatever was looked at. */
const ADVICE_OF_CODE: Readonly<Partial<Record<ErrorCode, string>>> = {
  PERMISSION_DENIED: 'run as the owner of the store, or let this user in',
  METADATA_ELSEWHERE:
    'name its database (--database, HOLDFAST_DATABASE), or none for a store that has its metadata itself',
  METADATA_BUSY: 'try again: another process is writing, or the database cannot be reached from here just now',
};

/** How far a store is, to be held against what is remembered of it. */
interface StoreState extends GuardedKeys {
  readonly head: Head;
  /** The newest commit that the metadata or the journal has. */
  readonly commit: number;
}

/** What a diagnosis may use: the metadata of a sealed store is looked into only with its keys. */
export type DiagnosisOptions = CallOptions & Pick<OpenOptions, 'keys' | 'rollbackGuard' | 'backendModules'>;

/**
 * Diagnoses this machine and, when a location is given, the store there: from Node to free space to the metadata.
 * A failure of what is looked at becomes a finding; only arguments of a wrong type are thrown.
 */
export async function diagnoseStore(
  location?: StoreLocation,
  options: DiagnosisOptions = {},
): Promise<DiagnosisReport> {
  const findings: Finding[] = [checkNode()];
  if (location !== undefined) await diagnosePlace(toPlace(location, options), findings, options);
  return Object.freeze({
    healthy: findings.every(({ status }) => status !== 'error'),
    findings: Object.freeze(findings),
  });
}

function checkNode(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const message = `${process.version} on ${process.platform} ${process.arch}`;
  if (major > NODE_MAJOR_MIN || (major === NODE_MAJOR_MIN && minor >= NODE_MINOR_MIN))
    return { subject: 'node', status: 'ok', message };
  return { subject: 'node', status: 'error', message, advice: `use Node ${NODE_MAJOR_MIN}.${NODE_MINOR_MIN} or newer` };
}

async function diagnosePlace(place: Place, findings: Finding[], options: DiagnosisOptions): Promise<void> {
  const look = async <T>(subject: string, advice: string, work: () => Promise<T>): Promise<T | undefined> => {
    options.signal?.throwIfAborted();
    try {
      return await work();
    } catch (error) {
      if (!isStoreError(error)) throw error;
      findings.push({
        subject,
        status: 'error',
        message: `${error.code}: ${error.message}`,
        advice: ADVICE_OF_CODE[error.code] ?? advice,
      });
      return undefined;
    }
  };
  const there = await look('location', 'give the folder of a store, or make one with `holdfast init`', async () => {
    await checkExistingPlace(place);
    return true;
  });
  if (!there) return;
  const opened = await look('backend', 'is the disk mounted, and may this user read the folder?', () =>
    openPlace(place, { readOnly: true, create: false }),
  );
  if (opened === undefined) return;
  const { backend } = opened;
  let connected: Connection | undefined;
  try {
    const config = await look('config', 'restore holdfast.json from a copy of the store', () =>
      readConfig(backend, { readOnly: true, signal: options.signal }),
    );
    if (config === undefined) return;
    findings.push({
      subject: 'config',
      status: 'ok',
      message: `store ${config.storeId}, format ${config.format}, chunking ${config.chunking}`,
    });
    findings.push(describeSealing(config));
    const { rollbackGuard } = options;
    const remembered = await look('rollback', 'name another folder, or give this user access to it', async () => {
      if (rollbackGuard === undefined) return undefined;
      const found = await rememberedOf(config.storeId, { rollbackGuard }, SYSTEM_SURROUNDINGS);
      findings.push(guardFinding(rollbackGuard, found));
      return found;
    });
    await look('disk', 'is the disk mounted?', () => diagnoseDisk(place, backend, findings));
    connected = await look('backends', 'is the folder one of the backends of this store?', () =>
      diagnoseBackends({ place, backend, config }, findings),
    );
    if (config.keys !== 'none' && options.keys === undefined) return void findings.push(LOCKED_FINDING);
    const unlocking = await look('keys', 'give a key of this store', () => unlockConfig(config, options.keys));
    if (unlocking === undefined) return;
    try {
      const state = await look('metadata', 'run `holdfast rebuild`: it makes the metadata anew from the packs', () =>
        diagnoseMetadata({ place, backend, control: connected?.control ?? backend, unlocking }, findings),
      );
      if (remembered === undefined || state === undefined) return;
      const advice = 'find out who put it there; if you restored a backup, open it once with --accept-rollback';
      await look('rollback', advice, async () => checkGuard(remembered, state));
    } finally {
      unlocking.end();
    }
  } finally {
    await connected?.control.close();
    await backend.close();
  }
}

/** Of a store with several backends: which can be reached. */
async function diagnoseBackends(
  store: { readonly place: Place; readonly backend: Backend; readonly config: StoreConfig },
  findings: Finding[],
): Promise<Connection> {
  const connection = await connectBackends(store, store.config, { readOnly: true });
  if (store.config.placement === undefined) return connection;
  for (const { facts, health } of connection.backends.links) {
    const subject = `backend ${facts.name}`;
    if (health.state === 'up') {
      findings.push({
        subject,
        status: 'ok',
        message: `${facts.mode}, weight ${facts.weight}, domain ${facts.domain}`,
      });
      continue;
    }
    findings.push({
      subject,
      status: 'warning',
      message: `cannot be used: ${health.lastError ?? 'it could not be opened'}`,
      advice:
        'bring it back; if it moved, `holdfast backend set --location`; if it is lost, `holdfast backend replace`',
    });
  }
  return connection;
}

async function diagnoseDisk(place: Place, backend: Backend, findings: Finding[]): Promise<void> {
  if (place.kind !== 'folder' && place.kind !== 'file') return;
  const folder = place.kind === 'file' ? dirname(place.file) : place.folder;
  const free = await nodeFileSystem.freeBytes(folder);
  const message = `${Math.floor(free / MIB)} MiB free in ${folder}`;
  findings.push(
    free >= FREE_BYTES_LOW
      ? { subject: 'disk', status: 'ok', message }
      : { subject: 'disk', status: 'warning', message, advice: 'free some space, or move the store to a larger disk' },
  );
  findings.push(
    (await mayWrite(folder))
      ? { subject: 'permissions', status: 'ok', message: 'this user may write to the folder' }
      : {
          subject: 'permissions',
          status: 'warning',
          message: 'this user may only read the folder',
          advice: 'run as the owner of the store to change it',
        },
  );
  findings.push(...(await describeFile(backend)));
  if (!(backend instanceof FsBackend)) return;
  const { wantedBytes, heldBytes } = await backend.reserveState();
  if (heldBytes >= wantedBytes)
    findings.push({
      subject: 'reserve',
      status: 'ok',
      message: `${Math.floor(heldBytes / MIB)} MiB kept for deletes on a full disk`,
    });
  else
    findings.push({
      subject: 'reserve',
      status: 'warning',
      message: 'the reserve for deletes on a full disk is not held',
      advice: 'free some space; it is set aside again at the next put',
    });
}

async function mayWrite(folder: string): Promise<boolean> {
  try {
    await access(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

async function diagnoseMetadata(
  store: {
    readonly place: Place;
    readonly backend: Backend;
    /** What all backends hold alike. */
    readonly control: Backend;
    readonly unlocking: Unlocking;
  },
  findings: Finding[],
): Promise<StoreState> {
  const { place, backend, unlocking } = store;
  const { config } = unlocking.opened;
  const metadata = await openMetadata(place, config, { backend, create: false, readOnly: true });
  try {
    const newest =
      config.keys === 'none' ? undefined : await unlockMetadata({ ...store, metadata }, { readOnly: true });
    const [counters, head] = await Promise.all([metadata.counters(), metadata.head()]);
    findings.push({
      subject: 'metadata',
      status: 'ok',
      message: `${counters.entries} entries, ${counters.chunks} chunks in ${counters.packs} packs, commit ${head.commit}`,
    });
    const [newestJournal] = (await listJournalPacks(store.control, head.commit)).toReversed();
    findings.push(diagnoseJournal(head, newestJournal?.journal.lastCommit));
    return {
      ...guardedKeys(newest?.config ?? config, newest?.keyring.schedule),
      head,
      commit: Math.max(head.commit, newestJournal?.journal.lastCommit ?? 0),
    };
  } finally {
    await metadata.close();
  }
}

function diagnoseJournal({ commit, flushed }: Head, newest: number | undefined): Finding {
  if (newest !== undefined) {
    return {
      subject: 'journal',
      status: 'warning',
      message: `the journal is at commit ${newest}, the metadata at ${commit}: it was restored from a copy, or the store is in use`,
      advice: 'open the store for writing once (any put or rm): it takes over what the journal knows',
    };
  }
  if (flushed < commit) {
    const message = `${commit - flushed} commits are not known to be in the journal: a process ended without closing, or the store is in use`;
    return { subject: 'journal', status: 'ok', message: `${message}; the next writer sees to them` };
  }
  return { subject: 'journal', status: 'ok', message: `whole up to commit ${commit}` };
}

/** As opening does, as far as it can be told without taking over the journal. */
function checkGuard(remembered: GuardState, { head, commit, ...keys }: StoreState): void {
  checkGuardedKeys(remembered, keys);
  const digest = remembered.commit === head.commit ? toHex(head.digest) : undefined;
  checkGuardedJournal(remembered, { commit, digest });
}
