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
   * [d] |cos| of feature i and its group: the eigenvectors of one eigenvalue can be any basis of their space, so each
   * feature is compared with the basis closest to the learned one. Equal to `cosines` where eigenvalues are simple.
   */
  readonly groupCosines: Float64Array;
}

/** Compares features [n, d], of any scale, with eigenvectors. A feature that is zero has the cosine 0. */
export function alignment(features: ArrayLike<number>, reference: ReferenceVectors): Alignment {
  const d = reference.eigenvalues.length;
  const columns = unitColumns(features, d);
  const eigenvector = eigenvectorsOf(reference, columns[0].length);
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

/** Eigenvalues closer than this count as equal, as they do for the spectra; relative gaps of zeros say nothing. */
const EQUAL_WITHIN = 1e-9;

/**
 * Groups of consecutive columns whose Laplacian eigenvalues, ascending, differ by less than `relativeGap` of the larger
 * one. Given the eigenvalues of the extra columns too, groups may go on into them as exact ones do.
 */
export function nearGroups(laplacianEigenvalues: Float64Array, relativeGap: number): number[][] {
  const groups: number[][] = [];
  laplacianEigenvalues.forEach((value, i) => {
    const gap = value - laplacianEigenvalues[i - 1];
    if (i > 0 && gap < Math.max(EQUAL_WITHIN, relativeGap * value)) groups.at(-1)!.push(i);
    else groups.push([i]);
  });
  return groups;
}

/**
 * The share [0, 1] of the features' span that lies in the span of the eigenvectors: root mean square of the cosines of
 * the principal angles. Does not ask for order, so it tells a wrong order from a wrong space. Of a last group that goes on
 * behind the d-th column, any vectors serve, as many as there are features for.
 */
export function subspaceAlignment(features: ArrayLike<number>, reference: ReferenceVectors): number {
  const d = reference.eigenvalues.length;
  const basis = orthonormalised(unitColumns(features, d));
  const eigenvector = eigenvectorsOf(reference, basis[0].length);
  let covered = 0;
  for (const group of reference.groups) {
    const overlaps = group.flatMap((i) => basis.map((vector) => dot(vector, eigenvector(i)) ** 2));
    covered += Math.min(group.filter((i) => i < d).length, overlaps.reduce((sum, overlap) => sum + overlap, 0));
  }
  return Math.sqrt(covered / d);
}

/** Orthonormal vectors in the span of `basis`, the i-th as close to the i-th feature as those before it allow. */
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

/** Column i of the reference, extra columns behind the others. */
function eigenvectorsOf(reference: ReferenceVectors, n: number): (i: number) => Float64Array {
  const { eigenvalues, eigenvectors, extraCount, extraEigenvectors } = reference;
  const d = eigenvalues.length;
  return (i) => (i < d ? column(eigenvectors, n, d, i) : column(extraEigenvectors, n, extraCount, i - d));
}

const unitColumns = (matrix: ArrayLike<number>, d: number): Float64Array[] =>
  Array.from({ length: d }, (_, i) => scaledToUnit(column(matrix, matrix.length / d, d, i)));

const column = (matrix: ArrayLike<number>, n: number, d: number, i: number): Float64Array =>
  Float64Array.from({ length: n }, (_, row) => matrix[row * d + i]);

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
