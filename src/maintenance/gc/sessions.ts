/** Whose operations hold a collection back, and which of them are taken for dead. */
import { equalBytes, toHex } from '../../bytes/bytes.ts';
import { SESSION_SILENCE_MS } from '../../limits.ts';
import type { Metadata, SessionRow } from '../../metadata/index.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { ProcessLife } from '../../runtime/process-life.ts';
import type { WaitingFor } from './report.ts';

/** A session and how it tells whether others live. */
export interface SessionContext {
  readonly metadata: Metadata;
  readonly clock: Clock;
  readonly life: ProcessLife;
  readonly session: Uint8Array;
}

async function othersOf({ metadata, session }: SessionContext): Promise<readonly SessionRow[]> {
  return (await metadata.listSessions()).filter(({ id, ended }) => !ended && !equalBytes(id, session));
}

/**
 * Fences sessions of processes that are gone or were silent for too long. Being wrong costs them what they have in
 * flight, never what is in the store: their commits are refused.
 * @returns how many
 */
export async function fenceDead(context: SessionContext): Promise<number> {
  const { metadata, clock, life } = context;
  const dead = (await othersOf(context)).filter(
    ({ process, beat }) => life.isGone(process) || clock.now() - beat > SESSION_SILENCE_MS,
  );
  if (dead.length > 0) await metadata.fenceSessions(dead.map(({ id }) => id));
  return dead.length;
}

/** Sessions with operations older than an epoch. */
export async function waitingFor(context: SessionContext, epoch: number): Promise<readonly WaitingFor[]> {
  const sessions = (await context.metadata.listSessions()).filter((one) => !one.ended && one.epoch < epoch);
  return sessions.map((one) => describeSession(one, context.clock.now()));
}

/** A session as a report tells of it. @param now milliseconds since 1970 */
export function describeSession(
  { id, process, beat }: Pick<SessionRow, 'id' | 'process' | 'beat'>,
  now: number,
): WaitingFor {
  return Object.freeze({ session: toHex(id), process, silentMs: Math.max(0, now - beat) });
}
