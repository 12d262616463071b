/** Rounds of requests made of the OpenAPI document, and those of Schemathesis where that is installed. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { noDocumentFigures, runDocumentRound } from '../../hostile/document-round.ts';
import { runProcess } from '../../support/run-process.ts';
import { serveStore } from '../../support/served-store.ts';
import { type CampaignOptions, runCampaign } from '../resumable.ts';

const REQUESTS = 2000;
const SEEDS_OF_ROUND = 1_000_000;

/**
 * Every phase but the one that follows links, which the document has none of. What it says in words alone (conditions, refs, headers)
 * is no rule to Schemathesis. Left out: streams of events, which have no end; jobs, of which one of a kind runs at a time (503);
 * bodies that it cannot make. The rounds have all of those.
 */
const SCHEMATHESIS = [
  ...['--checks', 'all', '--exclude-checks', 'ignored_auth,negative_data_rejection,positive_data_acceptance'],
  ...['--max-examples', '15', '--phases', 'examples,coverage,fuzzing'],
  ...['--exclude-path-regex', '^/events$|^/jobs|/uploads/|/snapshots/tar'],
];

/** @throws when an answer was not as the document says; the message names round and request */
export async function runHttp(options: CampaignOptions): Promise<void> {
  const figures = noDocumentFigures();
  await runCampaign(options, {
    name: 'rounds',
    savedAfter: 1,
    run: (start) => runDocumentRound(options.seed * SEEDS_OF_ROUND + start, REQUESTS, figures),
    figures: () =>
      `${figures.requests} requests to ${figures.operations.size} operations, ${figures.accepted} accepted, ` +
      `${figures.forbidden} that the document forbids refused`,
  });
  if (options.only === undefined) await runSchemathesis(options);
}

async function runSchemathesis({ seed, say }: CampaignOptions): Promise<void> {
  const has = await runProcess('st', ['--version'], { cwd: tmpdir(), env: process.env }).catch(() => undefined);
  if (has === undefined)
    return say('Schemathesis was not run: `pip install schemathesis` in a virtual environment, and have `st` in PATH');
  // It leaves things where it runs.
  const folder = await mkdtemp(path.join(tmpdir(), 'holdfast-http-'));
  try {
    await using served = await serveStore({ uploads: { folder: path.join(folder, 'uploads') } });
    const args = ['run', `${served.url}/openapi.json`, ...SCHEMATHESIS, '--seed', `${seed}`];
    const { status, stdout, stderr } = await runProcess('st', args, { cwd: folder, env: process.env });
    say(stdout.split('\n').slice(-30).join('\n'));
    if (status !== 0) throw new Error(`Schemathesis found something:\n${stdout}\n${stderr}`);
  } finally {
    await rm(folder, { recursive: true });
  }
}
