// Regular grids over two coordinates, and derivatives of what is known on their points.

import { MetricError } from "./errors.ts";

/** columns × rows points over [uMin, uMax] × [vMin, vMax], ends included; u runs fastest. */
export interface Grid {
  readonly columns: number;
  readonly rows: number;
  readonly uRange: readonly [min: number, max: number];
  readonly vRange: readonly [min: number, max: number];
}

/** Points that a five-point difference takes in each direction. */
const MIN_POINTS = 5;

/**
 * Weights of 12 h f'(x_i) on the five points around or beside x_i, by the place of x_i among them: fourth order
 * everywhere, at the borders too (Fornberg 1988, tables 1 and 2; the last two rows mirror the first two).
 */
const DIFFERENCES = [
  [-25, 48, -36, 16, -3],
  [-3, -10, 18, -6, 1],
  [1, -8, 0, 8, -1],
  [-1, 6, -18, 10, 3],
  [3, -16, 36, -48, 25],
];

/** Coordinates (u, v) of the grid's points, [rows * columns, 2]. Throws BAD_ARGUMENT. */
export function gridCoordinates(grid: Grid): Float64Array {
  checkGrid(grid, "gridCoordinates");
  const { columns, rows, uRange, vRange } = grid;
  const at = ([min, max]: readonly [number, number], index: number, count: number) => {
    return min + ((max - min) * index) / (count - 1);
  };
  return Float64Array.from({ length: rows * columns * 2 }, (_, i) => {
    const point = i >> 1;
    return i % 2 === 0 ? at(uRange, point % columns, columns) : at(vRange, Math.floor(point / columns), rows);
  });
}

/**
 * ∂/∂u or ∂/∂v of `width` numbers per point, `values` [rows * columns, width], in the same shape. Five-point
 * differences, so the error is O(h⁴) and the rounding of the values is multiplied by about 1/h. Throws BAD_SHAPE.
 */
export function differentiateOnGrid(values: Float64Array, grid: Grid, axis: "u" | "v", width = 1): Float64Array {
  checkGrid(grid, "differentiateOnGrid");
  const { columns, rows } = grid;
  if (values.length !== rows * columns * width) {
    throw new MetricError(
      "BAD_SHAPE",
      `differentiateOnGrid: got ${values.length} numbers, wanted ${width} for each of ${columns} × ${rows} points`,
    );
  }
  const count = axis === "u" ? columns : rows;
  const stride = axis === "u" ? width : columns * width;
  const [min, max] = axis === "u" ? grid.uRange : grid.vRange;
  const scale = (count - 1) / (12 * (max - min));
  const out = new Float64Array(values.length);
  for (let i = 0; i < values.length; i++) {
    const index = Math.floor(i / stride) % count;
    const first = Math.min(Math.max(index - 2, 0), count - MIN_POINTS);
    const weights = DIFFERENCES[index - first];
    let sum = 0;
    for (let j = 0; j < MIN_POINTS; j++) sum += weights[j] * values[i + (first + j - index) * stride];
    out[i] = scale * sum;
  }
  return out;
}

function checkGrid({ columns, rows, uRange, vRange }: Grid, caller: string): void {
  if (!Number.isInteger(columns) || !Number.isInteger(rows) || Math.min(columns, rows) < MIN_POINTS) {
    throw new MetricError(
      "BAD_ARGUMENT",
      `${caller}: got a grid of ${columns} × ${rows} points, wanted at least ${MIN_POINTS} each way`,
    );
  }
  for (const [min, max] of [uRange, vRange]) {
    if (!(max > min) || !Number.isFinite(max - min)) {
      throw new MetricError("BAD_ARGUMENT", `${caller}: got the range ${min} to ${max}, wanted a finite, growing one`);
    }
  }
}
