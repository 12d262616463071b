/** Where and how long unfinished uploads are kept. */
export interface UploadOptions {
  /** A folder of this server's own; made when it is not there. What lies in it is sealed, but for whose it is and how large. */
  readonly folder: string;
  /** How long one is kept after its last byte. Default 24 hours, in milliseconds. */
  readonly keptMs?: number;
  /** Unfinished ones of one caller. Default 1,000. */
  readonly ofCallerMax?: number;
}
