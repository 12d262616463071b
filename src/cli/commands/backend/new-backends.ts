import type { NewBackend, Store } from '../../../index.ts';
import type { Session } from '../../session.ts';

/** What may stand before the first `=`: no path has it, unless it is written without `./`. */
const NAMED = /^([a-z0-9][a-z0-9._-]{0,62})=(.+)$/s;

/** A backend as it is typed: a folder, or `NAME=FOLDER`. */
export function parseNewBackend(text: string): NewBackend {
  const [, name, location] = NAMED.exec(text) ?? [];
  return name === undefined || location === undefined ? { location: text } : { name, location };
}

/** Tells what the placement of a store cannot give, when somebody has just decided on it. */
export async function warnOfPlacement(session: Session, store: Store): Promise<void> {
  const { warnings } = await store.backends.status({ signal: session.signal });
  const logger = session.logger();
  for (const warning of warnings) logger.warn(warning);
}
