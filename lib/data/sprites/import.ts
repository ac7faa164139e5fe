// Sequences from array files: NumPy's .npy and torch's .pt, read by rows, values turned into bytes without loss.

import { openNpy, openTorch, readNpy, TorchTensor } from "@cleanloop/artifacts";
import type { NdArray, TypedArray } from "@cleanloop/artifacts";
import { DataError } from "../errors.ts";
import { FRAME_EDGE, FRAMES_PER_SEQUENCE, SPRITE_ATTRIBUTES } from "./dataset.ts";
import type { SequenceSource } from "./dataset.ts";
import { bytesFrom, detectEncoding } from "./encodings.ts";

/** A source that holds an open file. */
export interface FileSource extends SequenceSource {
  /** [count] who each sequence shows, when the attributes file says so. */
  readonly identities: Int32Array | null;
  close(): void;
}

interface Rows {
  readonly dtype: string;
  readonly shape: readonly number[];
  readRows(start: number, end: number): NdArray;
  close(): void;
}

/**
 * Opens a .npy or .pt file of sequences, [N, 8, 3, 64, 64] or channels last [N, 8, 64, 64, 3]: bytes, whole numbers
 * 0 to 255, or fractions k/256 or k/255. Nothing but single rows is held in memory.
 * `attributesPath` names an int32 .npy file, [N, 6] in the columns of SPRITE_ATTRIBUTES or [N] identities.
 * Throws DataError (`bad-shape`, `bad-values`) or the ArtifactError of a damaged file.
 */
export function importSequences(path: string, attributesPath?: string): FileSource {
  const rows = openRows(path);
  try {
    const channelsLast = checkedLayout(path, rows);
    const count = rows.shape[0];
    const known =
      attributesPath === undefined ? { attributes: null, identities: null } : readAttributes(attributesPath, count);
    const rowAt = (index: number) => toFloat64(rows.readRows(index, index + 1).data);
    const encoding = detectEncoding(path, rows.dtype, count, rowAt);
    const { byteScale, words } = encoding;
    return {
      count,
      byteScale,
      ...known,
      actions: null,
      description: `${path}: ${rows.dtype} ${channelsLast ? "channels last" : "channels first"}, ${words}`,
      read(index, out, offset) {
        const row = rowAt(index);
        const misfit = bytesFrom(row, encoding, channelsLast, out, offset);
        if (misfit === -1) return;
        throw new DataError(
          "bad-values",
          `${path}: got value ${row[misfit]} in sequence ${index}, wanted ${words} as in the sequences before. ` +
            "Bytes could not hold it without loss.",
        );
      },
      close: () => rows.close(),
    };
  } catch (error) {
    rows.close();
    throw error;
  }
}

function toFloat64(data: TypedArray): Float64Array {
  return data instanceof BigInt64Array || data instanceof BigUint64Array
    ? Float64Array.from(data, Number)
    : new Float64Array(data);
}

function openRows(path: string): Rows {
  if (path.endsWith(".npy")) return openNpy(path);
  const file = openTorch(path);
  const { root } = file;
  const values = root instanceof Map ? [...root.values()] : [root];
  const tensors = values.filter(
    (value): value is TorchTensor => value instanceof TorchTensor && value.shape.length === 5,
  );
  if (tensors.length !== 1) {
    file.close();
    throw new DataError(
      "bad-shape",
      `${path}: got ${tensors.length} tensors of five axes, wanted one: [N, 8, 64, 64, 3] or [N, 8, 3, 64, 64]`,
    );
  }
  const [tensor] = tensors;
  return {
    dtype: tensor.dtype,
    shape: tensor.shape,
    readRows: (start, end) => tensor.readRows(start, end),
    close: () => file.close(),
  };
}

/** Whether the channels come last; throws `bad-shape` for anything but sequences of sprites. */
function checkedLayout(path: string, { dtype, shape }: Rows): boolean {
  const last = [FRAMES_PER_SEQUENCE, FRAME_EDGE, FRAME_EDGE, 3];
  const first = [FRAMES_PER_SEQUENCE, 3, FRAME_EDGE, FRAME_EDGE];
  const isShape = (wanted: number[]) =>
    shape.length === 5 && shape[0] > 0 && wanted.every((size, axis) => shape[axis + 1] === size);
  const numeric = /^(uint8|int16|int32|int64|float16|float32|float64)$/.test(dtype);
  if (!numeric || !(isShape(first) || isShape(last))) {
    throw new DataError(
      "bad-shape",
      `${path}: got ${dtype} [${shape.join(", ")}], wanted numbers [N, 8, 3, 64, 64] or [N, 8, 64, 64, 3]. ` +
        "Prepare other data with scripts/prepare_sprites.ts, or reshape it.",
    );
  }
  return !isShape(first);
}

function readAttributes(path: string, count: number): Pick<FileSource, "attributes" | "identities"> {
  const array = readNpy(path);
  const width = SPRITE_ATTRIBUTES.length;
  const [rowCount, columns] = array.shape;
  const usable = rowCount === count && (array.shape.length === 1 || (array.shape.length === 2 && columns === width));
  if (!usable || !/^u?int/.test(array.dtype)) {
    throw new DataError(
      "bad-shape",
      `${path}: got ${array.dtype} [${array.shape.join(", ")}], ` +
        `wanted whole numbers [${count}, ${width}] or [${count}]`,
    );
  }
  const numbers = Int32Array.from(array.data as ArrayLike<number | bigint>, Number);
  if (array.shape.length === 1) return { attributes: null, identities: numbers };
  return {
    attributes: numbers,
    identities: Int32Array.from({ length: count }, (_, row) => numbers[row * width + width - 1]),
  };
}

/** The attributes file that lies beside an array file, or undefined: `x_attributes.npy` or `x_meta.npy` for `x.npy`. */
export function attributesBeside(path: string, exists: (path: string) => boolean): string | undefined {
  const stem = path.replace(/\.(npy|pt)$/, "");
  return [`${stem}_attributes.npy`, `${stem}_meta.npy`].find(exists);
}
