import { describe } from 'vitest';
import { describeEntries } from './entry-cases.ts';
import { describeJournal } from './journal-cases.ts';
import { describeLife } from './life-cases.ts';
import { describeListing } from './listing-cases.ts';
import { describePacks } from './pack-cases.ts';
import { describeReplay } from './replay-cases.ts';
import type { MetadataUnderTest } from './suite.ts';

/** The metadata contract as tests, for every database that implements it. */
export function describeMetadata(name: string, subject: MetadataUnderTest): void {
  describe(name, () => {
    describeEntries(subject);
    describeListing(subject);
    describePacks(subject);
    describeJournal(subject);
    describeReplay(subject);
    describeLife(subject);
  });
}
