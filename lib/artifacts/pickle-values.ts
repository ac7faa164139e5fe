// The values a pickle can be made of, with wrappers for what JavaScript does not tell apart: tuples and whole floats.
import type { NdArray } from "./ndarray.ts";

/** A Python tuple; a plain array becomes a list. */
export class PyTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** A Python float whatever its value; a plain whole number becomes an int. */
export class PyFloat {
  constructor(readonly value: number) {}
}

/** What Python can hash: numbers, text and tuples of such. */
export type PickleKey = null | boolean | number | bigint | string | PyFloat | PyTuple;

/** Map and plain object become dict, NdArray becomes numpy.ndarray. */
export type PickleValue =
  | PickleKey
  | NdArray
  | readonly PickleValue[]
  | ReadonlyMap<PickleKey, PickleValue>
  | { readonly [key: string]: PickleValue };

/** A tuple of these items. */
export function pyTuple(...items: readonly PickleValue[]): PyTuple {
  return new PyTuple(items);
}

/** A float, also when it is whole: `pyFloat(1)` is 1.0 in Python. */
export function pyFloat(value: number): PyFloat {
  return new PyFloat(value);
}
