/** Of the calls a fault is about, those that it hits. */
export interface FaultTiming {
  /** The first call that is hit, counted from 1 when the fault is set. Default 1. */
  readonly nth?: number;
  /** Calls hit from then on. Default 1; `Infinity` for what stays broken. */
  readonly times?: number;
}

/** Counts calls against the faults that were set and says which call is hit. */
export class FaultSchedule<Fault extends FaultTiming> {
  #active: { readonly fault: Fault; seen: number }[] = [];

  add(fault: Fault): void {
    this.#active.push({ fault, seen: 0 });
  }

  clear(): void {
    this.#active = [];
  }

  /** Takes note of a call that `concerns` tells whether a fault is about. @returns the first fault that hits it */
  due(concerns: (fault: Fault) => boolean): Fault | undefined {
    let due: Fault | undefined;
    for (const active of this.#active) {
      const { fault } = active;
      if (!concerns(fault)) continue;
      active.seen += 1;
      const first = fault.nth ?? 1;
      if (active.seen >= first && active.seen < first + (fault.times ?? 1)) due ??= fault;
    }
    return due;
  }
}
