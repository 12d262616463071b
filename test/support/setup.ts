/** What every test file has. Run for each of them: what is to happen once in a process is a module of its own. */
import './byte-equality.ts';
import './fixed-seed.ts';
