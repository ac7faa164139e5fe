// Small metrics and a random source that the tests of this package share.

import type { GeodesicField, Metric, RandomSource, UniformSource } from "@cleanloop/geometry";

/** K = 3, D = 2 with full matrices: the metric that the published parity values belong to. */
export const exampleMetric: Metric = {
  kind: "full",
  count: 3,
  dimension: 2,
  centroids: Float64Array.of(0, 0, 1, 0.5, -0.5, 1),
  matrices: Float64Array.of(1, 0.2, 0.2, 0.5, 0.8, -0.1, -0.1, 1.2, 0.6, 0, 0, 0.9),
  temperature: 0.8,
  lambda: 0.01,
};

/** A random diagonal metric whose kernels overlap. */
export function diagonalMetric(dimension: number, count: number): Metric {
  const random = seededUniform(dimension * 1000 + count);
  return {
    kind: "diagonal",
    count,
    dimension,
    centroids: Float64Array.from({ length: count * dimension }, () => 2 * random.uniform() - 1),
    matrices: Float64Array.from({ length: count * dimension }, () => 0.2 + random.uniform()),
    temperature: 2,
    lambda: 0.01,
  };
}

/** A random metric with full matrices B Bᵀ + 0.2 I whose kernels overlap. */
export function fullMetric(dimension: number, count: number): Metric {
  const size = dimension * dimension;
  const factors = normals(dimension * 100 + count, count * size);
  const matrices = new Float64Array(count * size);
  for (let k = 0; k < count; k++) {
    for (let i = 0; i < dimension; i++) {
      for (let j = 0; j < dimension; j++) {
        let sum = i === j ? 0.2 : 0;
        for (let p = 0; p < dimension; p++) {
          sum += (factors[k * size + i * dimension + p] * factors[k * size + j * dimension + p]) / dimension;
        }
        matrices[k * size + i * dimension + j] = sum;
      }
    }
  }
  return { ...diagonalMetric(dimension, count), kind: "full", matrices };
}

/** The metric s(z) I of the plane, from s and its gradient. */
export function conformalField(
  scaleAt: (x: number, y: number) => readonly [scale: number, slopeX: number, slopeY: number],
): GeodesicField {
  return {
    dimension: 2,
    squaredSpeed([x, y], v, momentum, gradient) {
      const [scale, slopeX, slopeY] = scaleAt(x, y);
      const squared = v[0] ** 2 + v[1] ** 2;
      momentum.set([scale * v[0], scale * v[1]]);
      gradient.set([slopeX * squared, slopeY * squared]);
      return scale * squared;
    },
    squaredMomentum([x, y], p, velocity, gradient) {
      const [scale, slopeX, slopeY] = scaleAt(x, y);
      const squared = (p[0] ** 2 + p[1] ** 2) / scale;
      velocity.set([p[0] / scale, p[1] / scale]);
      gradient.set([(-slopeX / scale) * squared, (-slopeY / scale) * squared]);
      return squared;
    },
  };
}

/** The hyperbolic half-plane: I / y². */
export const halfPlane = conformalField((_, y) => [1 / y ** 2, 0, -2 / y ** 3]);

/** The sphere of radius R in stereographic coordinates: 4 / (1 + |z|² / R²)² I. */
export function sphere(radius: number): GeodesicField {
  return conformalField((x, y) => {
    const base = 1 + (x * x + y * y) / radius ** 2;
    const slope = -16 / (radius ** 2 * base ** 3);
    return [4 / base ** 2, slope * x, slope * y];
  });
}

/** mulberry32: enough for test data. */
export function seededUniform(seed: number): UniformSource {
  let state = seed >>> 0;
  return {
    uniform() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}

/** Uniform draws, and standard normal ones by Box-Muller. */
export function seededRandom(seed: number): RandomSource {
  const { uniform } = seededUniform(seed);
  return {
    uniform,
    normals(out) {
      for (let i = 0; i < out.length; i++) {
        out[i] = Math.sqrt(-2 * Math.log(1 - uniform())) * Math.cos(2 * Math.PI * uniform());
      }
      return out;
    },
  };
}

/** Standard normal draws. */
export function normals(seed: number, length: number): Float64Array {
  return seededRandom(seed).normals(new Float64Array(length));
}
