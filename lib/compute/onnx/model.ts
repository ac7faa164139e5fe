// ONNX ModelProto: the part of onnx.proto3 that a traced program needs, and its encoder.
import { MessageWriter } from "./wire.ts";

export type OnnxDType = "float32" | "int32" | "int64" | "bool";

/** TensorProto.DataType codes. */
export const dataTypeCode: Record<OnnxDType, number> = { float32: 1, int32: 6, int64: 7, bool: 9 };

/** A node attribute; the tag decides the type, because a JavaScript number cannot. */
export type OnnxAttribute =
  | { readonly int: number }
  | { readonly float: number }
  | { readonly text: string }
  | { readonly ints: readonly number[] };

export interface OnnxNode {
  readonly name: string;
  readonly op: string;
  readonly domain?: string;
  readonly inputs: readonly string[];
  readonly outputs: readonly string[];
  readonly attributes: Readonly<Record<string, OnnxAttribute>>;
}

export interface OnnxTensor {
  readonly name: string;
  readonly dtype: OnnxDType;
  readonly shape: readonly number[];
  /** Little-endian elements; bool is one byte each. */
  readonly data: ArrayBufferView;
}

export interface OnnxValueInfo {
  readonly name: string;
  readonly dtype: OnnxDType;
  readonly shape: readonly number[];
}

export interface OnnxModel {
  readonly graphName: string;
  readonly nodes: readonly OnnxNode[];
  readonly initializers: readonly OnnxTensor[];
  readonly inputs: readonly OnnxValueInfo[];
  readonly outputs: readonly OnnxValueInfo[];
  /** Stored as metadata_props; readable through `readMetadata`. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Version 9 goes with operator set 18, which the oldest supported runtime reads. */
const irVersion = 9;
const operatorSets = { "": 18, "com.microsoft": 1 };

const attributeTypeCode = { float: 1, int: 2, text: 3, ints: 7 };

function encodeAttribute(name: string, attribute: OnnxAttribute): MessageWriter {
  const message = new MessageWriter().text(1, name);
  if ("int" in attribute) return message.int(3, attribute.int).int(20, attributeTypeCode.int);
  if ("float" in attribute) return message.float(2, attribute.float).int(20, attributeTypeCode.float);
  if ("text" in attribute) return message.text(4, attribute.text).int(20, attributeTypeCode.text);
  return message.packedInts(8, attribute.ints).int(20, attributeTypeCode.ints);
}

function encodeNode(node: OnnxNode): MessageWriter {
  const message = new MessageWriter();
  for (const input of node.inputs) message.text(1, input);
  for (const output of node.outputs) message.text(2, output);
  message.text(3, node.name).text(4, node.op);
  for (const [name, attribute] of Object.entries(node.attributes)) message.message(5, encodeAttribute(name, attribute));
  if (node.domain) message.text(7, node.domain);
  return message;
}

function encodeTensor(tensor: OnnxTensor): MessageWriter {
  const { buffer, byteOffset, byteLength } = tensor.data;
  return new MessageWriter()
    .packedInts(1, tensor.shape)
    .int(2, dataTypeCode[tensor.dtype])
    .text(8, tensor.name)
    .bytes(9, new Uint8Array(buffer, byteOffset, byteLength));
}

function encodeValueInfo(info: OnnxValueInfo): MessageWriter {
  const shape = new MessageWriter();
  for (const dimension of info.shape) shape.message(1, new MessageWriter().int(1, dimension));
  const tensorType = new MessageWriter().int(1, dataTypeCode[info.dtype]).message(2, shape);
  return new MessageWriter().text(1, info.name).message(2, new MessageWriter().message(1, tensorType));
}

/** Encodes a model as the bytes of an `.onnx` file (onnx.proto3, IR version 9, operator set 18). */
export function encodeModel(model: OnnxModel): Uint8Array {
  const graph = new MessageWriter();
  for (const node of model.nodes) graph.message(1, encodeNode(node));
  graph.text(2, model.graphName);
  for (const tensor of model.initializers) graph.message(5, encodeTensor(tensor));
  for (const input of model.inputs) graph.message(11, encodeValueInfo(input));
  for (const output of model.outputs) graph.message(12, encodeValueInfo(output));

  const message = new MessageWriter().int(1, irVersion).text(2, "cleanloop").message(7, graph);
  for (const [domain, version] of Object.entries(operatorSets)) {
    message.message(8, new MessageWriter().text(1, domain).int(2, version));
  }
  for (const [key, value] of Object.entries(model.metadata ?? {})) {
    message.message(14, new MessageWriter().text(1, key).text(2, value));
  }
  return message.finish();
}
