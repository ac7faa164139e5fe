// The random streams of a run: each is a function of the seed and of where the run is, so resuming needs no saved state.
import { Random } from "@cleanloop/data";

/** Order in which an epoch visits the training sequences. */
export function epochOrder(seed: number, epoch: number, count: number): Int32Array {
  return new Random(seed).fork(`order/${epoch}`).permutation(count);
}

/** Fills `out` with the posterior noise of one training step: standard normals. */
export function stepNoise(seed: number, step: number, out: Float32Array): void {
  new Random(seed).fork(`noise/${step}`).normals(out);
}

/** Standard normals of the validation set, [count, latentSize]: the same at every epoch, so that epochs compare. */
export function validationNoise(seed: number, count: number, latentSize: number): Float32Array {
  return new Random(seed).fork("validation").normals(new Float32Array(count * latentSize));
}

/** The stream that draws a model's first parameters. */
export function parameterStream(seed: number): Random {
  return new Random(seed).fork("parameters");
}
