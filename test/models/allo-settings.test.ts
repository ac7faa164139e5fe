// Presets against the published numbers, initial values, sizes, the learning rate, and what is refused.

import { describe, expect, test } from "bun:test";
import { Random } from "@cleanloop/data";
import {
  ALLO_PRESETS, alloInputs, alloLearningRate, alloOffsets, checkAlloConfig, initialAlloCarry, initialAlloParameters,
  ModelError, type AlloPreset,
} from "@cleanloop/models";

describe("presets", () => {
  test("seed: the original trainer's flags", () => {
    const { config, objective, training, sampling, coordinates } = ALLO_PRESETS.seed;
    expect(config).toEqual({ featureCount: 10, hiddenSize: 256, hiddenLayerCount: 4, initialisation: "flax" });
    const learningRate = 3e-4; // one for network, duals and barrier
    expect(training).toEqual({ learningRate, decayFraction: 0, beta2: 0.999, batchSize: 256, steps: 20_000 });
    expect(objective).toEqual({
      constraints: "one-sided", graphScale: 0.5, initialDual: -2, initialDualsDiagonal: false,
      dualRate: learningRate, integralRate: 0, integralDecay: 0.99, dualLimit: Infinity,
      initialBarrier: 0.5, barrierRate: learningRate, barrierLimit: 0.5,
      perturbation: "none", graphEpsilon: 0.01, graphVarianceScale: 0.1, gateThreshold: null,
    });
    expect(sampling).toEqual({ gamma: 0.2, horizon: 1000, transitions: 1e6, starts: "random" });
    expect(coordinates).toBe("seed");
  });

  test("paper: the twelve environments' experiment", () => {
    const { config, objective, training, sampling, coordinates } = ALLO_PRESETS.paper;
    expect(config).toEqual({ featureCount: 11, hiddenSize: 256, hiddenLayerCount: 3, initialisation: "haiku" });
    expect(training).toEqual({ learningRate: 1e-3, decayFraction: 0, beta2: 0.999, batchSize: 1024, steps: 200_000 });
    expect(objective).toMatchObject({
      constraints: "two-sided", graphScale: 1, initialDual: 0, dualRate: 1e-4, integralRate: 0, dualLimit: 100,
      initialBarrier: 2, barrierRate: 0.01, barrierLimit: 10_000, perturbation: "none", gateThreshold: null,
    });
    expect(sampling).toEqual({ gamma: 0.9, horizon: 50, transitions: 1e6, starts: "random" });
    expect(coordinates).toBe("paper");
  });

  test("sizes of the networks", () => {
    const parameterCount = ({ config }: AlloPreset) =>
      Object.values(initialAlloParameters(config, new Random(0))).reduce((sum, { data }) => sum + data.length, 0);
    expect(parameterCount(ALLO_PRESETS.seed)).toBe(200_714);
    expect(parameterCount(ALLO_PRESETS.paper)).toBe(135_179);
  });
});

describe("initial parameters", () => {
  // A standard normal cut at two deviations has the deviation 0.8796, and 0.6827 / 0.9545 of it within one.
  test.each([
    ["flax", 1, 2 / 0.87962566],
    ["haiku", 0.87962566, 2],
  ] as const)("%s: deviation %p of 1/sqrt(fan-in), largest %p", (initialisation, deviation, largest) => {
    const config = { featureCount: 40, hiddenSize: 256, hiddenLayerCount: 3, initialisation };
    const parameters = initialAlloParameters(config, new Random(1));
    expect(Object.entries(parameters).map(([name, { shape }]) => [name, shape])).toEqual([
      ["encoder.layers.0.weight", [256, 2]], ["encoder.layers.0.bias", [256]],
      ["encoder.layers.1.weight", [256, 256]], ["encoder.layers.1.bias", [256]],
      ["encoder.layers.2.weight", [256, 256]], ["encoder.layers.2.bias", [256]],
      ["encoder.layers.3.weight", [40, 256]], ["encoder.layers.3.bias", [40]],
    ]);
    for (const [name, { shape, data }] of Object.entries(parameters)) {
      if (name.endsWith("bias")) {
        expect(data.every((value) => value === 0)).toBe(true);
        continue;
      }
      const scaled = Array.from(data, (value) => value * Math.sqrt(shape[1]));
      const count = scaled.length;
      const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / count;
      const sigmas = 4 / Math.sqrt(count);
      expect(Math.abs(meanOf(scaled))).toBeLessThan(sigmas * deviation);
      const spread = Math.sqrt(meanOf(scaled.map((value) => value ** 2)));
      expect(Math.abs(spread / deviation - 1)).toBeLessThan(sigmas * Math.SQRT1_2);
      expect(scaled.every((value) => Math.abs(value) <= largest + 1e-6)).toBe(true);
      expect(Math.max(...scaled)).toBeGreaterThan(0.9 * largest);
      const within = scaled.filter((value) => Math.abs(value) < largest / 2).length / count;
      expect(Math.abs(within - 0.6827 / 0.9545)).toBeLessThan(sigmas * Math.sqrt(0.7152 * 0.2848));
    }
  });

  test("repeat with their seed", () => {
    const { config } = ALLO_PRESETS.seed;
    expect(initialAlloParameters(config, new Random(3))).toEqual(initialAlloParameters(config, new Random(3)));
    expect(initialAlloParameters(config, new Random(3))).not.toEqual(initialAlloParameters(config, new Random(4)));
  });
});

describe("the carry", () => {
  const config = { ...ALLO_PRESETS.seed.config, featureCount: 3 };
  const { seed, paper } = ALLO_PRESETS;

  test("starts with duals on the lower triangle, or on the diagonal alone", () => {
    const dualsOf = (initialDualsDiagonal: boolean) =>
      [...initialAlloCarry(config, { ...seed.objective, initialDualsDiagonal }).duals.data];
    expect(dualsOf(false)).toEqual([-2, 0, 0, -2, -2, 0, -2, -2, -2]);
    expect(dualsOf(true)).toEqual([-2, 0, 0, 0, -2, 0, 0, 0, -2]);
    expect(initialAlloCarry(config, paper.objective).duals.data.every((dual) => dual === 0)).toBe(true);
  });

  test("holds what the objective uses and no more", () => {
    const always = ["barrier", "duals", "error", "graph", "secondError"];
    const keysOf = (objective: AlloPreset["objective"]) => Object.keys(initialAlloCarry(config, objective)).sort();
    expect(keysOf(seed.objective)).toEqual(always);
    const extended = { ...seed.objective, integralRate: 1, perturbation: "squared" } as const;
    expect(keysOf(extended)).toEqual([...always, "errorIntegral", "perturbation"].sort());
    expect(keysOf(paper.objective)).toEqual([...always, "isFirstPenalty", "penaltyAverage"].sort());
  });
});

test("inputs: weights over states and pairs, or rows", () => {
  const coordinates = new Float32Array(2 * 7);
  const inputsOf = (preset: "seed" | "paper", evaluation: "distinct" | "rows") => {
    const { config, objective } = ALLO_PRESETS[preset];
    return alloInputs({ config, objective, evaluation, coordinates }, 32);
  };
  const weights = { laplacian: { shape: [7, 7] }, first: { shape: [7] }, second: { shape: [7] } };
  for (const preset of ["seed", "paper"] as const) expect(inputsOf(preset, "distinct")).toEqual(weights);
  const rows = { shape: [32], dtype: "int32" } as const;
  expect(inputsOf("seed", "rows")).toEqual({ from: rows, to: rows, second: rows });
  expect(inputsOf("paper", "rows")).toEqual({ from: rows, to: rows, first: rows, second: rows });
});

test("learning rate: constant, then falling evenly over the last steps, never zero", () => {
  const training = { learningRate: 0.1, decayFraction: 0.5, beta2: 0.999, batchSize: 1, steps: 8 };
  const rates = Array.from({ length: 8 }, (_, step) => alloLearningRate(training, step));
  [0.1, 0.1, 0.1, 0.1, 0.1, 0.075, 0.05, 0.025].forEach((wanted, step) => expect(rates[step]).toBeCloseTo(wanted, 12));
  expect(alloLearningRate({ ...training, decayFraction: 0 }, 7)).toBe(0.1);
  expect(alloLearningRate({ ...training, decayFraction: 1 }, 7)).toBeCloseTo(0.1 / 8, 12);
});

test("offsets that follow the world: as many moves as states, from 50 to 500, most of them shorter than an episode", () => {
  const { sampling } = ALLO_PRESETS.fast;
  expect(alloOffsets(sampling, 11)).toEqual({ horizon: 50, gamma: 0.9 });
  expect(alloOffsets(sampling, 200)).toEqual({ horizon: 200, gamma: 0.975 });
  expect(alloOffsets(sampling, 1088)).toEqual({ horizon: 500, gamma: 0.99 });
  expect(alloOffsets({ horizon: 3, gamma: null }, 200)).toEqual({ horizon: 3, gamma: 0 });
  expect(alloOffsets({ horizon: null, gamma: 0.5 }, 200)).toEqual({ horizon: 200, gamma: 0.5 });
  expect(alloOffsets(ALLO_PRESETS.paper.sampling, 1088)).toEqual({ horizon: 50, gamma: 0.9 });
});

describe("refused", () => {
  const { config } = ALLO_PRESETS.paper;
  test.each([
    [{ featureCount: 0 }, "got featureCount = 0, wanted a whole number from 1"],
    [{ featureCount: 2.5 }, "got featureCount = 2.5"],
    [{ hiddenSize: -1 }, "got hiddenSize = -1"],
    [{ hiddenLayerCount: 0 }, "got hiddenLayerCount = 0"],
    [{ featureCount: 105 }, "got 105 features for 104 states"],
  ])("%o", (changes, message) => {
    const check = () => checkAlloConfig({ ...config, ...changes }, 104);
    expect(check).toThrow(ModelError);
    expect(check).toThrow(message);
  });

  test("networks that no machine holds: 4 GiB for float32 parameters, their gradients and two moments", () => {
    // One relu layer and one feature have 4 h + 1 parameters, 16 bytes each with what Adam keeps of them.
    const thin = { ...config, featureCount: 1, hiddenLayerCount: 1 };
    const largest = (2 ** 32 / 16 - 4) / 4;
    expect(() => checkAlloConfig({ ...thin, hiddenSize: largest }, 104)).not.toThrow();
    expect(() => checkAlloConfig({ ...thin, hiddenSize: largest + 1 }, 104)).toThrow(ModelError);
    // 3 h + 2 (h + 1) h + 11 (h + 1)
    expect(() => checkAlloConfig({ ...config, hiddenSize: 1_000_000 }, 104)).toThrow(
      "got 2000016000011 parameters (hiddenSize = 1000000, hiddenLayerCount = 3), wanted at most 268435456, which take 4 GiB " +
        "with their gradients and moments; lower hiddenSize or hiddenLayerCount",
    );
    expect(() => checkAlloConfig({ ...config, hiddenLayerCount: 1e6 }, 104)).toThrow("lower hiddenSize or hiddenLayerCount");
  });

  test("nothing of the presets", () => {
    for (const preset of Object.values(ALLO_PRESETS)) expect(() => checkAlloConfig(preset.config, 11)).not.toThrow();
  });
});
