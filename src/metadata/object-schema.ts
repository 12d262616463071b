/** The tables of objects, refs, histories, relations and policies, since version 3 of the schema. */
import type { Migration } from './schema.ts';

/** Their names; before version 3 nothing was kept of them, sums included. */
export const OBJECT_TABLES = ['objects', 'refs', 'histories', 'steps', 'relations', 'policies'] as const;

const NODES = [
  // Not a unique one: entries that swap their keys in one commit swap nodes, row after row. `check` looks instead.
  'CREATE INDEX relations_by_node ON relations (node)',
  'CREATE INDEX relations_by_parent ON relations (parent, node) WHERE parent > 0',
];

/** In a plain store. */
export const PLAIN_OBJECTS: Migration = ({ bytes, integer, keyedTable }) => {
  const keyed = (name: string, columns: string): string =>
    `CREATE TABLE ${name} (key ${bytes} NOT NULL PRIMARY KEY, ${columns}, digest ${bytes} NOT NULL) ${keyedTable}`;
  return [
    keyed('objects', `type ${integer} NOT NULL, stored ${integer} NOT NULL, entry ${bytes} NOT NULL`),
    keyed('refs', `target ${bytes} NOT NULL, moved ${integer} NOT NULL`),
    keyed('histories', `first ${integer} NOT NULL, last ${integer} NOT NULL, steps ${integer} NOT NULL`),
    keyed('steps', `time ${integer} NOT NULL, value ${bytes} NOT NULL`),
    keyed('relations', `node ${integer} NOT NULL, parent ${integer} NOT NULL, children ${integer} NOT NULL`),
    ...NODES,
    `CREATE TABLE policies (
      namespace ${integer} NOT NULL PRIMARY KEY, last ${integer}, for_ms ${integer}, digest ${bytes} NOT NULL
    )`,
  ];
};

/** In a sealed store: nodes of relations lie open, which tells how entries are related but not which. */
export const SEALED_OBJECTS: Migration = ({ bytes, integer, keyedTable }) => {
  const keyed = (name: string, clear = ''): readonly string[] => [
    `CREATE TABLE ${name} (
      lookup ${bytes} NOT NULL PRIMARY KEY, ${clear} namespace ${integer} NOT NULL, sealed ${bytes} NOT NULL
    ) ${keyedTable}`,
    `CREATE INDEX ${name}_by_namespace ON ${name} (namespace)`,
  ];
  return [
    ...keyed('objects'),
    ...keyed('refs'),
    ...keyed('histories'),
    ...keyed('steps'),
    ...keyed('relations', `node ${integer} NOT NULL, parent ${integer} NOT NULL,`),
    ...NODES,
    `CREATE TABLE policies (namespace ${integer} NOT NULL PRIMARY KEY, sealed ${bytes} NOT NULL)`,
  ];
};

/** Columns of either kind of store, for views that stand where an older metadata has no such table. */
export const OBJECT_COLUMNS = [
  ...['key', 'lookup', 'namespace', 'type', 'stored', 'entry', 'target', 'moved', 'first', 'last', 'steps', 'time'],
  ...['value', 'node', 'parent', 'children', 'for_ms', 'sealed', 'digest', 'refs', 'condemned'],
] as const;
