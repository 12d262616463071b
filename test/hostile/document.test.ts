/** A thousand requests made of the OpenAPI document; `npm run test:slow -- http` makes many more. */
import { expect, it } from 'vitest';
import { noDocumentFigures, runDocumentRound } from './document-round.ts';

it('answers whatever its document says, and nothing else', async () => {
  const figures = noDocumentFigures();
  await runDocumentRound(Number(process.env.HOLDFAST_SEED ?? 1), 1000, figures);
  expect(figures.operations.size).toBeGreaterThan(120);
  expect(figures.accepted).toBeGreaterThan(100);
  expect(figures.forbidden).toBeGreaterThan(80);
});
