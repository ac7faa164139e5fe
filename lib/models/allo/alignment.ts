// How well learned features agree with known eigenvectors: cosines, with and without regard to multiple eigenvalues.

/** Eigenvectors to compare with. */
export interface ReferenceVectors {
  /** [d] of the vectors below. */
  readonly eigenvalues: Float64Array;
  /** [n, d] unit columns; columns of one group are orthonormal. */
  readonly eigenvectors: Float64Array;
  /** Columns of equal eigenvalue; the last group may go on into the extra columns d, d + 1, ... */
  readonly groups: readonly (readonly number[])[];
  readonly extraCount: number;
  /** [n, e] */
  readonly extraEigenvectors: Float64Array;
}

export interface Alignment {
  /** [d] |cos| of feature i and eigenvector i. */
  readonly cosines: Float64Array;
  /**
   * [d] |cos| of feature i and its group: the eigenvectors of one eigenvalue can be any basis of their space, so each feature is
   * compared with the basis closest to the learned one. Equal to `cosines` where eigenvalues are simple.
   */
  readonly groupCosines: Float64Array;
}

/** Compares features [n, d], of any scale, with eigenvectors. A feature that is zero has the cosine 0. */
export function alignment(features: ArrayLike<number>, reference: ReferenceVectors): Alignment {
  const d = reference.eigenvalues.length;
  const n = features.length / d;
  const columns = Array.from({ length: d }, (_, i) => unitColumn(features, n, d, i));
  const eigenvector = (i: number): Float64Array =>
    i < d
      ? column(reference.eigenvectors, n, d, i)
      : column(reference.extraEigenvectors, n, reference.extraCount, i - d);
  const cosines = Float64Array.from(columns, (feature, i) => Math.min(1, Math.abs(dot(feature, eigenvector(i)))));
  const groupCosines = new Float64Array(d);
  for (const group of reference.groups) {
    const members = group.filter((i) => i < d);
    const basis = group.map(eigenvector);
    alignedBasis(members.map((i) => columns[i]), basis).forEach((aligned, position) => {
      groupCosines[members[position]] = Math.min(1, Math.abs(dot(columns[members[position]], aligned)));
    });
  }
  return { cosines, groupCosines };
}

/** Groups of consecutive columns whose Laplacian eigenvalues differ by less than `relativeGap` of the larger one. */
export function nearGroups(laplacianEigenvalues: Float64Array, relativeGap: number): number[][] {
  const groups: number[][] = [];
  laplacianEigenvalues.forEach((value, i) => {
    const before = laplacianEigenvalues[i - 1];
    if (i > 0 && value - before < relativeGap * value) groups.at(-1)!.push(i);
    else groups.push([i]);
  });
  return groups;
}

/**
 * The share [0, 1] of the features' span that lies in the span of the eigenvectors: root mean square of the cosines of the
 * principal angles. Does not ask for order, so it tells a wrong order from a wrong space.
 */
export function subspaceAlignment(features: ArrayLike<number>, { eigenvalues, eigenvectors }: ReferenceVectors): number {
  const d = eigenvalues.length;
  const n = features.length / d;
  const basis = orthonormalised(Array.from({ length: d }, (_, i) => unitColumn(features, n, d, i)));
  const overlaps = basis.map((vector) => Array.from({ length: d }, (_, i) => dot(vector, column(eigenvectors, n, d, i)) ** 2));
  return Math.min(1, Math.sqrt(overlaps.flat().reduce((sum, overlap) => sum + overlap, 0) / d));
}

/** Orthonormal vectors in the span of `basis`, the i-th as close to the i-th feature as those before it leave room for. */
function alignedBasis(features: Float64Array[], basis: Float64Array[]): Float64Array[] {
  const projected = features.map((feature) => {
    const out = new Float64Array(feature.length);
    for (const vector of basis) addScaled(out, vector, dot(vector, feature));
    return out;
  });
  return orthonormalised(projected);
}

/** Gram-Schmidt; what is left of a dependent vector is zero. */
function orthonormalised(vectors: Float64Array[]): Float64Array[] {
  const done: Float64Array[] = [];
  for (const vector of vectors) {
    const rest = Float64Array.from(vector);
    for (const other of done) addScaled(rest, other, -dot(other, rest));
    done.push(scaledToUnit(rest));
  }
  return done;
}

/** Below this norm a column counts as zero. */
const NO_NORM = 1e-10;

const column = (matrix: ArrayLike<number>, n: number, d: number, i: number): Float64Array =>
  Float64Array.from({ length: n }, (_, row) => matrix[row * d + i]);

const unitColumn = (matrix: ArrayLike<number>, n: number, d: number, i: number): Float64Array =>
  scaledToUnit(column(matrix, n, d, i));

function scaledToUnit(vector: Float64Array): Float64Array {
  const norm = Math.sqrt(dot(vector, vector));
  return vector.map((value) => (norm < NO_NORM ? 0 : value / norm));
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i] * b[i];
  return sum;
}

function addScaled(target: Float64Array, vector: Float64Array, factor: number): void {
  for (let i = 0; i < target.length; i++) target[i] += factor * vector[i];
}
