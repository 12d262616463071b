/** Puts the inputs of a command line: many small files together, which costs a fraction of putting each alone. */
import { isStoreError } from '../../errors/store-error.ts';
import type { PutItem } from '../../index.ts';
import { mapInOrder } from '../../runtime/map-in-order.ts';
import { fileError, systemCodeOf } from '../file-error.ts';
import type { ProgressMeter } from '../progress/meter.ts';
import type { Session } from '../session.ts';
import { type Input, inputsOf, type PutInput, type PutPlan } from './plan.ts';
import type { PutOutcome, PutTarget } from './put-target.ts';
import { type SmallFile, SmallFiles } from './small-files.ts';

/** Inputs of one commit; when the command is interrupted these are what may have to be put again. */
const GROUP_INPUTS = 512;
/** One is being committed while the next one is read. */
const GROUPS_AT_ONCE = 2;
/** Below this, starting a thread costs more than it saves. */
const TOGETHER_MIN = 16;
/** Enough to share packs and commits; memory is bounded by the store, not by this. */
const ALONE_AT_ONCE = 32;

/** Small files of a group that are read ahead. */
const READ_AHEAD = 32;

export interface PutContext {
  readonly session: Session;
  readonly plan: PutPlan;
  readonly meter: ProgressMeter;
  readonly signal: AbortSignal;
  readonly avoid: string | undefined;
}

/** What became of an input. */
export type Outcome =
  | { readonly kind: 'done'; readonly path: string; readonly result: PutOutcome }
  | { readonly kind: 'failed'; readonly error: unknown }
  | Extract<Input, { kind: 'skipped' }>;

/** Whether an error is about one input only, so that the others can go on. */
function concernsOneInput(error: unknown, input: PutInput): boolean {
  if (systemCodeOf(error) !== undefined) return (error as { path?: unknown }).path === input.path;
  // A store that may not be written concerns them all.
  if (isStoreError(error, 'PERMISSION_DENIED')) return error.details.path === input.path;
  return isStoreError(
    error,
    'SOURCE_NOT_FOUND',
    'SOURCE_CHANGED',
    'SOURCE_INVALID',
    'KEY_INVALID',
    'ENTRY_EXISTS',
    'ENTRY_NOT_FOUND',
    'RELATION_CYCLE',
    'PRECONDITION_FAILED',
  );
}

/** Whether all options mean the same for many inputs in one commit: one that fails a condition would fail them all. */
function canGoTogether({ options }: PutPlan): boolean {
  const { ifAbsent, ifMatch, relations, isolation, redundancy } = options;
  return [ifAbsent, ifMatch, relations, isolation, redundancy].every((option) => option === undefined);
}

/**
 * Puts every input of the plan.
 * @yields what became of each, in their order
 * @throws what concerns more than one of them
 */
export async function* putInputs(target: PutTarget, context: PutContext): AsyncGenerator<Outcome> {
  const files = new SmallFiles(GROUPS_AT_ONCE * (READ_AHEAD + 1));
  const putting = { target, files, context };
  const put = async ({ input, outcome }: Taken): Promise<Outcome> =>
    outcome ?? (input.kind === 'put' ? await putAlone(input, putting) : input);
  try {
    yield* mapInOrder(takenOf(putting), ALONE_AT_ONCE, put);
  } finally {
    await files.close();
  }
}

/** An input, and what became of it where it was put together with others. */
interface Taken {
  readonly input: Input;
  readonly outcome: Outcome | undefined;
}

async function* takenOf(putting: Putting): AsyncGenerator<Taken> {
  const work = async (group: readonly Input[]): Promise<readonly Taken[]> => {
    const outcomes = await putTogether(group, putting);
    return group.map((input) => ({ input, outcome: outcomes.get(input) }));
  };
  for await (const group of mapInOrder(groupsOf(putting.context), GROUPS_AT_ONCE, work)) yield* group;
}

async function* groupsOf(context: PutContext): AsyncGenerator<readonly Input[]> {
  let group: Input[] = [];
  for await (const input of inputsOf(context.plan, context)) {
    group.push(input);
    if (group.length < GROUP_INPUTS) continue;
    yield group;
    group = [];
  }
  if (group.length > 0) yield group;
}

interface Putting {
  readonly target: PutTarget;
  readonly files: SmallFiles;
  readonly context: PutContext;
}

/** Puts the small files of a group. @returns what became of them; nothing of those that have to go alone */
async function putTogether(
  group: readonly Input[],
  { target, files, context }: Putting,
): Promise<ReadonlyMap<Input, Outcome>> {
  const { session, plan, meter } = context;
  const inputs = group.filter((input): input is PutInput => input.kind === 'put' && input.isFile);
  const outcomes = new Map<Input, Outcome>();
  if (!target.putMany || !canGoTogether(plan) || inputs.length < TOGETHER_MIN) return outcomes;
  const taken: PutInput[] = [];
  const items = smallItems(files, inputs, { options: plan.options, onTaken: (input) => taken.push(input) });
  const counting = countingOn(meter);
  try {
    const results = await target.putMany(items, { signal: session.signal, onProgress: counting.onProgress });
    for (const [index, result] of results.entries()) {
      const input = taken[index] as PutInput;
      outcomes.set(input, { kind: 'done', path: input.path, result });
      meter.addItem();
    }
  } catch (error) {
    if (session.signal.aborted || !taken.some((input) => concernsOneInput(error, input))) throw error;
    // Which one it is shows when each goes alone.
    counting.settle(0);
  }
  return outcomes;
}

async function* smallItems(
  files: SmallFiles,
  inputs: readonly PutInput[],
  to: { readonly options: PutPlan['options']; readonly onTaken: (input: PutInput) => void },
): AsyncGenerator<PutItem> {
  const read = async (input: PutInput): Promise<{ input: PutInput; file: SmallFile | undefined }> => ({
    input,
    file: await files.read(input.path),
  });
  for await (const { input, file } of mapInOrder(inputs, READ_AHEAD, read)) {
    if (file === undefined) continue;
    to.onTaken(input);
    yield { ...to.options, key: input.key, source: file.bytes };
    file.release();
  }
}

async function putAlone(input: PutInput, { target, context }: Putting): Promise<Outcome> {
  const { session, meter, plan } = context;
  const { onProgress, settle } = countingOn(meter);
  try {
    const result = await target.put(input.key, input.open(), { ...plan.options, signal: session.signal, onProgress });
    settle(result.size);
    meter.addItem();
    return { kind: 'done', path: input.path, result };
  } catch (error) {
    if (session.signal.aborted || !concernsOneInput(error, input)) throw error;
    return { kind: 'failed', error: fileError(error, input.path, 'read') };
  }
}

/** Counts the bytes of one call among those of others. */
function countingOn(meter: ProgressMeter) {
  let seen = 0;
  const settle = (bytes: number): void => {
    meter.addBytes(bytes - seen);
    seen = bytes;
  };
  return { settle, onProgress: ({ bytes }: { readonly bytes: number }): void => settle(bytes) };
}
