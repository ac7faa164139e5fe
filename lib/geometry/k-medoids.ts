// k-medoids clustering of latent points: k-medoids++ start, then assignment and medoid update in turn.

import { drawProportional } from "./draw-proportional.ts";
import { MetricError } from "./errors.ts";
import type { UniformSource } from "./metric.ts";
import { pointCount, type Points } from "./metric-tensor.ts";

export interface KMedoidsResult {
  /** Row numbers of the medoids, [K]. */
  medoids: Int32Array;
  /** Cluster of each point, [N]. */
  assignment: Int32Array;
  /** Sum over all points of the distance to their medoid. */
  cost: number;
  /** Rounds of assignment and update that were made. */
  iterations: number;
  /** Whether the last round changed nothing. */
  converged: boolean;
}

/**
 * k-medoids of N points [N, D] under the Euclidean distance. Distances are computed when they are needed instead of
 * kept as an N×N table, so memory stays at O(N) and a round costs O(N K D + Σ_k n_k² D). The start is that of
 * k-means++ (Arthur and Vassilvitskii 2007), the rounds those of Park and Jun (2009).
 * Throws TOO_FEW_POINTS when fewer than K points are distinct.
 */
export function kMedoids(
  points: Points,
  dimension: number,
  k: number,
  random: UniformSource,
  maxIterations = 100,
): KMedoidsResult {
  const n = pointCount(points, dimension, "kMedoids");
  if (!Number.isInteger(k) || k < 1) {
    throw new MetricError("BAD_ARGUMENT", `kMedoids: got k = ${k}, wanted a whole number of at least 1`);
  }
  if (n < k) throw new MetricError("TOO_FEW_POINTS", `kMedoids: got ${n} points, wanted at least k = ${k}; lower k`);
  const space = new PointSet(Float64Array.from(points), dimension, n);
  let medoids = spreadStart(space, k, random);
  for (let iteration = 1; ; iteration++) {
    const { assignment, cost } = assign(space, medoids);
    const updated = updateMedoids(space, assignment, medoids);
    const converged = updated.every((medoid, cluster) => medoid === medoids[cluster]);
    if (converged || iteration >= maxIterations) {
      return { medoids, assignment, cost, iterations: iteration, converged };
    }
    medoids = updated;
  }
}

class PointSet {
  constructor(
    readonly points: Float64Array,
    readonly dimension: number,
    readonly count: number,
  ) {}

  squaredDistance(a: number, b: number): number {
    const { points, dimension } = this;
    let sum = 0;
    for (let d = 0, i = a * dimension, j = b * dimension; d < dimension; d++, i++, j++) {
      const difference = points[i] - points[j];
      sum += difference * difference;
    }
    return sum;
  }
}

/** The first medoid uniformly, each next one in proportion to the squared distance to the nearest so far. */
function spreadStart(space: PointSet, k: number, random: UniformSource): Int32Array {
  const medoids = new Int32Array(k);
  medoids[0] = Math.floor(random.uniform() * space.count);
  const nearest = new Float64Array(space.count).fill(Infinity);
  for (let chosen = 1; chosen < k; chosen++) {
    let total = 0;
    for (let row = 0; row < space.count; row++) {
      nearest[row] = Math.min(nearest[row], space.squaredDistance(row, medoids[chosen - 1]));
      total += nearest[row];
    }
    if (!(total > 0)) {
      throw new MetricError(
        "TOO_FEW_POINTS",
        `kMedoids: got ${chosen} distinct points among ${space.count}, wanted at least k = ${k}; lower k`,
      );
    }
    medoids[chosen] = drawProportional(nearest, total, random);
  }
  return medoids;
}

function assign(space: PointSet, medoids: Int32Array): { assignment: Int32Array; cost: number } {
  const assignment = new Int32Array(space.count);
  let cost = 0;
  for (let row = 0; row < space.count; row++) {
    let best = Infinity;
    for (let cluster = 0; cluster < medoids.length; cluster++) {
      const squared = space.squaredDistance(row, medoids[cluster]);
      if (squared < best) {
        best = squared;
        assignment[row] = cluster;
      }
    }
    cost += Math.sqrt(best);
  }
  return { assignment, cost };
}

/** The member of each cluster with the smallest sum of distances to the others. */
function updateMedoids(space: PointSet, assignment: Int32Array, medoids: Int32Array): Int32Array {
  const members: number[][] = Array.from(medoids, () => []);
  for (let row = 0; row < space.count; row++) members[assignment[row]].push(row);
  return Int32Array.from(members, (rows, cluster) => {
    let best = Infinity;
    let medoid = medoids[cluster];
    for (const candidate of rows) {
      let sum = 0;
      // A candidate is dropped as soon as it is worse than the best so far.
      for (let i = 0; i < rows.length && sum < best; i++) sum += Math.sqrt(space.squaredDistance(candidate, rows[i]));
      if (sum < best) {
        best = sum;
        medoid = candidate;
      }
    }
    return medoid;
  });
}
