/** Time as Holdfast sees it; injected so that tests decide what time it is. */
export interface Clock {
  /** Wall clock, milliseconds since 1970-01-01 UTC. For people and records, never for correctness. */
  now(): number;
  /** Monotonic milliseconds from an arbitrary start, for durations. */
  monotonicMs(): number;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
};
