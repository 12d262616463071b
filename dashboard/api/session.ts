/** Who uses the dashboard, and of which server and namespace. */

import { Connection, type Outgoing } from '../../src/client/connection.ts';
import { isStoreError } from '../../src/errors/store-error.ts';
import { createValue } from '../lib/value.ts';
import type { Access } from './types.ts';

const TOKEN = 'holdfast.token';

/** Where the routes are: beside this page, whatever stands before both. */
export const BASE = location.origin + location.pathname.replace(/\/dashboard\/?$/, '');

/** Kept until the tab is closed, and nowhere else. */
let token: string | undefined = sessionStorage.getItem(TOKEN) ?? undefined;

/** Whether the server wants a token; `wrong`: it did not take the one it got. */
export const tokenWanted = createValue<'no' | 'yes' | 'wrong'>('no');
/** What may be done; `undefined` until the server has said so. */
export const access = createValue<Access | undefined>(undefined);
/** Whose files are shown; `default` are those in no namespace. */
export const namespace = createValue('default');

export function currentToken(): string | undefined {
  return token;
}

/** Sends a request; `scope` is the namespace it is about. */
export async function send(
  path: string,
  outgoing: Outgoing & { readonly key?: string | undefined; readonly scope?: string } = {},
): Promise<Response> {
  const { scope = 'default', ...rest } = outgoing;
  const options = { ...(token !== undefined && { token }), ...(scope !== 'default' && { namespace: scope }) };
  try {
    return await new Connection(BASE, options).send(path, rest);
  } catch (error) {
    if (isStoreError(error, 'TOKEN_REQUIRED')) tokenWanted.set(token === undefined ? 'yes' : 'wrong');
    throw error;
  }
}

/** Asks the server who we are, which is how the dashboard begins. */
export async function enter(): Promise<void> {
  const answer = await send('/access');
  const found = (await answer.json()) as Access;
  const [only] = found.namespaces ?? [];
  if (only !== undefined && !found.namespaces?.includes(namespace.get())) namespace.set(only);
  access.set(found);
  tokenWanted.set('no');
}

/** @throws what the server says of the token */
export async function signIn(given: string): Promise<void> {
  token = given.trim();
  await enter();
  sessionStorage.setItem(TOKEN, token);
}

export function signOut(): void {
  sessionStorage.removeItem(TOKEN);
  location.reload();
}
