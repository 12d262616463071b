import { escapeControls } from './format-text.ts';

/** What a report says is still to do, for people. */
export function describePending(pending: readonly string[]): string {
  return ['NOT DONE YET. Still to do:', ...pending.map((one) => `  ${escapeControls(one)}`)].join('\n');
}
