import { describe, expect, it } from 'vitest';
import { CONTENT, faultyFixture, isWell } from '../support/faulty-inbox.ts';
import { inboxKeys, isSame, messagesOf, openAgain } from '../support/inbox.ts';

describe('adopting that fails', () => {
  const cases = [
    ...[1, 2].flatMap((nth) =>
      (['list', 'head', 'get'] as const).map((call) => ({ call, how: 'before', nth }) as const),
    ),
    ...[1, 2].flatMap((nth) => (['before', 'after'] as const).map((how) => ({ call: 'put', how, nth }) as const)),
    ...[1, 2].flatMap((nth) => (['before', 'after'] as const).map((how) => ({ call: 'delete', how, nth }) as const)),
  ];

  it.each(cases)('at $call $nth ($how) loses nothing and makes nothing twice', async ({ call, how, nth }) => {
    const fixture = await faultyFixture();
    const { faults, writer, store } = fixture;
    await writer.put('a', CONTENT);
    const { entries } = await store.stats();
    faults.fail({ call, how, nth, times: Number.POSITIVE_INFINITY });
    await store.inbox.adopt().catch(() => undefined);
    faults.heal();
    await store.close().catch(() => undefined);
    const next = await openAgain(fixture);
    const { refused } = await next.inbox.adopt();
    expect(refused).toEqual([]);
    expect(isSame(await next.get('a'), CONTENT)).toBe(true);
    expect(await next.stats()).toMatchObject({ entries: entries + 1 });
    // A head is never left without what adopts it; parts may be.
    expect((await inboxKeys(fixture)).filter((key) => key.endsWith('head'))).toEqual([]);
    expect(await isWell({ ...fixture, store: next })).toBe(true);
    for (const message of await messagesOf(fixture)) expect(await next.inbox.discard(message)).toBe(true);
  });
});
