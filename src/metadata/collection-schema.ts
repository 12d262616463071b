/** What garbage collection keeps, since version 4 of the schema: counts of references, condemned rows, sessions. */
import type { Migration } from './schema.ts';

/** Names of the tables; before version 4 nothing was kept of them, sums included. */
export const COLLECTION_TABLES = ['uncounted'] as const;

const CONDEMNED_PACKS = 'CREATE INDEX packs_condemned ON packs (condemned) WHERE condemned > 0';
const UNCOUNTED_INDEXES = [
  'CREATE INDEX uncounted_in_order ON uncounted (parked, number)',
  'CREATE INDEX uncounted_by_epoch ON uncounted (parked, epoch)',
];

/** In a plain store. */
export const PLAIN_COLLECTION: Migration = ({ bytes, integer }) => [
  `ALTER TABLE items ADD COLUMN refs ${integer}`,
  `ALTER TABLE items ADD COLUMN condemned ${integer}`,
  `ALTER TABLE packs ADD COLUMN live_bytes ${integer}`,
  `ALTER TABLE packs ADD COLUMN condemned ${integer} DEFAULT 0`,
  `ALTER TABLE objects ADD COLUMN refs ${integer}`,
  `ALTER TABLE objects ADD COLUMN condemned ${integer}`,
  ...['epoch', 'beat', 'ended'].map((column) => `ALTER TABLE sessions ADD COLUMN ${column} ${integer}`),
  `ALTER TABLE sessions ADD COLUMN process ${bytes}`,
  `ALTER TABLE head ADD COLUMN epoch ${integer}`,
  `ALTER TABLE head ADD COLUMN next_reference ${integer}`,
  `ALTER TABLE head ADD COLUMN census ${bytes}`,
  `CREATE TABLE uncounted (
    number ${integer} NOT NULL PRIMARY KEY, epoch ${integer} NOT NULL, parked ${integer} NOT NULL,
    change ${integer} NOT NULL, kind ${integer} NOT NULL, value ${bytes} NOT NULL, namespace ${integer} NOT NULL,
    digest ${bytes} NOT NULL
  )`,
  CONDEMNED_PACKS,
  ...UNCOUNTED_INDEXES,
];

/** In a sealed store: that an item is condemned lies open, which tells no more than that it will go. */
export const SEALED_COLLECTION: Migration = ({ bytes, integer }) => [
  `ALTER TABLE items ADD COLUMN condemned ${integer}`,
  `ALTER TABLE packs ADD COLUMN condemned ${integer} DEFAULT 0`,
  `CREATE TABLE uncounted (
    number ${integer} NOT NULL PRIMARY KEY, epoch ${integer} NOT NULL, parked ${integer} NOT NULL,
    namespace ${integer} NOT NULL, sealed ${bytes} NOT NULL
  )`,
  CONDEMNED_PACKS,
  ...UNCOUNTED_INDEXES,
  'CREATE INDEX uncounted_by_namespace ON uncounted (namespace) WHERE namespace > 0',
];
