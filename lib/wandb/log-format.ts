// The numbers of the transaction log format, shared by its writer and its readers.
//
//   file   = ":W&B", uint16 0xBEE1, uint8 version; then chunks, in blocks of 32 KiB counted from byte 0
//   chunk  = uint32 CRC-32 of type and data, uint16 data length, uint8 type, data (all little endian)
//   record = one `full` chunk, or `first`, any number of `middle`, `last`; no chunk crosses a block
//
// The layout is LevelDB's log format with the plain CRC-32 of zlib in place of the masked CRC-32C.

import { crc32 } from "node:zlib";

export const BLOCK_BYTES = 32 * 1024;
export const CHUNK_HEADER_BYTES = 7;
export const IDENT = ":W&B";
export const MAGIC = 0xbee1;
export const VERSION = 0;

export const ChunkType = { full: 1, first: 2, middle: 3, last: 4 } as const;

const crcOfType = [0, 1, 2, 3, 4].map((type) => crc32(new Uint8Array([type])));

/** The checksum of a chunk: CRC-32 (IEEE) over its type byte and its data. */
export function chunkCrc(type: number, data: Uint8Array): number {
  return crc32(data, crcOfType[type]);
}

/** The seven bytes every log starts with. */
export function fileHeader(): Uint8Array {
  const bytes = new Uint8Array(CHUNK_HEADER_BYTES);
  bytes.set(new TextEncoder().encode(IDENT));
  const view = new DataView(bytes.buffer);
  view.setUint16(4, MAGIC, true);
  view.setUint8(6, VERSION);
  return bytes;
}
