/**
 * Property tests draw the same cases in each run, so that a change fails for what it does and not for what was drawn.
 * `HOLDFAST_SEED` draws others; what fails prints its seed either way.
 */
import { configureGlobal } from 'fast-check';

configureGlobal({ seed: Number(process.env.HOLDFAST_SEED ?? 1) });
