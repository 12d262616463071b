/**
 * The command `holdfast` of a shell, run by the process of the tests that keeps one: hands over arguments, folder,
 * environment and input, prints what comes back, and ends with its status.
 *
 *     node relayed-process.ts <socket> <argument> ...
 */
import { createConnection } from 'node:net';
import { buffer, json } from 'node:stream/consumers';
import type { RelayedResult } from './cli-relay.ts';

const [socket = '', ...args] = process.argv.slice(2);
const input = (await buffer(process.stdin)).toString('base64');
const connection = createConnection(socket);
connection.end(JSON.stringify({ args, cwd: process.cwd(), env: process.env, input }));
const { status, stdout, stderr } = (await json(connection)) as RelayedResult;
process.stdout.write(stdout);
process.stderr.write(stderr);
process.exitCode = status ?? 1;
