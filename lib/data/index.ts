// Sprite sequences and seeded random numbers: what this package offers.

export { DataError } from "./errors.ts";
export type { DataErrorCode } from "./errors.ts";
export { Random } from "./random.ts";
export type { RandomState } from "./random.ts";
export { NumpyRandomState } from "./mt19937.ts";
