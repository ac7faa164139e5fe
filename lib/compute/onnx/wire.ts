// Protobuf wire format, writing side only: the four encodings that an ONNX file needs.

const textEncoder = new TextEncoder();

/** Appends protobuf fields to a growing byte buffer. Field numbers come from onnx.proto3. */
export class MessageWriter {
  private chunks: Uint8Array[] = [];
  private sizeBytes = 0;

  /** A 64-bit integer field (wire type 0); negative values take the ten-byte two's complement form. */
  int(field: number, value: number | bigint): this {
    return this.varint(BigInt(field) << 3n).varint(BigInt.asUintN(64, BigInt(value)));
  }

  /** A float field (wire type 5). */
  float(field: number, value: number): this {
    const bytes = new Uint8Array(4);
    new DataView(bytes.buffer).setFloat32(0, value, true);
    return this.varint((BigInt(field) << 3n) | 5n).append(bytes);
  }

  /** A length-delimited field (wire type 2). The bytes are referenced, not copied, until `finish`. */
  bytes(field: number, value: Uint8Array): this {
    return this.varint((BigInt(field) << 3n) | 2n)
      .varint(BigInt(value.length))
      .append(value);
  }

  text(field: number, value: string): this {
    return this.bytes(field, textEncoder.encode(value));
  }

  message(field: number, value: MessageWriter): this {
    this.varint((BigInt(field) << 3n) | 2n).varint(BigInt(value.sizeBytes));
    this.chunks.push(...value.chunks);
    this.sizeBytes += value.sizeBytes;
    return this;
  }

  /** Repeated integers in the packed form that proto3 uses by default. */
  packedInts(field: number, values: readonly number[]): this {
    const packed = new MessageWriter();
    for (const value of values) packed.varint(BigInt.asUintN(64, BigInt(value)));
    return this.message(field, packed);
  }

  finish(): Uint8Array {
    const result = new Uint8Array(this.sizeBytes);
    let offset = 0;
    for (const chunk of this.chunks) {
      result.set(chunk, offset);
      offset += chunk.length;
    }
    return result;
  }

  private append(bytes: Uint8Array): this {
    this.chunks.push(bytes);
    this.sizeBytes += bytes.length;
    return this;
  }

  private varint(value: bigint): this {
    const bytes: number[] = [];
    let rest = value;
    while (rest >= 0x80n) {
      bytes.push(Number(rest & 0x7fn) | 0x80);
      rest >>= 7n;
    }
    bytes.push(Number(rest));
    return this.append(Uint8Array.from(bytes));
  }
}
