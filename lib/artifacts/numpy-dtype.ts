// The names NumPy gives to dtypes in .npy headers and pickles, such as "<f4".
import { ArtifactError } from "./errors.ts";
import type { Dtype } from "./ndarray.ts";

const typeCodes: Record<Dtype, string> = {
  bool: "b1",
  uint8: "u1",
  int8: "i1",
  uint16: "u2",
  int16: "i2",
  uint32: "u4",
  int32: "i4",
  uint64: "u8",
  int64: "i8",
  float16: "f2",
  float32: "f4",
  float64: "f8",
};

const dtypes = new Map(Object.entries(typeCodes).map(([dtype, code]) => [code, dtype as Dtype]));

/** The descr of a dtype: "|u1", "<f4". */
export function descrOf(dtype: Dtype): string {
  const code = typeCodes[dtype];
  return (code.endsWith("1") ? "|" : "<") + code;
}

/** The dtype of a descr; throws `big-endian`, `object-array` or `unsupported-dtype` with `label` in front. */
export function dtypeFromDescr(descr: string, label: string): Dtype {
  const [, order, code] = /^([<>=|]?)(.*)$/s.exec(descr) as RegExpExecArray;
  if (code.startsWith("O")) {
    throw new ArtifactError(
      "object-array",
      `${label}: got an array of Python objects. Save plain numbers: np.save(path, array.astype(np.float32)).`,
    );
  }
  const dtype = dtypes.get(code);
  if (!dtype) {
    throw new ArtifactError(
      "unsupported-dtype",
      `${label}: got dtype "${descr}", wanted one of ${[...dtypes.keys()].join(", ")}. Convert it with array.astype.`,
    );
  }
  if (order === ">" && !code.endsWith("1")) {
    throw new ArtifactError(
      "big-endian",
      `${label}: got big-endian values ("${descr}"). Convert them: array.astype(array.dtype.newbyteorder("<")).`,
    );
  }
  return dtype;
}
