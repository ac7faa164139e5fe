// Reads the metadata of an `.onnx` file without loading its graph.

/** The bytes are not an ONNX model; `code` is stable. */
export class OnnxFormatError extends Error {
  readonly code = "onnx-format";
  override readonly name = "OnnxFormatError";
}

interface Field {
  readonly number: number;
  /** Payload of a length-delimited field; undefined for numbers. */
  readonly bytes?: Uint8Array;
}

function* fields(bytes: Uint8Array): Generator<Field> {
  let offset = 0;
  const varint = () => {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = bytes[offset++];
      if (byte === undefined)
        throw new OnnxFormatError(`readMetadata: file ends inside a number at byte ${offset - 1}`);
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  };
  while (offset < bytes.length) {
    const tag = varint();
    const number = Math.floor(tag / 8);
    const wireType = tag % 8;
    if (wireType === 0) {
      varint();
      yield { number };
    } else if (wireType === 2) {
      const length = varint();
      if (offset + length > bytes.length) {
        throw new OnnxFormatError(
          `readMetadata: field ${number} wants ${length} bytes, ${bytes.length - offset} are left; the file is cut short`,
        );
      }
      yield { number, bytes: bytes.subarray(offset, offset + length) };
      offset += length;
    } else if (wireType === 5 || wireType === 1) {
      offset += wireType === 5 ? 4 : 8;
      yield { number };
    } else {
      throw new OnnxFormatError(`readMetadata: wire type ${wireType} at byte ${offset}; this is not an ONNX model`);
    }
  }
}

/** The key-value metadata (metadata_props) of an `.onnx` file; throws OnnxFormatError on foreign or cut bytes. */
export function readMetadata(model: Uint8Array): Record<string, string> {
  const decoder = new TextDecoder();
  const metadata: Record<string, string> = {};
  let hasGraph = false;
  for (const field of fields(model)) {
    if (field.number === 7) hasGraph = true;
    if (field.number !== 14 || field.bytes === undefined) continue;
    const entry = ["", ""];
    for (const part of fields(field.bytes)) if (part.bytes) entry[part.number - 1] = decoder.decode(part.bytes);
    metadata[entry[0]] = entry[1];
  }
  if (!hasGraph) throw new OnnxFormatError("readMetadata: no graph in these bytes; this is not an ONNX model");
  return metadata;
}
