// Philox4x32-10: random words as a function of a key and a counter, so that any episode can be drawn on its own.

const MULTIPLIER_0 = 0xd2511f53;
const MULTIPLIER_1 = 0xcd9e8d57;
const WEYL_0 = 0x9e3779b9;
const WEYL_1 = 0xbb67ae85;
const ROUNDS = 10;
const TWO_POW_MINUS_32 = 2 ** -32;

/**
 * Writes the four 32-bit words that belong to counter (c0, c1, c2, c3) under key (k0, k1) into `out`. Salmon, Moraes,
 * Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (2011); also the generator of cuRAND and TensorFlow.
 */
export function philox(
  out: Uint32Array,
  k0: number,
  k1: number,
  c0: number,
  c1: number,
  c2: number,
  c3: number,
): void {
  let [x0, x1, x2, x3] = [c0 >>> 0, c1 >>> 0, c2 >>> 0, c3 >>> 0];
  for (let round = 0; round < ROUNDS; round++) {
    const low0 = Math.imul(MULTIPLIER_0, x0) >>> 0;
    const low1 = Math.imul(MULTIPLIER_1, x2) >>> 0;
    // The float product is off by less than 2^12 and without its low word a multiple of 2^32: rounding is exact.
    const high0 = ((MULTIPLIER_0 * x0 - low0) * TWO_POW_MINUS_32 + 0.5) >>> 0;
    const high1 = ((MULTIPLIER_1 * x2 - low1) * TWO_POW_MINUS_32 + 0.5) >>> 0;
    x0 = (high1 ^ x1 ^ k0) >>> 0;
    x2 = (high0 ^ x3 ^ k1) >>> 0;
    x1 = low1;
    x3 = low0;
    k0 = (k0 + WEYL_0) | 0;
    k1 = (k1 + WEYL_1) | 0;
  }
  out[0] = x0;
  out[1] = x1;
  out[2] = x2;
  out[3] = x3;
}
