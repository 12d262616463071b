// `npm run bench`: runs the benches of this folder from their sources, which Node reads as they are.
import { runBenches } from './harness/run-benches.ts';

process.exitCode = await runBenches(process.argv.slice(2));
