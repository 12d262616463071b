import { storeError } from '../errors/store-error.ts';
import type { NamespaceQuota } from './contract.ts';
import type { WorkingState } from './working-state.ts';

/**
 * Checks what is planned so far. A request that lets a namespace shrink passes even where it stays too large.
 * @throws `exhausted/QUOTA_EXCEEDED`
 */
export async function checkQuotas(state: WorkingState, quotas: readonly NamespaceQuota[]): Promise<void> {
  for (const { namespace, logicalBytesMax } of quotas) {
    const { grown, size } = await state.logicalBytes(namespace);
    if (grown <= 0 || size <= logicalBytesMax) continue;
    throw storeError(
      'QUOTA_EXCEEDED',
      `namespace ${namespace} would hold ${size} bytes, ${logicalBytesMax} are allowed`,
      {
        details: { namespace, size, expected: logicalBytesMax },
      },
    );
  }
}
