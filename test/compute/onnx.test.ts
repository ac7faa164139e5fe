// The ONNX encoder: bytes by the protobuf specification, models that onnxruntime accepts, metadata that survives.
import { describe, expect, test } from "bun:test";
import { OnnxFormatError, readMetadata } from "../../lib/compute/onnx/metadata.ts";
import { encodeModel, type OnnxModel } from "../../lib/compute/onnx/model.ts";
import { MessageWriter } from "../../lib/compute/onnx/wire.ts";
import { runModel } from "./onnx-session.ts";

const hex = (writer: MessageWriter) => Buffer.from(writer.finish()).toString("hex");

describe("protobuf wire format", () => {
  // The examples of the Protocol Buffers encoding guide.
  test("a number: field 1, 150", () => expect(hex(new MessageWriter().int(1, 150))).toBe("089601"));
  test("a string: field 2, 'testing'", () =>
    expect(hex(new MessageWriter().text(2, "testing"))).toBe("120774657374696e67"));
  test("an embedded message: field 3", () =>
    expect(hex(new MessageWriter().message(3, new MessageWriter().int(1, 150)))).toBe("1a03089601"));
  test("packed numbers: field 6, 3, 270, 86942", () =>
    expect(hex(new MessageWriter().packedInts(6, [3, 270, 86942]))).toBe("3206038e029ea705"));
  test("minus two takes ten bytes", () => expect(hex(new MessageWriter().int(1, -2))).toBe("08feffffffffffffffff01"));
  test("a float is little-endian IEEE 754", () => expect(hex(new MessageWriter().float(1, 1))).toBe("0d0000803f"));
  test("a field number above 15 takes two bytes", () => expect(hex(new MessageWriter().int(20, 7))).toBe("a00107"));
});

const scaled: OnnxModel = {
  graphName: "scaled",
  nodes: [
    {
      name: "gemm",
      op: "Gemm",
      inputs: ["x", "w"],
      outputs: ["y"],
      attributes: { alpha: { float: 2 }, transB: { int: 1 } },
    },
    {
      name: "scatter",
      op: "ScatterElements",
      inputs: ["y", "at", "v"],
      outputs: ["z"],
      attributes: { axis: { int: -1 }, reduction: { text: "add" } },
    },
    { name: "turn", op: "Transpose", inputs: ["z"], outputs: ["t"], attributes: { perm: { ints: [1, 0] } } },
  ],
  initializers: [
    { name: "w", dtype: "float32", shape: [2, 3], data: Float32Array.of(1, 0, 0, 0, 1, 0) },
    { name: "at", dtype: "int64", shape: [1, 2], data: BigInt64Array.of(1n, 1n) },
    { name: "v", dtype: "float32", shape: [1, 2], data: Float32Array.of(10, 100) },
  ],
  inputs: [{ name: "x", dtype: "float32", shape: [1, 3] }],
  outputs: [{ name: "t", dtype: "float32", shape: [2, 1] }],
  metadata: { step: "12", überschrift: "größe" },
};

describe("models", () => {
  test("onnxruntime runs one with every kind of attribute and initializer", async () => {
    const { t } = await runModel(encodeModel(scaled), { x: { shape: [1, 3], data: [3, 4, 5] } });
    expect(t).toEqual({ shape: [2, 1], dtype: "float32", data: Float32Array.of(6, 118) });
  });

  test("metadata is read back", () => {
    expect(readMetadata(encodeModel(scaled))).toEqual({ step: "12", überschrift: "größe" });
  });

  test("a file cut anywhere inside the graph is refused", () => {
    const bytes = encodeModel(scaled);
    for (const size of [20, 60, 200]) {
      expect(() => readMetadata(bytes.subarray(0, size))).toThrow(OnnxFormatError);
    }
  });

  test("foreign bytes are refused", () => {
    expect(() => readMetadata(new TextEncoder().encode("PK\u0003\u0004 not a model"))).toThrow(OnnxFormatError);
    expect(() => readMetadata(new Uint8Array())).toThrow("no graph");
  });
});
