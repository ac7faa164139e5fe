// The protobuf wire format: varints, 64-bit doubles and length-delimited bytes, written and read.
// https://protobuf.dev/programming-guides/encoding/

import { WandbError } from "./errors.ts";

export const WireType = { varint: 0, fixed64: 1, lengthDelimited: 2, fixed32: 5 } as const;

const INITIAL_CAPACITY_BYTES = 1024;
const MAX_VARINT_BYTES = 10;
// The longest text whose length still fits into one byte.
const MAX_SHORT_STRING = 127;
const TWO_TO_32 = 2 ** 32;
const textEncoder = new TextEncoder();
const textDecoder = new TextDecoder();

/** A growing buffer that protobuf fields are appended to. `reset` keeps the memory for the next record. */
export class ProtoWriter {
  private buffer = new Uint8Array(INITIAL_CAPACITY_BYTES);
  private view = new DataView(this.buffer.buffer);
  private length = 0;

  /** The bytes written so far: a view that the next write may overwrite. */
  get bytes(): Uint8Array {
    return this.buffer.subarray(0, this.length);
  }

  reset(): void {
    this.length = 0;
  }

  tag(field: number, wireType: number): void {
    this.varint(field * 8 + wireType);
  }

  /** A signed integer; a negative one takes ten bytes, as two's complement of 64 bits. */
  varint(value: number): void {
    if (!Number.isSafeInteger(value)) {
      throw new WandbError("bad-protobuf", `ProtoWriter.varint: got ${value}, wanted a safe integer`);
    }
    this.reserve(MAX_VARINT_BYTES);
    if (value < 0) return this.bigVarint(BigInt.asUintN(64, BigInt(value)));
    let rest = value;
    while (rest >= TWO_TO_32) {
      this.buffer[this.length++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.buffer[this.length++] = (rest & 127) | 0x80;
      rest >>>= 7;
    }
    this.buffer[this.length++] = rest;
  }

  double(value: number): void {
    this.reserve(8);
    this.view.setFloat64(this.length, value, true);
    this.length += 8;
  }

  string(value: string): void {
    if (value.length <= MAX_SHORT_STRING && this.shortAscii(value)) return;
    // One UTF-16 code unit needs at most three bytes of UTF-8.
    this.lengthDelimited(() => {
      this.reserve(value.length * 3);
      this.length += textEncoder.encodeInto(value, this.buffer.subarray(this.length)).written;
    });
  }

  rawBytes(value: Uint8Array): void {
    this.varint(value.byteLength);
    this.reserve(value.byteLength);
    this.buffer.set(value, this.length);
    this.length += value.byteLength;
  }

  /** What `write` appends, preceded by its length. */
  lengthDelimited(write: () => void): void {
    this.reserve(1);
    const start = ++this.length;
    write();
    const contentLength = this.length - start;
    if (contentLength < 128) {
      this.buffer[start - 1] = contentLength;
      return;
    }
    // The length needs more than the one byte kept for it: move the content up.
    const lengthBytes = varintBytes(contentLength);
    this.reserve(lengthBytes - 1);
    this.buffer.copyWithin(start - 1 + lengthBytes, start, this.length);
    this.length = start - 1;
    this.varint(contentLength);
    this.length += contentLength;
  }

  /** Keys and numbers, most of a log: no call into the encoder. Writes nothing if the text is not ASCII. */
  private shortAscii(value: string): boolean {
    this.reserve(value.length + 1);
    const start = this.length + 1;
    for (let index = 0; index < value.length; index++) {
      const code = value.charCodeAt(index);
      if (code > 127) return false;
      this.buffer[start + index] = code;
    }
    this.buffer[this.length] = value.length;
    this.length = start + value.length;
    return true;
  }

  private bigVarint(value: bigint): void {
    let rest = value;
    while (rest > 127n) {
      this.buffer[this.length++] = Number(rest & 127n) | 0x80;
      rest >>= 7n;
    }
    this.buffer[this.length++] = Number(rest);
  }

  private reserve(byteCount: number): void {
    if (this.length + byteCount <= this.buffer.length) return;
    const grown = new Uint8Array(Math.max(this.buffer.length * 2, this.length + byteCount));
    grown.set(this.bytes);
    this.buffer = grown;
    this.view = new DataView(grown.buffer);
  }
}

/** A cursor over one message; every read checks the bounds and throws `bad-protobuf` with the position. */
export class ProtoReader {
  private position = 0;
  private readonly view: DataView;

  constructor(private readonly bytes: Uint8Array) {
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  get done(): boolean {
    return this.position >= this.bytes.length;
  }

  /** Reads a tag; field numbers start at 1. */
  tag(): { field: number; wireType: number } {
    const tag = this.varint();
    const field = Math.floor(tag / 8);
    if (field < 1) throw this.error(`field number ${field}, wanted 1 or more`);
    return { field, wireType: tag % 8 };
  }

  /** A signed 64-bit integer; beyond 2^53 it is rounded to the nearest double. */
  varint(): number {
    let low = 0;
    let scale = 1;
    for (let count = 1; count <= MAX_VARINT_BYTES; count++) {
      const byte = this.byte();
      low += (byte & 127) * scale;
      if (byte < 128) return low <= Number.MAX_SAFE_INTEGER ? low : this.bigVarint(count);
      scale *= 128;
    }
    throw this.error(`a varint of more than ${MAX_VARINT_BYTES} bytes`);
  }

  double(): number {
    this.need(8);
    const value = this.view.getFloat64(this.position, true);
    this.position += 8;
    return value;
  }

  string(): string {
    return textDecoder.decode(this.rawBytes());
  }

  /** The bytes of a length-delimited field: a view, not a copy. */
  rawBytes(): Uint8Array {
    const byteLength = this.varint();
    this.need(byteLength);
    this.position += byteLength;
    return this.bytes.subarray(this.position - byteLength, this.position);
  }

  /** Passes over a field this reader has no use for. */
  skip(wireType: number): void {
    if (wireType === WireType.varint) this.varint();
    else if (wireType === WireType.fixed64) this.advance(8);
    else if (wireType === WireType.lengthDelimited) this.rawBytes();
    else if (wireType === WireType.fixed32) this.advance(4);
    else throw this.error(`wire type ${wireType}, wanted 0, 1, 2 or 5`);
  }

  private bigVarint(byteCount: number): number {
    let value = 0n;
    for (let index = 0; index < byteCount; index++) {
      value |= BigInt(this.bytes[this.position - byteCount + index] & 127) << BigInt(7 * index);
    }
    return Number(BigInt.asIntN(64, value));
  }

  private byte(): number {
    this.need(1);
    return this.bytes[this.position++];
  }

  private advance(byteCount: number): void {
    this.need(byteCount);
    this.position += byteCount;
  }

  private need(byteCount: number): void {
    const left = this.bytes.length - this.position;
    if (byteCount < 0 || byteCount > left) throw this.error(`${byteCount} bytes wanted, ${left} left`);
  }

  private error(what: string): WandbError {
    return new WandbError("bad-protobuf", `ProtoReader: ${what} at byte ${this.position} of the message`);
  }
}

function varintBytes(value: number): number {
  let count = 1;
  for (let rest = value; rest > 127; rest = Math.floor(rest / 128)) count++;
  return count;
}
