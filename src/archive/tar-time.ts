/** Times of archives: whole seconds since 1970 and nanoseconds, as tar counts; text of nanoseconds, as items have it. */

export interface TarTime {
  readonly seconds: number;
  /** 0 to 999,999,999, after the second: also before 1970. */
  readonly nanoseconds: number;
}

const TEXT = /^(\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2})(?:\.(\d{1,9}))?Z$/;
const DECIMAL = /^(-?)(\d{1,15})(?:\.(\d*))?$/;
/** The years 0 to 9999, which the text has digits for. */
const SECONDS_MIN = -62_167_219_200;
const SECONDS_MAX = 253_402_300_799;

/** Reads `2026-11-21T20:00:00.123456789Z`; `undefined` when it is none. */
export function parseTimeText(text: string): TarTime | undefined {
  const groups = TEXT.exec(text);
  const milliseconds = groups === null ? Number.NaN : Date.parse(`${groups[1]}Z`);
  if (groups === null || Number.isNaN(milliseconds)) return undefined;
  return { seconds: milliseconds / 1000, nanoseconds: Number((groups[2] ?? '').padEnd(9, '0')) };
}

/** Writes `2026-11-21T20:00:00.123456789Z`; `undefined` outside the years 0 to 9999. */
export function formatTimeText({ seconds, nanoseconds }: TarTime): string | undefined {
  if (!Number.isSafeInteger(seconds) || seconds < SECONDS_MIN || seconds > SECONDS_MAX) return undefined;
  const whole = new Date(seconds * 1000).toISOString().slice(0, -5);
  return `${whole}.${String(nanoseconds).padStart(9, '0')}Z`;
}

/** Reads the decimal of a pax record (POSIX.1-2017 pax, "File Times"), cut to nanoseconds; `undefined` when it is none. */
export function parseDecimalTime(text: string): TarTime | undefined {
  const groups = DECIMAL.exec(text);
  if (groups === null) return undefined;
  const seconds = Number(groups[2]);
  const nanoseconds = Number((groups[3] ?? '').slice(0, 9).padEnd(9, '0'));
  if (groups[1] === '') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds || 0, nanoseconds }
    : { seconds: -seconds - 1, nanoseconds: 1e9 - nanoseconds };
}

/** Writes the decimal of a pax record. */
export function formatDecimalTime({ seconds, nanoseconds }: TarTime): string {
  const isNegative = seconds < 0 && nanoseconds > 0;
  const whole = isNegative ? -seconds - 1 : seconds;
  const part = isNegative ? 1e9 - nanoseconds : nanoseconds;
  const digits = part === 0 ? '' : `.${String(part).padStart(9, '0').replace(/0+$/, '')}`;
  return `${isNegative ? '-' : ''}${whole}${digits}`;
}
