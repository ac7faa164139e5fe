// Writes a transaction log so that every record has reached the operating system when `append` returns:
// killing the process at any moment loses nothing that was appended.

import { closeSync, constants, fstatSync, fsyncSync, ftruncateSync, openSync, writeSync } from "node:fs";

import { BLOCK_BYTES, CHUNK_HEADER_BYTES, ChunkType, chunkCrc, fileHeader } from "./log-format.ts";
import { ProtoWriter } from "./protobuf.ts";
import type { NewRecord } from "./records.ts";
import { logRecord } from "./records.ts";

/** The append-only `.wandb` file of one run. */
export class TransactionLog {
  private readonly writer = new ProtoWriter();
  private scratch = new Uint8Array(BLOCK_BYTES);
  private offset = 0;
  private recordCount = 0;
  private closed = false;

  private constructor(private readonly descriptor: number) {}

  /** Creates the file with its header; throws the system's error when it exists or cannot be written. */
  static create(path: string): TransactionLog {
    const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_APPEND;
    const log = new TransactionLog(openSync(path, flags, 0o644));
    log.writeWhole(fileHeader());
    return log;
  }

  /** The size of the file in bytes. */
  get sizeBytes(): number {
    return this.offset;
  }

  /** Numbers a record, encodes it and writes it in one system call. */
  append(record: NewRecord): void {
    const num = this.recordCount + 1;
    this.writer.reset();
    logRecord.write(this.writer, { num, ...record });
    this.appendBytes(this.writer.bytes);
    this.recordCount = num;
  }

  /** Appends one record that is already encoded. */
  appendBytes(payload: Uint8Array): void {
    this.writeWhole(this.frame(payload));
  }

  /** Whether the file still has a name: a deleted one swallows writes without an error. */
  get exists(): boolean {
    return fstatSync(this.descriptor).nlink > 0;
  }

  /** Waits until the bytes are on the device. */
  sync(): void {
    fsyncSync(this.descriptor);
  }

  /** Appending afterwards throws: the descriptor may be another file's by then. */
  close(): void {
    if (this.closed) return;
    this.closed = true;
    closeSync(this.descriptor);
  }

  /** Cuts a record into chunks that do not cross a block, as bytes to be appended at the present offset. */
  private frame(payload: Uint8Array): Uint8Array {
    const maxBytes = payload.length + CHUNK_HEADER_BYTES * (3 + Math.ceil(payload.length / BLOCK_BYTES));
    if (this.scratch.length < maxBytes) this.scratch = new Uint8Array(maxBytes);
    const out = this.scratch;
    const view = new DataView(out.buffer);
    let position = 0;
    let done = 0;
    let started = false;

    const chunk = (type: number, dataBytes: number): void => {
      const data = payload.subarray(done, done + dataBytes);
      view.setUint32(position, chunkCrc(type, data), true);
      view.setUint16(position + 4, dataBytes, true);
      view.setUint8(position + 6, type);
      out.set(data, position + CHUNK_HEADER_BYTES);
      position += CHUNK_HEADER_BYTES + dataBytes;
      done += dataBytes;
    };

    for (;;) {
      const blockBytesLeft = BLOCK_BYTES - ((this.offset + position) % BLOCK_BYTES);
      if (blockBytesLeft < CHUNK_HEADER_BYTES) {
        out.fill(0, position, position + blockBytesLeft);
        position += blockBytesLeft;
        continue;
      }
      const room = blockBytesLeft - CHUNK_HEADER_BYTES;
      const payloadBytesLeft = payload.length - done;
      if (payloadBytesLeft <= room) {
        chunk(started ? ChunkType.last : ChunkType.full, payloadBytesLeft);
        return out.subarray(0, position);
      }
      // With room for a header alone this writes an empty `first` chunk, as the format wants.
      chunk(started ? ChunkType.middle : ChunkType.first, room);
      started = true;
    }
  }

  /** Writes all bytes or, where the device refuses, leaves the file as it was and throws. */
  private writeWhole(bytes: Uint8Array): void {
    if (this.closed) throw new Error("TransactionLog: the log is closed");
    let written = 0;
    try {
      while (written < bytes.length) {
        const count = writeSync(this.descriptor, bytes, written, bytes.length - written);
        if (count === 0) throw new Error("TransactionLog: the device takes no more bytes");
        written += count;
      }
    } catch (error) {
      if (written > 0) ftruncateSync(this.descriptor, this.offset);
      throw error;
    }
    this.offset += bytes.length;
  }
}
