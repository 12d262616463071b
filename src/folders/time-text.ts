import { storeError } from '../errors/store-error.ts';

const NS_PER_MS = 1_000_000n;
const NS_PER_SECOND = 1_000_000_000n;
/** What a `Date` holds: 100 million days around 1970. */
const SECONDS_MAX = 8_640_000_000_000n;

/** Rounds down, unlike `/` and `%` of bigint, so that times before 1970 have a positive fraction too. */
function splitSeconds(timeNs: bigint): { readonly seconds: bigint; readonly fraction: bigint } {
  const rest = timeNs % NS_PER_SECOND;
  const fraction = rest < 0n ? rest + NS_PER_SECOND : rest;
  return { seconds: (timeNs - fraction) / NS_PER_SECOND, fraction };
}

/**
 * A time as snapshots write it: `2026-11-21T20:00:00.123456789Z`, always with nine digits. Years outside 0 to 9999 have
 * six digits and a sign; times that no `Date` holds, some 270,000 years away, become the last one that it does.
 * @param timeNs nanoseconds since 1970
 */
export function formatTimeNs(timeNs: bigint): string {
  const { seconds, fraction } = splitSeconds(timeNs);
  const bounded = seconds > SECONDS_MAX ? SECONDS_MAX : seconds < -SECONDS_MAX ? -SECONDS_MAX : seconds;
  const text = new Date(Number(bounded) * 1000).toISOString();
  return `${text.slice(0, -4)}${String(fraction).padStart(9, '0')}Z`;
}

/**
 * Reads what `formatTimeNs` writes, and nothing else.
 * @returns nanoseconds since 1970
 * @throws `invalid/SOURCE_INVALID` for any other text
 */
export function parseTimeNs(text: string): bigint {
  const parts = /^((?:\d{4}|[+-]\d{6})-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/.exec(text);
  const ms = parts === null ? Number.NaN : Date.parse(`${parts[1]}Z`);
  // A date such as the 30th of February is read as one of March, which would come back as another text.
  if (parts === null || Number.isNaN(ms) || !new Date(ms).toISOString().startsWith(`${parts[1]}.`)) {
    throw storeError('SOURCE_INVALID', `${JSON.stringify(text)} is no time with nanoseconds`);
  }
  return BigInt(ms) * NS_PER_MS + BigInt(parts[2] as string);
}
