// Sizes of the Riemannian flow VAE and the check that they fit together.

import { ModelError } from "../errors.ts";

/**
 * Which direction of the autoregressive flow carries a latent one frame onward. `one_pass` costs one network evaluation
 * per block; `sequential`, its inverse, costs D of them and is what the original uses.
 */
export type FlowDirection = "one_pass" | "sequential";

export interface RlvaeConfig {
  /** Frames per sequence, T. */
  frameCount: number;
  /** Values per frame: channels × height × width. */
  frameSize: number;
  /** Width of the one hidden layer of the encoder and of the decoder. */
  hiddenSize: number;
  /** Latent dimension D. */
  latentSize: number;
  /** Flows that exist; the first T - 1 are used, the rest only keep checkpoints compatible with the original's. */
  flowCount: number;
  /** Autoregressive networks (MADE) per flow. */
  flowBlockCount: number;
  /** Width of the three hidden layers of each autoregressive network. */
  flowHiddenSize: number;
  flowDirection: FlowDirection;
  /**
   * Limit c of the log scales, s = c tanh(s'/c); null leaves them free. Setting it also starts flows near the
   * identity.
   */
  logScaleLimit: number | null;
}

/** The sizes of the original: 64×64 RGB sprites, 8 frames, 16 latent dimensions; 14,927,392 parameters. */
export const DEFAULT_CONFIG: Readonly<RlvaeConfig> = {
  frameCount: 8,
  frameSize: 3 * 64 * 64,
  hiddenSize: 512,
  latentSize: 16,
  flowCount: 8,
  flowBlockCount: 2,
  flowHiddenSize: 256,
  flowDirection: "one_pass",
  logScaleLimit: null,
};

/** The default configuration with changes; throws BAD_CONFIG naming the size at fault. */
export function rlvaeConfig(changes: Partial<RlvaeConfig> = {}): RlvaeConfig {
  const config = { ...DEFAULT_CONFIG, ...changes };
  const minimums = {
    frameCount: 1,
    frameSize: 1,
    hiddenSize: 1,
    latentSize: 2, // an autoregressive order needs two variables
    flowCount: 0,
    flowBlockCount: 1,
    flowHiddenSize: 1,
  } as const;
  for (const [name, minimum] of Object.entries(minimums)) {
    const value = config[name as keyof typeof minimums];
    if (!Number.isInteger(value) || value < minimum) {
      throw new ModelError(
        "BAD_CONFIG",
        `rlvaeConfig: got ${name} ${value}, wanted a whole number of at least ${minimum}`,
      );
    }
  }
  if (config.flowCount < config.frameCount - 1) {
    throw new ModelError(
      "BAD_CONFIG",
      `rlvaeConfig: got ${config.flowCount} flows for ${config.frameCount} frames, ` +
        `wanted at least ${config.frameCount - 1}`,
    );
  }
  if (config.flowDirection !== "one_pass" && config.flowDirection !== "sequential") {
    throw new ModelError(
      "BAD_CONFIG",
      `rlvaeConfig: got flowDirection ${String(config.flowDirection)}, wanted one_pass or sequential`,
    );
  }
  if (config.logScaleLimit !== null && !(config.logScaleLimit > 0)) {
    throw new ModelError(
      "BAD_CONFIG",
      `rlvaeConfig: got logScaleLimit ${config.logScaleLimit}, wanted a number above 0, or null for no limit`,
    );
  }
  return config;
}
