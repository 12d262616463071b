import type { ProgressMeter } from '../progress/meter.ts';
import { inputsOf, type PutPlan, STDIN_PATH } from './plan.ts';

/**
 * Walks ahead of the put to learn how many bytes it will be, for bar and ETA. A second walk costs little beside reading
 * the files and keeps the memory of a put of a million files bounded.
 */
export async function countAhead(
  plan: PutPlan,
  meter: ProgressMeter,
  context: { readonly signal: AbortSignal; readonly avoid?: string | undefined },
): Promise<void> {
  if (plan.roots.some(({ path }) => path === STDIN_PATH)) return;
  let total = 0;
  for await (const input of inputsOf(plan, context)) {
    if (input.kind !== 'put') continue;
    const bytes = await input.countBytes();
    if (bytes === undefined || context.signal.aborted) return;
    total += bytes;
  }
  meter.expect(total);
}
