// The Python names that NumPy arrays and scalars need in a pickle, and nothing that could run code.
import { ArtifactError } from "./errors.ts";
import { arrayFromBytes, type Dtype, elementCount, type NdArray } from "./ndarray.ts";
import { dtypeFromDescr } from "./numpy-dtype.ts";
import type { PickleGlobal } from "./pickle.ts";
import { columnMajorStrides, copyStrided } from "./strided.ts";

/** `numpy.dtype("f4")` followed by its byte order, which comes separately. */
class NumpyDtype {
  byteOrder = "|";
  constructor(readonly code: string) {}

  resolve(): Dtype {
    return dtypeFromDescr(this.byteOrder + this.code, "numpy pickle");
  }
}

function bad(what: string): ArtifactError {
  return new ArtifactError("bad-pickle", `numpy pickle: ${what} has arguments this reader does not know.`);
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

function arrayOf(dtype: unknown, shape: unknown, columnMajor: boolean, raw: unknown): NdArray {
  if (!(dtype instanceof NumpyDtype)) throw bad("ndarray");
  // First, so that an array of objects is called one.
  const name = dtype.resolve();
  if (!isShape(shape) || !(raw instanceof Uint8Array)) throw bad("ndarray");
  if (!columnMajor) return arrayFromBytes(name, shape, raw);
  const flat = arrayFromBytes(name, [elementCount(shape)], raw);
  return copyStrided(name, flat.data, { offset: 0, shape, strides: columnMajorStrides(shape) });
}

/** Makes an empty object, which BUILD turns into the array. */
const reconstruct: PickleGlobal = {
  call: () => ({}),
  setState(object, state) {
    if (!Array.isArray(state) || state.length !== 5) throw bad("ndarray");
    const [, shape, dtype, columnMajor, raw] = state;
    Object.assign(object as object, arrayOf(dtype, shape, columnMajor === true, raw));
  },
};

/** Protocol 5 hands over bytes, dtype, shape and order at once. */
const fromBuffer: PickleGlobal = {
  call: ([raw, dtype, shape, order]) => arrayOf(dtype, shape, order === "F", raw),
};

const dtypeGlobal: PickleGlobal = {
  call([code]) {
    if (typeof code !== "string") throw bad("dtype");
    return new NumpyDtype(code);
  },
  setState(object, state) {
    if (!(object instanceof NumpyDtype) || !Array.isArray(state) || typeof state[1] !== "string") throw bad("dtype");
    object.byteOrder = state[1];
  },
};

/** A NumPy scalar becomes a number, boolean or bigint. */
const scalar: PickleGlobal = {
  call([dtype, raw]) {
    const array = arrayOf(dtype, [], false, raw);
    return array.dtype === "bool" ? array.data[0] === 1 : array.data[0];
  },
};

/** Protocol 2 spells bytes as text in Latin-1. */
const encode: PickleGlobal = {
  call([text, encoding]) {
    if (typeof text !== "string" || !/^latin-?1$/.test(String(encoding))) throw bad("_codecs.encode");
    return new Uint8Array(Buffer.from(text, "latin1"));
  },
};

/** NumPy 1 and 2 keep the same functions under different modules. */
const coreModules = ["numpy.core", "numpy._core"];

/** Arrays (as {@link NdArray}, Fortran order transposed) and scalars, as NumPy 1 and 2 pickle them in protocols 2 to 5. */
export const numpyGlobals: ReadonlyMap<string, PickleGlobal> = new Map([
  ...coreModules.flatMap((core): [string, PickleGlobal][] => [
    [`${core}.multiarray _reconstruct`, reconstruct],
    [`${core}.multiarray scalar`, scalar],
    [`${core}.numeric _frombuffer`, fromBuffer],
  ]),
  ["numpy ndarray", {}],
  ["numpy dtype", dtypeGlobal],
  ["_codecs encode", encode],
]);
