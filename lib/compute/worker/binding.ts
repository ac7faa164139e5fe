// A binding that crossed threads, as the view that a session needs.
import type { Binding } from "../ort/bound-session.ts";
import { sizeOf } from "../trace/ir.ts";
import type { SharedBinding } from "./protocol.ts";

const viewOf = { float32: Float32Array, int32: Int32Array, int64: BigInt64Array, bool: Uint8Array } as const;

export function toBinding({ name, dtype, shape, buffer, byteOffset }: SharedBinding): Binding {
  const View: new (buffer: ArrayBufferLike, byteOffset: number, length: number) => ArrayBufferView = viewOf[dtype];
  return { name, dtype, shape, data: new View(buffer, byteOffset, sizeOf(shape)) };
}
