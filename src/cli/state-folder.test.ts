import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { stateFolder } from './state-folder.ts';

const home = path.resolve('/home/ann');

describe('the folder of the rollback guard', () => {
  it.each([
    ['linux', {}, path.join(home, '.local/state/holdfast')],
    ['linux', { XDG_STATE_HOME: path.resolve('/state') }, path.resolve('/state/holdfast')],
    ['linux', { XDG_STATE_HOME: 'relative' }, path.join(home, '.local/state/holdfast')],
    ['linux', { XDG_STATE_HOME: '' }, path.join(home, '.local/state/holdfast')],
    ['darwin', { XDG_STATE_HOME: path.resolve('/state') }, path.join(home, 'Library/Application Support/holdfast')],
    ['win32', {}, path.join(home, 'AppData/Local/holdfast')],
    ['win32', { LOCALAPPDATA: path.resolve('/local') }, path.resolve('/local/holdfast')],
    ['linux', { HOLDFAST_STATE: path.resolve('/mine'), XDG_STATE_HOME: path.resolve('/state') }, path.resolve('/mine')],
    ['win32', { HOLDFAST_STATE: 'here' }, path.resolve('here')],
  ] as const)('on %s with %j is %s', (platform, environment, folder) => {
    expect(stateFolder({ environment, platform, home })).toBe(folder);
  });
});
