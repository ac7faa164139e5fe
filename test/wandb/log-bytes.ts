// The log format once more, written for the tests from its description: slow, plain, and with its own CRC-32.

export const BLOCK = 32768;
export const FILE_HEADER = [0x3a, 0x57, 0x26, 0x42, 0xe1, 0xbe, 0x00];

/** CRC-32 (IEEE 802.3, reflected polynomial 0xedb88320), bit by bit. */
export function crc32Bitwise(bytes: Iterable<number>): number {
  let crc = 0xffffffff;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  return (crc ^ 0xffffffff) >>> 0;
}

/** One chunk: checksum, length, type, data. */
export function chunkBytes(type: number, data: readonly number[]): number[] {
  const crc = crc32Bitwise([type, ...data]);
  const crcBytes = [crc & 255, (crc >>> 8) & 255, (crc >>> 16) & 255, crc >>> 24];
  return [...crcBytes, data.length & 255, data.length >>> 8, type, ...data];
}

/** A whole file from chunks and raw bytes. */
export function logBytes(...parts: readonly (readonly number[])[]): Uint8Array {
  return new Uint8Array([FILE_HEADER, ...parts].flat());
}

/** `length` bytes with a pattern that shows when some are missing. */
export function pattern(length: number, seed = 1): number[] {
  return Array.from({ length }, (_, index) => (index * 31 + seed * 17) & 255);
}
