/** What a client process does, as it is told over IPC. */

/** One after the other over kept connections; `path` of the nth request is made of `prefix` and a number below `entries`. */
interface SmallGets {
  readonly what: 'gets';
  readonly prefix: string;
  readonly entries: number;
  readonly total: number;
  readonly inFlight: number;
  /** Of every answer. */
  readonly bytes: number;
}

interface Download {
  readonly what: 'download';
  readonly path: string;
  /** What it must have, as text. */
  readonly digest: string;
}

interface Upload {
  readonly what: 'upload';
  readonly path: string;
  readonly file: string;
}

/** Half of them download, half of them upload, until the process is ended; done when all of them have begun. */
interface Trickle {
  readonly what: 'trickle';
  readonly path: string;
  readonly clients: number;
}

export type Task = SmallGets | Download | Upload | Trickle;

/** What the process says when it is done. */
export type Told = { readonly seconds: number } | { readonly error: string };
