import { describe, expect, it, vi } from 'vitest';
import { spreadOver } from '../../../test/support/spread.ts';
import { BackendProbe } from './backend-probe.ts';

describe('BackendProbe', () => {
  it('finds out that a backend is away, and that it is back', async () => {
    const { set, backends } = spreadOver(2);
    backends[1]?.fail({ call: 'head', how: 'before', times: Number.POSITIVE_INFINITY });
    const probe = new BackendProbe(set, 10);
    await vi.waitFor(() => expect(set.get(2).health.state).toBe('down'));
    expect(set.get(1).health).toMatchObject({ state: 'up', failures: 0 });
    backends[1]?.heal();
    await vi.waitFor(() => expect(set.get(2).health.state).toBe('up'));
    probe.stop();
    const calls = set.get(1).health.calls;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(set.get(1).health.calls).toBeLessThanOrEqual(calls + 1);
  });

  it('does not ask a backend again that has not answered', async () => {
    const { set, backends } = spreadOver(2);
    backends[0]?.fail({ call: 'head', how: 'wait', until: new Promise(() => undefined) });
    const probe = new BackendProbe(set, 5);
    await vi.waitFor(() => expect(set.get(2).health.calls).toBeGreaterThan(3));
    expect(backends[0]?.trace).toHaveLength(1);
    probe.stop();
  });
});
