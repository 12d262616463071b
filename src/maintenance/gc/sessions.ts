/** Whose operations hold a collection back, and which of them are taken for dead. */
import { equalBytes, toHex } from '../../bytes/bytes.ts';
import { SESSION_SILENCE_MS } from '../../limits.ts';
import type { ListedSession, Metadata } from '../../metadata/index.ts';
import type { ProcessLife } from '../../runtime/process-life.ts';
import type { WaitingFor } from './report.ts';

/** A session and how it tells whether others live. */
export interface SessionContext {
  readonly metadata: Metadata;
  readonly life: ProcessLife;
  readonly session: Uint8Array;
}

async function othersOf({ metadata, session }: SessionContext): Promise<readonly ListedSession[]> {
  return (await metadata.listSessions()).filter(({ id, ended }) => !ended && !equalBytes(id, session));
}

/**
 * Fences sessions of processes that are gone or were silent for too long. Being wrong costs them what they have in
 * flight, never what is in the store: their commits are refused.
 * @returns how many
 */
export async function fenceDead(context: SessionContext): Promise<number> {
  const { metadata, life } = context;
  const dead = (await othersOf(context)).filter(
    ({ process, silentMs }) => life.isGone(process) || silentMs > SESSION_SILENCE_MS,
  );
  if (dead.length > 0) await metadata.fenceSessions(dead.map(({ id }) => id));
  return dead.length;
}

/** Sessions with operations older than an epoch. */
export async function waitingFor(context: SessionContext, epoch: number): Promise<readonly WaitingFor[]> {
  const sessions = (await context.metadata.listSessions()).filter((one) => !one.ended && one.epoch < epoch);
  return sessions.map(describeSession);
}

/** A session as a report tells of it. */
export function describeSession({
  id,
  process,
  silentMs,
}: Pick<ListedSession, 'id' | 'process' | 'silentMs'>): WaitingFor {
  return Object.freeze({ session: toHex(id), process, silentMs });
}
