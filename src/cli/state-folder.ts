import path from 'node:path';

/** The machine, as far as it says where programs keep their state. */
export interface StateHints {
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly platform: NodeJS.Platform;
  readonly home: string;
}

/**
 * Where this user's `holdfast` remembers how far each sealed store was: HOLDFAST_STATE, else the place of the system
 * for what programs remember. Outside of every store, because it must not go back together with one.
 * @see XDG Base Directory Specification 0.8: a relative XDG_STATE_HOME is to be ignored
 */
export function stateFolder({ environment, platform, home }: StateHints): string {
  if (environment.HOLDFAST_STATE) return path.resolve(environment.HOLDFAST_STATE);
  if (platform === 'win32')
    return path.join(environment.LOCALAPPDATA || path.join(home, 'AppData', 'Local'), 'holdfast');
  if (platform === 'darwin') return path.join(home, 'Library', 'Application Support', 'holdfast');
  const base = environment.XDG_STATE_HOME;
  return path.join(base && path.isAbsolute(base) ? base : path.join(home, '.local', 'state'), 'holdfast');
}
