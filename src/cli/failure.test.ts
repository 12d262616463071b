import { CommanderError } from 'commander';
import { describe, expect, it } from 'vitest';
import { argumentRangeError } from '../errors/argument-error.ts';
import { ERROR_CODES, type ErrorCode, EXIT_STATUS } from '../errors/codes.ts';
import { storeError } from '../errors/store-error.ts';
import { describeFailure } from './failure.ts';
import { fileError } from './file-error.ts';
import { hintFor } from './hints.ts';
import { Interrupted } from './interrupt.ts';
import { usageError } from './usage-error.ts';

function systemError(code: string, path?: string): Error {
  return Object.assign(new Error(`${code}: oh no`), { code, path });
}

describe('describeFailure', () => {
  it.each(Object.entries(ERROR_CODES))('ends with the status of the kind: %s', (code, kind) => {
    const failure = describeFailure(storeError(code as ErrorCode, 'it failed', { details: { key: 'k' } }));
    expect(failure).toEqual({
      kind,
      code,
      message: 'it failed',
      details: { key: 'k' },
      exitStatus: EXIT_STATUS[kind],
      hint: hintFor(code),
    });
  });

  it('tells a wrong command line on one line', () => {
    const error = new CommanderError(
      1,
      'commander.unknownCommand',
      "error: unknown command 'putt'\n(Did you mean put?)",
    );
    expect(describeFailure(error)).toMatchObject({
      kind: 'invalid',
      code: 'ARGUMENT_INVALID',
      message: "unknown command 'putt' (Did you mean put?)",
      exitStatus: 2,
      hint: expect.stringContaining('--help'),
    });
    const ours = describeFailure(usageError('name one KEY'));
    expect(ours).toMatchObject({ code: 'ARGUMENT_INVALID', exitStatus: 2, hint: undefined });
  });

  it('takes a wrong argument of the library for a wrong command line', () => {
    const failure = describeFailure(argumentRangeError('compressionLevel', 'an integer from 1 to 19', 99));
    expect(failure).toMatchObject({
      code: 'ARGUMENT_INVALID',
      details: { parameter: 'compressionLevel' },
      exitStatus: 2,
    });
  });

  it('reports interruption as shells do', () => {
    expect(describeFailure(new Interrupted('SIGINT'))).toMatchObject({ kind: 'interrupted', exitStatus: 130 });
    expect(describeFailure(new Interrupted('SIGTERM'))).toMatchObject({ kind: 'interrupted', exitStatus: 143 });
  });

  it('tells the first failure when closing failed too', () => {
    const first = storeError('CHUNK_CORRUPT', 'first');
    const error = new SuppressedError(storeError('STORE_POISONED', 'second'), first);
    expect(describeFailure(error)).toMatchObject({ code: 'CHUNK_CORRUPT', exitStatus: 6 });
  });

  it('understands errors of the system', () => {
    expect(describeFailure(systemError('EACCES', '/x'))).toMatchObject({
      code: 'PERMISSION_DENIED',
      message: '/x: permission denied',
      exitStatus: 5,
    });
  });

  it.each([new TypeError('x is not a function'), 'a string', undefined])('calls the unknown a bug: %s', (error) => {
    expect(describeFailure(error)).toMatchObject({ kind: 'internal', code: 'UNEXPECTED', exitStatus: 70 });
  });
});

describe('fileError', () => {
  it.each([
    ['ENOENT', 'read', 'SOURCE_NOT_FOUND'],
    ['ENOENT', 'write', 'LOCATION_INVALID'],
    ['EPERM', 'write', 'PERMISSION_DENIED'],
    ['EROFS', 'write', 'PERMISSION_DENIED'],
    ['ENOSPC', 'write', 'DISK_FULL'],
    ['EDQUOT', 'write', 'DISK_FULL'],
    ['EISDIR', 'write', 'LOCATION_INVALID'],
    ['ENAMETOOLONG', 'write', 'LOCATION_INVALID'],
    ['EIO', 'read', 'BACKEND_IO'],
  ] as const)('means by %s on %s: %s', (system, use, code) => {
    const error = systemError(system);
    expect(fileError(error, 'f', use)).toMatchObject({ code, cause: error, details: { path: 'f', system } });
  });

  it('leaves other errors as they are', () => {
    const error = storeError('CHUNK_CORRUPT', 'x');
    expect(fileError(error, 'f', 'read')).toBe(error);
    const internal = Object.assign(new Error('x'), { code: 'ERR_STREAM_DESTROYED' });
    expect(fileError(internal, 'f', 'write')).toBe(internal);
  });
});

describe('hintFor', () => {
  it('gives one line', () => {
    for (const code of Object.keys(ERROR_CODES)) expect(hintFor(code) ?? '').not.toContain('\n');
    expect(hintFor('STORE_NOT_FOUND')).toContain('holdfast init');
    expect(hintFor('toString')).toBeUndefined();
    expect(hintFor('BLOB_EXISTS')).toBeUndefined();
  });
});
