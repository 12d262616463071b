import type { Backend } from '../backend/contract.ts';

/** Does what begins with an open backend, and closes it only where that fails. */
export async function closingOnFailure<T>(backend: Pick<Backend, 'close'>, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    await backend.close();
    throw error;
  }
}
