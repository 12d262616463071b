import { describe, expect, it } from 'vitest';
import { RecordingStream } from '../../test/support/recording-stream.ts';
import { storeError } from '../errors/store-error.ts';
import { Session } from './session.ts';
import { OutputClosed, Terminal } from './terminal.ts';

function terminalOn(stdout: RecordingStream, stderr = new RecordingStream()): { terminal: Terminal; session: Session } {
  const terminal = new Terminal(stdout, stderr);
  return { terminal, session: new Session(terminal, new AbortController().signal) };
}

async function* contentOf(text: string): AsyncGenerator<Uint8Array> {
  yield Buffer.from(text);
}

describe('Terminal', () => {
  it('gathers lines for a pipe and shows each at once on a terminal', async () => {
    const pipe = new RecordingStream();
    const { terminal } = terminalOn(pipe);
    await terminal.print('a');
    await terminal.print('b');
    expect(pipe.writes).toEqual([]);
    await terminal.flush();
    expect(pipe.writes).toEqual(['a\nb\n']);
    const screen = new RecordingStream({ isTTY: true });
    await terminalOn(screen).terminal.print('a');
    expect(screen.writes).toEqual(['a\n']);
  });

  it('keeps lines before content', async () => {
    const pipe = new RecordingStream();
    const { terminal } = terminalOn(pipe);
    await terminal.print('a');
    await terminal.printContent(contentOf('b'));
    expect(pipe.text).toBe('a\nb');
  });

  it('takes the status line away before a note', () => {
    const stderr = new RecordingStream({ isTTY: true });
    const { terminal } = terminalOn(new RecordingStream(), stderr);
    terminal.status('50%');
    terminal.note('trouble');
    terminal.status('');
    expect(stderr.text).toBe('\r\u001b[K50%\r\u001b[Ktrouble\n');
  });

  it('shows no status line where nobody looks', () => {
    const stderr = new RecordingStream();
    terminalOn(new RecordingStream(), stderr).terminal.status('50%');
    expect(stderr.text).toBe('');
  });

  it('knows a reader that went away from a write that failed', async () => {
    const gone = new RecordingStream();
    gone.failure = 'EPIPE';
    const { terminal } = terminalOn(gone);
    await expect(terminal.printContent(contentOf('x'))).rejects.toBeInstanceOf(OutputClosed);
    await expect(terminal.printContent(contentOf('x'))).rejects.toBeInstanceOf(OutputClosed);
    const full = new RecordingStream();
    full.failure = 'ENOSPC';
    await expect(terminalOn(full).terminal.printContent(contentOf('x'))).rejects.toMatchObject({ code: 'DISK_FULL' });
  });
});

describe('Session', () => {
  it('goes on with its work when nobody reads the confirmations', async () => {
    const gone = new RecordingStream({ isTTY: true });
    gone.failure = 'EPIPE';
    const { session } = terminalOn(gone);
    await session.confirm({}, () => 'done');
    await session.conclude('all done');
    await expect(session.result({}, () => 'asked for')).rejects.toBeInstanceOf(OutputClosed);
  });

  it('prints results as text or JSON, and confirmations not with --quiet', async () => {
    const stdout = new RecordingStream({ isTTY: true });
    const { session } = terminalOn(stdout);
    await session.result({ a: 1 }, () => 'text');
    session.configure({ progress: true, json: true });
    await session.result({ a: 1 }, () => 'text');
    await session.conclude('no JSON');
    session.configure({ progress: true, quiet: true });
    await session.confirm({ a: 1 }, () => 'text');
    await session.result({ a: 1 }, () => 'result');
    expect(stdout.text).toBe('text\n{"a":1}\nresult\n');
  });

  it('ends with the status of the first failure', () => {
    const stderr = new RecordingStream();
    const { session } = terminalOn(new RecordingStream(), stderr);
    session.report(storeError('ENTRY_NOT_FOUND', 'no \u001b[31mentry'));
    session.fail(storeError('CHUNK_CORRUPT', 'worse'));
    session.endWith(1);
    expect(session.exitStatus).toBe(3);
    expect(stderr.text).toContain('holdfast: no \\x1b[31mentry\n');
    expect(stderr.text).toContain('holdfast: worse\nhint: run `holdfast check`');
  });

  it('prints stacks only with -v, and errors as JSON on request', () => {
    const stderr = new RecordingStream();
    const { session } = terminalOn(new RecordingStream(), stderr);
    session.fail(storeError('ENTRY_NOT_FOUND', 'absent'));
    expect(stderr.text).not.toContain('    at ');
    session.configure({ progress: true, verbose: true });
    session.fail(storeError('ENTRY_NOT_FOUND', 'absent'));
    expect(stderr.text).toContain('    at ');
    stderr.writes.length = 0;
    session.configure({ progress: true, json: true });
    session.fail(storeError('ENTRY_NOT_FOUND', 'absent', { details: { key: 'k' } }));
    expect(JSON.parse(stderr.text)).toEqual({
      error: { kind: 'not-found', code: 'ENTRY_NOT_FOUND', message: 'absent', details: { key: 'k' } },
    });
  });
});
