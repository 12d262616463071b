/** What is done to a store and to its model: drawn by fast-check, biased to what has gone wrong. */
import * as fc from 'fast-check';

const key = fc.constantFrom('a', 'b', 'c', 'ab', 'é');
/** Which of two processes does it. */
const by = fc.nat({ max: 1 });
const never = fc.constant(false);

function contentOf(isolated: fc.Arbitrary<boolean>) {
  return fc.record({
    bytes: fc.constantFrom(0, 1, 300, 3000, 66_000),
    seed: fc.integer({ min: 1, max: 3 }),
    noise: fc.boolean(),
    isolated,
  });
}

function changeOf(isolated: fc.Arbitrary<boolean>) {
  const put = fc.record({
    type: fc.constant('put' as const),
    key,
    content: contentOf(isolated),
    only: fc.constantFrom(undefined, undefined, undefined, 'absent' as const, 'present' as const, 'stale' as const),
  });
  const remove = fc.record({
    type: fc.constant('delete' as const),
    key,
    only: fc.constantFrom(undefined, undefined, 'present' as const, 'stale' as const),
  });
  const move = fc.record({
    type: fc.constantFrom('rename' as const, 'copy' as const),
    from: key,
    to: key,
    replace: fc.boolean(),
  });
  return fc.oneof({ arbitrary: put, weight: 5 }, { arbitrary: remove, weight: 2 }, { arbitrary: move, weight: 2 });
}

interface EntryParts {
  readonly namespace: fc.Arbitrary<string>;
  readonly isolated: fc.Arbitrary<boolean>;
}

function entrySteps({ namespace, isolated }: EntryParts) {
  const change = changeOf(isolated);
  const changes = fc.array(change, { minLength: 1, maxLength: 5 });
  return [
    { arbitrary: fc.record({ do: fc.constant('change' as const), by, namespace, change }), weight: 12 },
    {
      arbitrary: fc.record({ do: fc.constant('batch' as const), by, namespace, changes, throws: fc.boolean() }),
      weight: 3,
    },
    { arbitrary: fc.record({ do: fc.constantFrom('reopen' as const, 'abandon' as const), by }), weight: 2 },
    { arbitrary: fc.record({ do: fc.constant('rebuild' as const) }), weight: 1 },
  ];
}

const name = fc.constantFrom('a', 'b');
const quotaBytes = fc.constantFrom(undefined, 0, 3300, 100_000);
const namespaceChange = fc.oneof(
  { arbitrary: fc.record({ type: fc.constant('create' as const), name, quotaBytes }), weight: 3 },
  { arbitrary: fc.record({ type: fc.constant('quota' as const), name, quotaBytes }), weight: 1 },
  { arbitrary: fc.record({ type: fc.constant('drop' as const), name }), weight: 1 },
);
const keyChange = fc.constantFrom(
  'rotate' as const,
  'rotate' as const,
  'rekey' as const,
  'add' as const,
  'remove' as const,
);

/** Steps that plain and sealed stores take. */
const plainStep = fc.oneof(...entrySteps({ namespace: fc.constant('default'), isolated: never }));

/** Steps of sealed stores. */
const sealedStep = fc.oneof(
  ...entrySteps({
    namespace: fc.constantFrom('default', 'default', 'a', 'a', 'b'),
    isolated: fc.constantFrom(true, false, false),
  }),
  { arbitrary: fc.record({ do: fc.constant('namespace' as const), by, change: namespaceChange }), weight: 4 },
  { arbitrary: fc.record({ do: fc.constant('keys' as const), by, change: keyChange }), weight: 2 },
);

/** So many steps at most, and short sequences no more often than long ones. */
export function stepsOf(sealed: boolean, maxLength: number): fc.Arbitrary<Step[]> {
  const step: fc.Arbitrary<Step> = sealed ? sealedStep : plainStep;
  return fc.array(step, { minLength: 1, maxLength, size: 'max' });
}

export type Step = typeof sealedStep extends fc.Arbitrary<infer T> ? T : never;
