// Copies a strided view (a transposed torch tensor, a Fortran-ordered npy file) into C order.
import { allocate, type Dtype, type NdArray, type Shape, type TypedArray } from "./ndarray.ts";

/** Element strides of a C-ordered array: the last axis moves fastest. */
export function rowMajorStrides(shape: Shape): number[] {
  const strides = Array.from<number>({ length: shape.length });
  let step = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = step;
    step *= Math.max(shape[axis], 1);
  }
  return strides;
}

/** Element strides of a Fortran-ordered array: the first axis moves fastest. */
export function columnMajorStrides(shape: Shape): number[] {
  return rowMajorStrides(shape.toReversed()).toReversed();
}

/** Copies the elements `source[offset + Σ index_k · strides_k]` into a new C-ordered array of `shape`. */
export function copyStrided<D extends Dtype>(
  dtype: D,
  source: TypedArray,
  view: { offset: number; shape: Shape; strides: readonly number[] },
): NdArray<D> {
  const target = allocate(dtype, view.shape);
  // One element type on both sides: number or bigint, never mixed.
  const to = target.data as Float64Array;
  const from = source as Float64Array;
  const axes = view.shape.length;
  const index = view.shape.map(() => 0);
  let position = view.offset;
  for (let i = 0; i < to.length; i++) {
    to[i] = from[position];
    for (let axis = axes - 1; axis >= 0; axis--) {
      position += view.strides[axis];
      if (++index[axis] < view.shape[axis]) break;
      position -= view.strides[axis] * view.shape[axis];
      index[axis] = 0;
    }
  }
  return target;
}
