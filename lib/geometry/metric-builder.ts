// Builds the diagonal metric of a pre-trained VAE from its posterior means and variances.

import { MetricError } from "./errors.ts";
import { kMedoids } from "./k-medoids.ts";
import type { Metric, UniformSource } from "./metric.ts";
import { inverseMetric, kernelWeights, pointCount, type Points } from "./metric-tensor.ts";

export interface BuildMetricOptions {
  /** Latent dimension D. */
  dimension: number;
  /** Number of centroids K. */
  k?: number;
  random: UniformSource;
  /**
   * `posterior`: M_k is the local mean of the posterior variances divided by the kernel mass at the data, so that G⁻¹
   * at the data is about the posterior variance (plus λ). `trace`: M_k is the local variance of the means, scaled so
   * that each trace is D.
   */
  scaling: "posterior" | "trace";
  /** T, or the largest distance from a centroid to its nearest neighbour. */
  temperature?: number | "nearest-neighbour";
  /** λ. */
  lambda?: number;
  /** Points that k-medoids looks at, drawn without replacement when there are more. */
  maxPoints?: number;
}

/** What the builder saw; every number is about the latent space of the given means. */
export interface MetricInfo {
  scaling: "posterior" | "trace";
  pointsClustered: number;
  medoidIterations: number;
  nearestNeighbour: Summary;
  /** Mean over the clustered points of Σ_k exp(-‖z - c_k‖² / T²). */
  kernelMassAtData: number;
  /** Diagonal entries of G⁻¹ at the clustered points. */
  inverseMetricAtData: Summary;
  posteriorVariance: Summary;
}

export interface Summary {
  min: number;
  mean: number;
  max: number;
}

export interface BuiltMetric extends Metric {
  readonly kind: "diagonal";
  readonly info: MetricInfo;
}

/** Smallest variance that trace scaling keeps, so that a dimension without any spread does not make M_k singular. */
const MIN_VARIANCE = 1e-6;

/**
 * A diagonal metric from posterior means [N, D] and variances [N, D]: centroids by k-medoids, matrices from
 * Gaussian-weighted averages around each centroid (weights exp(-d²/S²), S the largest nearest-neighbour distance).
 * Throws BAD_SHAPE, BAD_ARGUMENT, NOT_FINITE or TOO_FEW_POINTS.
 */
export function buildMetric(means: Points, variances: Points, options: BuildMetricOptions): BuiltMetric {
  const {
    dimension,
    k = 50,
    random,
    scaling,
    temperature = "nearest-neighbour",
    lambda = 0.01,
    maxPoints = 6000,
  } = options;
  checkInputs(means, variances, options);
  const sample = drawRows(means, dimension, maxPoints, random);
  const clusters = kMedoids(sample, dimension, k, random);
  const centroids = new Float64Array(k * dimension);
  clusters.medoids.forEach((row, index) => {
    centroids.set(sample.subarray(row * dimension, (row + 1) * dimension), index * dimension);
  });
  const nearestNeighbour = summarise(nearestDistances(centroids, dimension));
  const frame = { kind: "diagonal" as const, count: k, dimension, centroids, lambda };
  const local = localStatistics(
    { ...frame, matrices: new Float64Array(0), temperature: nearestNeighbour.max },
    means,
    variances,
  );
  const chosen = temperature === "nearest-neighbour" ? nearestNeighbour.max : temperature;
  const kernelMass = meanKernelMass({ ...frame, matrices: new Float64Array(0), temperature: chosen }, sample);
  const matrices =
    scaling === "posterior"
      ? local.posteriorVariance.map((value) => value / kernelMass)
      : scaleTrace(local.spread, dimension);
  const metric: Metric = { ...frame, matrices, temperature: chosen };
  const info: MetricInfo = {
    scaling,
    pointsClustered: sample.length / dimension,
    medoidIterations: clusters.iterations,
    nearestNeighbour,
    kernelMassAtData: kernelMass,
    inverseMetricAtData: summarise(diagonals(inverseMetric(metric, sample), dimension)),
    posteriorVariance: summarise(variances),
  };
  return { ...metric, kind: "diagonal", info };
}

function checkInputs(
  means: Points,
  variances: Points,
  { dimension, k, temperature, lambda }: BuildMetricOptions,
): void {
  pointCount(means, dimension, "buildMetric");
  if (variances.length !== means.length) {
    throw new MetricError(
      "BAD_SHAPE",
      `buildMetric: got ${means.length} means and ${variances.length} variances, wanted as many of each`,
    );
  }
  if (!means.every(Number.isFinite) || !variances.every((value) => value > 0 && Number.isFinite(value))) {
    throw new MetricError(
      "NOT_FINITE",
      "buildMetric: wanted finite means and finite variances above 0; the pre-training diverged",
    );
  }
  if (k === 1 && typeof temperature !== "number") {
    throw new MetricError(
      "BAD_ARGUMENT",
      "buildMetric: one centroid has no nearest neighbour; state the temperature or raise k",
    );
  }
  for (const [name, value] of Object.entries({ temperature, lambda })) {
    if (typeof value === "number" && !(value > 0 && Number.isFinite(value))) {
      throw new MetricError("BAD_ARGUMENT", `buildMetric: got ${name} ${value}, wanted a finite number above 0`);
    }
  }
}

/** At most `limit` rows of `points` [N, D], without replacement (a partial Fisher-Yates shuffle of the row numbers). */
function drawRows(points: Points, dimension: number, limit: number, random: UniformSource): Float64Array {
  const n = points.length / dimension;
  if (n <= limit) return Float64Array.from(points);
  const rows = Int32Array.from({ length: n }, (_, row) => row);
  const sample = new Float64Array(limit * dimension);
  for (let drawn = 0; drawn < limit; drawn++) {
    const other = drawn + Math.floor(random.uniform() * (n - drawn));
    [rows[drawn], rows[other]] = [rows[other], rows[drawn]];
    const start = rows[drawn] * dimension;
    sample.set(points.subarray(start, start + dimension), drawn * dimension);
  }
  return sample;
}

/** Distance from each centroid to its nearest other centroid, [K]; infinite for a single one. */
function nearestDistances(centroids: Float64Array, dimension: number): Float64Array {
  const k = centroids.length / dimension;
  const nearest = new Float64Array(k).fill(Infinity);
  for (let a = 0; a < k; a++) {
    for (let b = 0; b < a; b++) {
      let squared = 0;
      for (let d = 0; d < dimension; d++) squared += (centroids[a * dimension + d] - centroids[b * dimension + d]) ** 2;
      const distance = Math.sqrt(squared);
      nearest[a] = Math.min(nearest[a], distance);
      nearest[b] = Math.min(nearest[b], distance);
    }
  }
  return nearest;
}

/** Around each centroid: weighted variance of the means and weighted mean of the posterior variances, both [K, D]. */
function localStatistics(
  kernel: Metric,
  means: Points,
  variances: Points,
): { spread: Float64Array; posteriorVariance: Float64Array } {
  const { count, dimension } = kernel;
  const mass = new Float64Array(count);
  const first = new Float64Array(count * dimension);
  const second = new Float64Array(count * dimension);
  const posteriorVariance = new Float64Array(count * dimension);
  const weights = new Float64Array(count);
  for (let row = 0; row < means.length / dimension; row++) {
    kernelWeights(kernel, means, row, weights);
    for (let k = 0; k < count; k++) {
      mass[k] += weights[k];
      for (let d = 0; d < dimension; d++) {
        // Moments about the centroid instead of the origin, so that their difference loses no digits.
        const offset = means[row * dimension + d] - kernel.centroids[k * dimension + d];
        first[k * dimension + d] += weights[k] * offset;
        second[k * dimension + d] += weights[k] * offset * offset;
        posteriorVariance[k * dimension + d] += weights[k] * variances[row * dimension + d];
      }
    }
  }
  const spread = second.map((sum, i) => {
    const weight = mass[Math.floor(i / dimension)];
    return Math.max(sum / weight - (first[i] / weight) ** 2, MIN_VARIANCE);
  });
  return { spread, posteriorVariance: posteriorVariance.map((sum, i) => sum / mass[Math.floor(i / dimension)]) };
}

/** Rows [K, D] scaled so that each sums to D. */
function scaleTrace(rows: Float64Array, dimension: number): Float64Array {
  return rows.map((value, i) => {
    const start = Math.floor(i / dimension) * dimension;
    const trace = rows.subarray(start, start + dimension).reduce((sum, entry) => sum + entry, 0);
    return (value * dimension) / trace;
  });
}

function meanKernelMass(kernel: Metric, points: Float64Array): number {
  const weights = new Float64Array(kernel.count);
  const n = points.length / kernel.dimension;
  let total = 0;
  for (let row = 0; row < n; row++) {
    for (const weight of kernelWeights(kernel, points, row, weights)) total += weight;
  }
  return total / n;
}

function diagonals(matrices: Float64Array, n: number): Float64Array {
  return Float64Array.from(
    { length: matrices.length / n },
    (_, i) => matrices[Math.floor(i / n) * n * n + (i % n) * (n + 1)],
  );
}

function summarise(values: Points): Summary {
  let min = Infinity;
  let max = -Infinity;
  let sum = 0;
  for (const value of values) {
    min = Math.min(min, value);
    max = Math.max(max, value);
    sum += value;
  }
  return { min, mean: sum / values.length, max };
}
