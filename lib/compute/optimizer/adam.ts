// Adam with L2 weight decay and global-norm clipping (torch.optim.Adam and clip_grad_norm_), as one pass over flat memory.

export interface AdamOptions {
  /** Decay of the first moment, default 0.9. */
  beta1?: number;
  /** Decay of the second moment, default 0.999. */
  beta2?: number;
  /** Added to the bias-corrected root of the second moment, default 1e-8. */
  epsilon?: number;
  /** L2 penalty: adds weightDecay * parameter to the gradient, after clipping. Default 0. */
  weightDecay?: number;
  /** Largest global norm of the gradient; a longer one is scaled down to it. Default: no clipping. */
  clipNorm?: number;
}

/** The options with every default filled in. */
export type AdamSettings = Required<AdamOptions>;

export const adamSettings = (options: AdamOptions = {}): AdamSettings => ({
  beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0, clipNorm: Number.POSITIVE_INFINITY, ...options,
});

/** Scalars of one update, in the order of the kernel's arguments. */
export type AdamScalars = readonly [
  scale: number, decay: number, beta1: number, beta2: number, gain1: number, gain2: number,
  rate: number, correction: number, epsilon: number,
];

/**
 * Scalars of update number `stepCount` (the first is 1). Clipping as torch: scale = clipNorm / (norm + 1e-6), at most 1.
 * Kingma & Ba 2015, Algorithm 1, with epsilon outside the bias correction.
 */
export function adamScalars(settings: AdamSettings, learningRate: number, stepCount: number, gradNorm: number): AdamScalars {
  const { beta1, beta2, epsilon, weightDecay, clipNorm } = settings;
  const scale = Number.isFinite(clipNorm) ? Math.min(1, clipNorm / (gradNorm + 1e-6)) : 1;
  const rate = learningRate / (1 - beta1 ** stepCount);
  const correction = 1 / Math.sqrt(1 - beta2 ** stepCount);
  return [scale, weightDecay, beta1, beta2, 1 - beta1, 1 - beta2, rate, correction, epsilon];
}

/** Byte offsets of the flat vectors and their lengths in floats (multiples of 16). */
export interface AdamVectors {
  parameters: number;
  firstMoment: number;
  secondMoment: number;
  gradients: number;
  /** Running average of the parameters; the parameters themselves where none is kept. */
  averages: number;
  /** Elements of parameters, moments and averages. */
  length: number;
  /** Elements of the gradient vector: those in front; the gradients of the rest are streamed. */
  denseLength: number;
}

/** The WASM-SIMD passes over elements [begin, end) of the vectors; both bounds are multiples of 8. */
export interface AdamKernel {
  /** Sum of the squares of the gradients: float32 within blocks of 4096 elements, float64 across them. */
  squaredNorm(vectors: AdamVectors, begin: number, end: number): number;
  /** Updates parameters and moments in place, by default from the gradient vector, else from gradients at a byte offset. */
  update(vectors: AdamVectors, begin: number, end: number, scalars: AdamScalars, gradientsAt?: number): void;
  /** Moves the averages towards the parameters by `weight` of their distance. */
  average(vectors: AdamVectors, begin: number, end: number, weight: number): void;
}

/** Instantiates the kernel on a shared memory. */
export async function loadAdamKernel(memory: WebAssembly.Memory): Promise<AdamKernel> {
  const bytes = await Bun.file(new URL("./adam.wasm", import.meta.url)).bytes();
  const { instance } = await WebAssembly.instantiate(bytes, { env: { memory } });
  const { adam, average, squaredNorm } = instance.exports as Record<string, (...values: number[]) => number>;
  return {
    squaredNorm: ({ gradients }, begin, end) => squaredNorm(gradients + begin * 4, end - begin),
    update({ parameters, firstMoment, secondMoment, gradients }, begin, end, scalars, gradientsAt = gradients + begin * 4) {
      const at = begin * 4;
      adam(parameters + at, firstMoment + at, secondMoment + at, gradientsAt, end - begin, ...scalars);
    },
    average({ averages, parameters }, begin, end, weight) {
      average(averages + begin * 4, parameters + begin * 4, end - begin, weight);
    },
  };
}

/** Splits [0, length) into `parts` ranges whose bounds are multiples of 16 floats (one cache line). */
export function splitEvenly(length: number, parts: number): Array<[begin: number, end: number]> {
  const lines = Math.ceil(length / 16);
  const bound = (part: number): number => Math.min(length, Math.floor((lines * part) / parts) * 16);
  return Array.from({ length: parts }, (_, part) => [bound(part), bound(part + 1)]);
}
