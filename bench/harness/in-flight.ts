/** Does `work` for 0 to `total` - 1, `count` at a time. */
export async function inFlight(count: number, total: number, work: (nth: number) => Promise<unknown>): Promise<void> {
  let next = 0;
  const worker = async (): Promise<void> => {
    while (next < total) await work(next++);
  };
  await Promise.all(Array.from({ length: count }, worker));
}
