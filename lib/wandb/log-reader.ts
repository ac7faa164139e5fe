// Reads a transaction log: strictly, or around damage.

import { LogError } from "./errors.ts";
import { BLOCK_BYTES, CHUNK_HEADER_BYTES, ChunkType, IDENT, MAGIC, VERSION, chunkCrc } from "./log-format.ts";

/** One record's bytes and where its first chunk starts in the file. */
export interface LogEntry {
  readonly offset: number;
  readonly payload: Uint8Array;
}

/** A range of bytes that holds no readable record. */
export interface LogDamage {
  readonly offset: number;
  readonly endOffset: number;
  readonly error: LogError;
}

interface Chunk {
  readonly offset: number;
  readonly endOffset: number;
  readonly type: number;
  readonly data: Uint8Array;
}

/** Reads every record of an undamaged log; throws `LogError` with the offset at the first fault. */
export function readLog(bytes: Uint8Array): LogEntry[] {
  checkFileHeader(bytes);
  const entries: LogEntry[] = [];
  const assembly = new RecordAssembly();
  let offset = CHUNK_HEADER_BYTES;
  while (offset < bytes.length) {
    if (blockBytesLeft(offset) < CHUNK_HEADER_BYTES) {
      offset = checkPadding(bytes, offset);
      continue;
    }
    const chunk = readChunk(bytes, offset);
    if (!assembly.continuesWith(chunk)) throw assembly.fragmentError(chunk);
    const entry = assembly.add(chunk);
    if (entry !== undefined) entries.push(entry);
    offset = chunk.endOffset;
  }
  if (assembly.started) throw assembly.truncationError();
  return entries;
}

/**
 * Reads whatever a damaged log still holds: after a fault it goes on at the next chunk if that one is sound,
 * otherwise at the next block, so that one fault costs at most one block and the record that crosses it.
 * Zero bytes at the end count as padding. Throws `LogError` only when the file header is not that of a log.
 */
export function recoverLog(bytes: Uint8Array): { entries: LogEntry[]; damage: LogDamage[] } {
  checkFileHeader(bytes);
  const entries: LogEntry[] = [];
  const damage: LogDamage[] = [];
  const assembly = new RecordAssembly();
  const endBytes = lengthWithoutTrailingZeros(bytes);
  let offset = CHUNK_HEADER_BYTES;

  const report = (from: number, endOffset: number, error: LogError): void => {
    damage.push({ offset: from, endOffset, error });
  };

  while (offset < bytes.length) {
    try {
      if (blockBytesLeft(offset) < CHUNK_HEADER_BYTES) {
        offset = checkPadding(bytes, offset);
        continue;
      }
      if (offset >= endBytes && !assembly.started) break;
      const chunk = readChunk(bytes, offset);
      if (!assembly.continuesWith(chunk)) {
        const error = assembly.fragmentError(chunk);
        if (assembly.started) {
          // The record before was never finished; this chunk begins the next one.
          report(assembly.offset, chunk.offset, error);
          assembly.drop();
          continue;
        }
        report(chunk.offset, chunk.endOffset, error);
        offset = chunk.endOffset;
        continue;
      }
      const entry = assembly.add(chunk);
      if (entry !== undefined) entries.push(entry);
      offset = chunk.endOffset;
    } catch (error) {
      if (!(error instanceof LogError)) throw error;
      const resumeOffset = nextSoundOffset(bytes, offset);
      report(assembly.started ? assembly.offset : offset, resumeOffset, error);
      assembly.drop();
      offset = resumeOffset;
    }
  }
  if (assembly.started) report(assembly.offset, bytes.length, assembly.truncationError());
  return { entries, damage: mergeAdjacent(damage) };
}

/** Collects the chunks of one record. */
class RecordAssembly {
  private chunks: Chunk[] = [];

  get started(): boolean {
    return this.chunks.length > 0;
  }

  get offset(): number {
    return this.chunks[0].offset;
  }

  continuesWith(chunk: Chunk): boolean {
    const isStart = chunk.type === ChunkType.full || chunk.type === ChunkType.first;
    return isStart !== this.started;
  }

  /** Takes the chunk; returns the record when this was its last one. */
  add(chunk: Chunk): LogEntry | undefined {
    this.chunks.push(chunk);
    if (chunk.type !== ChunkType.full && chunk.type !== ChunkType.last) return undefined;
    const { offset } = this;
    const payload = this.chunks.length === 1 ? chunk.data : Buffer.concat(this.chunks.map(({ data }) => data));
    this.drop();
    return { offset, payload };
  }

  drop(): void {
    this.chunks = [];
  }

  fragmentError(chunk: Chunk): LogError {
    const what = this.started
      ? `a record starts (chunk type ${chunk.type}) before the one from byte ${this.offset} has ended`
      : `a record goes on (chunk type ${chunk.type}) that never started`;
    return new LogError("bad-fragment", chunk.offset, `transaction log: ${what}`);
  }

  truncationError(): LogError {
    return new LogError("truncated", this.offset, "transaction log: the file ends inside the record");
  }
}

function checkFileHeader(bytes: Uint8Array): void {
  if (bytes.length < CHUNK_HEADER_BYTES) {
    const what = `transaction log: ${bytes.length} bytes, wanted at least the ${CHUNK_HEADER_BYTES} of the header`;
    throw new LogError("truncated", bytes.length, what);
  }
  const ident = String.fromCharCode(...bytes.subarray(0, IDENT.length));
  const magic = viewOf(bytes).getUint16(IDENT.length, true);
  if (ident !== IDENT || magic !== MAGIC) {
    throw new LogError("bad-ident", 0, `transaction log: the file does not start with ${IDENT} and its magic number`);
  }
  const version = bytes[CHUNK_HEADER_BYTES - 1];
  if (version !== VERSION) {
    const what = `transaction log: version ${version}, this reader knows ${VERSION}: a newer client is needed`;
    throw new LogError("bad-version", CHUNK_HEADER_BYTES - 1, what);
  }
}

/** Reads the chunk at an offset that has room for a header in its block, or throws. */
function readChunk(bytes: Uint8Array, offset: number): Chunk {
  const dataOffset = offset + CHUNK_HEADER_BYTES;
  if (dataOffset > bytes.length) {
    throw new LogError("truncated", offset, "transaction log: the file ends inside a chunk header");
  }
  const view = viewOf(bytes);
  const length = view.getUint16(offset + 4, true);
  const type = bytes[offset + 6];
  if (type < ChunkType.full || type > ChunkType.last) {
    throw new LogError("bad-chunk-type", offset, `transaction log: chunk type ${type}, wanted 1 to 4,`);
  }
  const room = blockBytesLeft(offset) - CHUNK_HEADER_BYTES;
  if (length > room) {
    const what = `transaction log: a chunk of ${length} bytes where the block has room for ${room}`;
    throw new LogError("bad-length", offset, what);
  }
  const endOffset = dataOffset + length;
  if (endOffset > bytes.length) {
    const what = `transaction log: the file ends ${endOffset - bytes.length} bytes before the end of the chunk`;
    throw new LogError("truncated", offset, what);
  }
  const data = bytes.subarray(dataOffset, endOffset);
  if (view.getUint32(offset, true) !== chunkCrc(type, data)) {
    throw new LogError("bad-crc", offset, "transaction log: the checksum does not fit the chunk");
  }
  return { offset, endOffset, type, data };
}

/** The end of the padding that starts at `offset`; throws when it is not zero. */
function checkPadding(bytes: Uint8Array, offset: number): number {
  const endOffset = offset + blockBytesLeft(offset);
  if (bytes.subarray(offset, endOffset).some((byte) => byte !== 0)) {
    throw new LogError("bad-padding", offset, "transaction log: bytes that are not zero at the end of a block");
  }
  return endOffset;
}

/** Where reading can go on after a fault: behind the faulty chunk if a sound one follows, else at the next block. */
function nextSoundOffset(bytes: Uint8Array, offset: number): number {
  const nextBlock = Math.min(offset + blockBytesLeft(offset), bytes.length);
  if (offset + CHUNK_HEADER_BYTES > bytes.length) return nextBlock;
  const next = offset + CHUNK_HEADER_BYTES + viewOf(bytes).getUint16(offset + 4, true);
  if (next + CHUNK_HEADER_BYTES > nextBlock) return nextBlock;
  try {
    readChunk(bytes, next);
    return next;
  } catch {
    return nextBlock;
  }
}

function mergeAdjacent(damage: readonly LogDamage[]): LogDamage[] {
  const merged: LogDamage[] = [];
  for (const range of damage) {
    const last = merged.at(-1);
    if (last?.endOffset === range.offset) merged[merged.length - 1] = { ...last, endOffset: range.endOffset };
    else merged.push(range);
  }
  return merged;
}

function lengthWithoutTrailingZeros(bytes: Uint8Array): number {
  let length = bytes.length;
  while (length > 0 && bytes[length - 1] === 0) length--;
  return length;
}

function blockBytesLeft(offset: number): number {
  return BLOCK_BYTES - (offset % BLOCK_BYTES);
}

function viewOf(bytes: Uint8Array): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
