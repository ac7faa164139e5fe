// A cursor over the bytes of a pickle; every read is checked against the end.
import { ArtifactError } from "./errors.ts";

const utf8 = new TextDecoder("utf-8", { ignoreBOM: true });

export class PickleStream {
  position = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #label: string;

  constructor(bytes: Uint8Array, label: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#label = label;
  }

  get atEnd(): boolean {
    return this.position === this.#bytes.byteLength;
  }

  uint8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  uint16(): number {
    return this.#view.getUint16(this.#advance(2), true);
  }

  uint32(): number {
    return this.#view.getUint32(this.#advance(4), true);
  }

  int32(): number {
    return this.#view.getInt32(this.#advance(4), true);
  }

  /** A length; beyond 2^53 it is inexact, but then it is also beyond the end. */
  uint64(): number {
    return Number(this.#view.getBigUint64(this.#advance(8), true));
  }

  /** Pickle stores floats big-endian, unlike its integers. */
  float64(): number {
    return this.#view.getFloat64(this.#advance(8), false);
  }

  /** A copy: the value may outlive the file's bytes. */
  bytes(sizeBytes: number): Uint8Array {
    const start = this.#advance(sizeBytes);
    return this.#bytes.slice(start, start + sizeBytes);
  }

  text(sizeBytes: number): string {
    const start = this.#advance(sizeBytes);
    return utf8.decode(this.#bytes.subarray(start, start + sizeBytes));
  }

  /** A two's-complement little-endian integer of any size. */
  long(sizeBytes: number): number | bigint {
    const start = this.#advance(sizeBytes);
    const hex = Buffer.from(this.#bytes.slice(start, start + sizeBytes).reverse()).toString("hex");
    const value = BigInt.asIntN(sizeBytes * 8, BigInt(`0x${hex || "0"}`));
    const small = Number(value);
    return Number.isSafeInteger(small) ? small : value;
  }

  /** Text up to the next newline. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.position);
    const text = this.text((end === -1 ? this.#bytes.byteLength : end) - this.position);
    this.#advance(1);
    return text;
  }

  #advance(sizeBytes: number): number {
    const start = this.position;
    if (sizeBytes > this.#bytes.byteLength - start) {
      throw new ArtifactError("truncated", `${this.#label}: the pickle ends at byte ${start}. Copy the file again.`);
    }
    this.position += sizeBytes;
    return start;
  }
}
