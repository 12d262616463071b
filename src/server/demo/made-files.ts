/** Files that are made, always the same ones: something to look at where nothing else comes with the package. */

const NOISE_FACTOR = 1_664_525;
const NOISE_STEP = 1_013_904_223;

/** Bytes that do not compress, by a linear congruential generator (Numerical Recipes); the same for the same seed. */
export function madeNoise(bytes: number, seed: number): Uint8Array {
  const noise = new Uint8Array(bytes);
  let state = seed >>> 0;
  for (let at = 0; at < bytes; at += 1) {
    state = (Math.imul(state, NOISE_FACTOR) + NOISE_STEP) >>> 0;
    noise[at] = state >>> 24;
  }
  return noise;
}

const CRC_POLYNOMIAL = 0xedb88320;
const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ CRC_POLYNOMIAL : crc >>> 1;
  return crc;
});

function crc32(bytes: Uint8Array): number {
  let crc = ~0;
  for (const byte of bytes) crc = (CRC_TABLE[(crc ^ byte) & 0xff] ?? 0) ^ (crc >>> 8);
  return ~crc >>> 0;
}

const ADLER_MODULUS = 65_521;

function adler32(bytes: Uint8Array): number {
  let low = 1;
  let high = 0;
  for (const byte of bytes) {
    low = (low + byte) % ADLER_MODULUS;
    high = (high + low) % ADLER_MODULUS;
  }
  return ((high << 16) | low) >>> 0;
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

const STORED_BYTES_MAX = 65_535;

/** Bytes as zlib has them, not compressed (RFC 1950; RFC 1951, section 3.2.4). */
function zlibStored(bytes: Uint8Array): Buffer {
  const parts: Uint8Array[] = [Buffer.from([0x78, 0x01])];
  for (let at = 0; at < bytes.length; at += STORED_BYTES_MAX) {
    const piece = bytes.subarray(at, at + STORED_BYTES_MAX);
    const head = Buffer.alloc(5);
    head.writeUInt8(at + piece.length === bytes.length ? 1 : 0);
    head.writeUInt16LE(piece.length, 1);
    head.writeUInt16LE(piece.length ^ 0xffff, 3);
    parts.push(head, piece);
  }
  return Buffer.concat([...parts, uint32(adler32(bytes))]);
}

function pngChunk(type: string, data: Uint8Array): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  return Buffer.concat([uint32(data.length), body, uint32(crc32(body))]);
}

interface Picture {
  readonly width: number;
  readonly height: number;
  readonly seed: number;
}

/** Rings of waves around two places, in the colours of a palette: rows of RGB, each with its filter byte. */
function pixels({ width, height, seed }: Picture): Uint8Array {
  const rows = Buffer.alloc((1 + 3 * width) * height);
  const palette = [0, 1, 2].map((channel) => ((seed * 83 + channel * 97) % 128) + 64);
  let at = 0;
  for (let y = 0; y < height; y += 1) {
    at += 1;
    for (let x = 0; x < width; x += 1) {
      const near = Math.hypot(x - width * 0.3, y - height * 0.6) / (9 + (seed % 5));
      const far = Math.hypot(x - width * 0.8, y - height * 0.2) / (13 + (seed % 7));
      const wave = Math.sin(near) + Math.sin(far);
      for (const base of palette) {
        rows[at] = base + 30 * wave;
        at += 1;
      }
    }
  }
  return rows;
}

/** A picture. @see PNG specification, third edition: 8 bits of red, green and blue, not interlaced */
export function madePng(picture: Picture): Uint8Array {
  const head = Buffer.concat([uint32(picture.width), uint32(picture.height), Buffer.from([8, 2, 0, 0, 0])]);
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    pngChunk('IHDR', head),
    pngChunk('IDAT', zlibStored(pixels(picture))),
    pngChunk('IEND', Buffer.alloc(0)),
  ]);
}

/** A document of one page. @param lines ASCII without brackets and backslashes. @see ISO 32000, PDF 1.4 */
export function madePdf(lines: readonly string[]): Uint8Array {
  const text = `BT /F1 14 Tf 72 770 Td 20 TL ${lines.map((line) => `(${line}) Tj T*`).join(' ')} ET`;
  const objects = [
    '<< /Type /Catalog /Pages 2 0 R >>',
    '<< /Type /Pages /Kids [3 0 R] /Count 1 >>',
    '<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents 4 0 R /Resources << /Font << /F1 5 0 R >> >> >>',
    `<< /Length ${text.length} >>\nstream\n${text}\nendstream`,
    '<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>',
  ];
  let document = '%PDF-1.4\n';
  const offsets: number[] = [];
  for (const [index, object] of objects.entries()) {
    offsets.push(document.length);
    document += `${index + 1} 0 obj\n${object}\nendobj\n`;
  }
  const rows = offsets.map((offset) => `${String(offset).padStart(10, '0')} 00000 n \n`).join('');
  const count = objects.length + 1;
  const tail = `trailer\n<< /Size ${count} /Root 1 0 R >>\nstartxref\n${document.length}\n%%EOF\n`;
  return Buffer.from(`${document}xref\n0 ${count}\n0000000000 65535 f \n${rows}${tail}`, 'latin1');
}

/** A table of measurements, one more for each row. */
export function madeTable(rows: number): string {
  const lines = Array.from({ length: rows }, (_, row) => {
    const time = new Date(Date.UTC(2026, 0, 1) + row * 60_000).toISOString();
    const degrees = 18 + 6 * Math.sin(row / 229) + ((row * 7919) % 97) / 97;
    return `${time},sensor-${row % 4},${degrees.toFixed(2)}`;
  });
  return `time,sensor,degrees\n${lines.join('\n')}\n`;
}
