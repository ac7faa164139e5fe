// The parts of allo's loop: when something happens, batches that a saved state continues, writes beside the training.
import { describe, expect, test } from "bun:test";
import { heapStats } from "bun:jsc";
import { parseFlags, UsageError } from "@cleanloop/cli";
import type { InputArray } from "@cleanloop/compute";
import { CountSampler, createGridworld, namedLayout, PairBatch, parseLayout } from "@cleanloop/data";
import { alloInputs } from "@cleanloop/models";
import { BackgroundWrites } from "../../scripts/allo/background_writes.ts";
import { batchStream, openBatches } from "../../scripts/allo/batches.ts";
import type { Cadence } from "../../scripts/allo/cadence.ts";
import { callAt, lastRecordKept, stepsPerCall } from "../../scripts/allo/cadence.ts";
import { collectData, walkSpectrum } from "../../scripts/allo/environment.ts";
import { alloFlags } from "../../scripts/allo/flags.ts";
import { alloSettings } from "../../scripts/allo/settings.ts";

describe("calls of the session", () => {
  /** Every call of a run, by its first step. */
  function calls(cadence: Cadence) {
    const found = [];
    for (let step = 0; step < cadence.steps; ) {
      const call = callAt(step, cadence);
      found.push({ step, ...call });
      step += call.stepCount;
    }
    return found;
  }
  const original: Cadence = { steps: 20_000, stepsPerCall: 16, log_freq: 100, plot_freq: 1000, save_freq: 1000 };

  test("record what the original records: 201 steps of 20,000, each alone", () => {
    const recorded = calls(original).filter(({ isLogged }) => isLogged);
    expect(recorded.map(({ step }) => step)).toEqual([...Array.from({ length: 200 }, (_, i) => i * 100), 19_999]);
    expect(new Set(recorded.map(({ stepCount }) => stepCount))).toEqual(new Set([1]));
  });

  test("export at 0, plot_freq, ... and save at save_freq, ... whatever the other cadences are", () => {
    const all = calls({ steps: 500, stepsPerCall: 16, log_freq: 7, plot_freq: 60, save_freq: 45 });
    const steps = (happens: "isExported" | "isSaved") => all.filter((call) => call[happens]).map(({ step }) => step);
    expect(steps("isExported")).toEqual([0, 60, 120, 180, 240, 300, 360, 420, 480]);
    expect(steps("isSaved")).toEqual([45, 90, 135, 180, 225, 270, 315, 360, 405, 450, 495]);
    expect(all.reduce((sum, { stepCount }) => sum + stepCount, 0)).toBe(500);
  });

  test("have at most the session's steps, and grow behind a recorded one", () => {
    const counts = calls(original).map(({ stepCount }) => stepCount);
    expect(counts.slice(0, 10)).toEqual([1, 2, 4, 8, 16, 16, 16, 16, 16, 5]);
    expect(Math.max(...counts)).toBe(16);
  });

  test("of one step are a run of one step", () => {
    expect(calls({ ...original, steps: 1 })).toEqual([{ step: 0, isLogged: true, isExported: true, isSaved: false, stepCount: 1 }]);
  });

  test("that a resumed run does not make again keep their records, but not the one of a last step that is the last no more", () => {
    const kept = (stepsDone: number, steps: number) => lastRecordKept(stepsDone, { ...original, steps });
    expect([kept(201, 300), kept(250, 300), kept(250, 250), kept(0, 300)]).toEqual([200, 248, 249, -2]);
  });

  test("stage at most 64 MB, but one step whatever its size", () => {
    const laplacian = (n: number) => stepsPerCall({ laplacian: { shape: [n, n] } });
    expect([laplacian(104), laplacian(1088), laplacian(8192)]).toEqual([16, 6, 1]);
  });
});

describe("a batch size of 0", () => {
  const opened = (...more: string[]) => {
    const settings = alloSettings(parseFlags(alloFlags, ["--env_type=open:3x4", "--num_steps=10", "--num_eigenvectors=2", ...more]), new Set(), 12);
    return { settings, data: collectData(createGridworld(namedLayout("open:3x4")), settings) };
  };
  const room = () => ({ laplacian: new Float32Array(144), first: new Float32Array(12), second: new Float32Array(12) });
  const fill = ({ settings, data }: ReturnType<typeof opened>, inputs = room()) => {
    openBatches(data, settings, batchStream(7).state()).fill(inputs);
    return inputs;
  };

  test.each(["seed", "paper"])("is the mean of ever larger batches (preset %s)", (preset) => {
    const words = [`--preset=${preset}`, "--max_episode_length=20", "--geometric_gamma=0.5"];
    const whole = fill(opened(...words, "--batch_size=0"));
    const large = fill(opened(...words, "--batch_size=1000000"));
    for (const name of ["laplacian", "first", "second"] as const) {
      // a share p of a million draws is off by sqrt(p / 10^6); the largest entries are sums of two shares near 1/12
      whole[name].forEach((share, i) => expect(Math.abs(share - large[name][i])).toBeLessThan(5 * Math.sqrt(0.17 / 1e6)));
    }
    expect(whole.first.reduce((a, b) => a + b, 0)).toBeCloseTo(1, 5);
  });

  test("needs no random numbers and no second filling", () => {
    const { settings, data } = opened();
    expect(settings.training.batchSize).toBe(0);
    const source = openBatches(data, settings, batchStream(7).state());
    const inputs = room();
    source.fill(inputs);
    expect(inputs.first.reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 5);
    for (const values of Object.values(inputs)) values.fill(-7);
    source.fill(inputs);
    expect(inputs).toEqual({ laplacian: new Float32Array(144).fill(-7), first: new Float32Array(12).fill(-7), second: new Float32Array(12).fill(-7) });
    expect(source.state()).toEqual(batchStream(7).state());
  });

  test("is refused row by row", () => {
    expect(() => opened("--evaluation=rows")).toThrow("--evaluation rows needs a batch: give --batch_size 1 or more, or drop --evaluation");
  });
});

describe.each(["distinct", "rows"])("batches of --evaluation %s", (evaluation) => {
  const words = ["--env_type=open:3x4", "--num_steps=10", "--batch_size=20", `--evaluation=${evaluation}`, "--hidden_dim=2", "--num_eigenvectors=2"];

  test.each(["seed", "paper"])("of preset %s fill every input, and go on from a saved state with the same batches", (preset) => {
    const settings = alloSettings(parseFlags(alloFlags, [...words, `--preset=${preset}`]), new Set(), 12);
    const world = createGridworld(namedLayout("open:3x4"));
    const data = collectData(world, settings);
    const model = { ...settings, evaluation: settings.flags.evaluation, coordinates: world.coordinates("paper") };
    const specs = Object.entries(alloInputs(model, 20));
    const room = (): Record<string, InputArray> =>
      Object.fromEntries(specs.map(([name, { shape, dtype }]) => {
        const length = shape.reduce((product, extent) => product * extent, 1);
        return [name, dtype === "int32" ? new Int32Array(length).fill(-1) : new Float32Array(length)];
      }));
    const [a, b] = [room(), room()];
    const source = openBatches(data, settings, batchStream(7).state());
    source.fill(a);
    const state = JSON.parse(JSON.stringify(source.state()));
    source.fill(b);
    source.fill(a);
    const again = openBatches(data, settings, state);
    const [c, d] = [room(), room()];
    again.fill(c);
    again.fill(d);
    expect([c, d]).toEqual([b, a]);
    for (const [name, values] of Object.entries(d)) {
      if (values instanceof Int32Array) expect(values.every((state) => state >= 0 && state < 12)).toBe(true);
      else if (name === "laplacian") for (let row = 0; row < 12; row++) expect(values.subarray(row * 12, row * 12 + 12).reduce((x, y) => x + y, 0)).toBeCloseTo(0, 6);
      else expect(values.reduce((x, y) => x + y, 0)).toBeCloseTo(1, 5);
    }
  });

  // Two cells, the second of which is never left, and episodes of one move: half of the first elements of pairs are in the first
  // cell, but of all states only (1/2 + 3/8) / 2, because a quarter of those who start there leave it.
  test.each([["seed", 1 / 2], ["paper", 7 / 16]])("of preset %s draw the constraint batches by its law of states", (preset, share) => {
    const batchSize = 20_000;
    const flags = [`--batch_size=${batchSize}`, `--evaluation=${evaluation}`, `--preset=${preset}`, "--max_episode_length=1", "--num_steps=100", "--num_eigenvectors=1"];
    const settings = alloSettings(parseFlags(alloFlags, flags), new Set(), 2);
    const data = collectData(createGridworld(parseLayout("DR,.", "trap")), settings);
    const inputs: Record<string, InputArray> =
      evaluation === "distinct"
        ? { laplacian: new Float32Array(4), first: new Float32Array(2), second: new Float32Array(2) }
        : Object.fromEntries(["from", "to", "first", "second"].map((name) => [name, new Int32Array(batchSize)]));
    openBatches(data, settings, batchStream(3).state()).fill(inputs);
    const shareOf = (batch: InputArray) => (evaluation === "distinct" ? batch[0] : batch.filter((state) => state === 0).length / batchSize);
    const first = evaluation === "rows" && preset === "seed" ? inputs.from : inputs.first; // one-sided: the pairs themselves
    for (const batch of [first, inputs.second]) expect(Math.abs(shareOf(batch) - share)).toBeLessThan(4 * Math.sqrt(0.25 / batchSize) + 0.005);
  });
});

describe("sizes that no machine holds are wrong usage, before anything is written", () => {
  test.each(["--batch_size=3000000000", "--hidden_dim=1000000"])("%s", (word) => {
    expect(() => parseFlags(alloFlags, [word])).toThrow(UsageError);
  });

  test("--num_hidden_layers=2000000", () => {
    const settings = alloSettings(parseFlags(alloFlags, ["--env_type=open:3x4", "--num_hidden_layers=2000000"]), new Set(), 12);
    expect(() => walkSpectrum(createGridworld(namedLayout("open:3x4")), settings)).toThrow(UsageError);
  });
});

describe("batches of more pairs than the Laplacian has entries", () => {
  const opened = (preset: string) => {
    const words = ["--env_type=open:3x4", "--num_steps=10", "--num_eigenvectors=2", "--batch_size=200000", `--preset=${preset}`];
    const settings = alloSettings(parseFlags(alloFlags, words), new Set(), 12);
    const { law, rollouts } = collectData(createGridworld(namedLayout("open:3x4")), settings);
    return { law, source: openBatches({ law, rollouts }, settings, batchStream(7).state()) };
  };
  const room = () => ({ laplacian: new Float32Array(144), first: new Float32Array(12), second: new Float32Array(12) });

  test.each([["seed", "first"], ["paper", "visits"]] as const)("are those of one sampler in turn, whatever they are staged in (preset %s)", (preset, states) => {
    const { law, source } = opened(preset);
    const sampler = new CountSampler(law, batchStream(7));
    const [a, b] = [room(), room()];
    for (const inputs of [a, b, a]) {
      source.fill(inputs);
      const pairs = new PairBatch(12, 200_000);
      sampler.pairs(pairs);
      const wanted: Record<string, Float32Array> = { ...room(), laplacian: pairs.laplacian, first: pairs.first };
      if (preset === "paper") sampler.states(200_000, wanted.first, states);
      sampler.states(200_000, wanted.second, states);
      expect<Record<string, Float32Array>>(inputs).toEqual(wanted);
    }
  });

  test("are drawn into one memory, not into one for every staged batch", () => {
    const { source } = opened("seed");
    const staged = Array.from({ length: 32 }, room);
    source.fill(staged[0]);
    const heldBytes = () => {
      Bun.gc(true);
      return heapStats().extraMemorySize;
    };
    const before = heldBytes();
    for (const inputs of staged) source.fill(inputs);
    expect(heldBytes() - before).toBeLessThan(4 * 200_000);
  });
});

describe("writes beside the training", () => {
  test("come one after the other", async () => {
    const order: string[] = [];
    const writes = new BackgroundWrites();
    const write = (name: string, durationMs: number) => async () => {
      order.push(`${name} begins`);
      await Bun.sleep(durationMs);
      order.push(`${name} ends`);
    };
    await writes.start(write("a", 20));
    expect(order).toEqual(["a begins"]);
    await writes.start(write("b", 0));
    await writes.finish();
    expect(order).toEqual(["a begins", "a ends", "b begins", "b ends"]);
  });

  test("that fail are told at the next one, or at the end", async () => {
    const fail = () => Promise.reject(new Error("disk full"));
    const writes = new BackgroundWrites();
    await writes.start(fail);
    await Bun.sleep(5); // no unhandled rejection meanwhile
    await expect(writes.start(async () => {})).rejects.toThrow("disk full");
    const last = new BackgroundWrites();
    await last.start(fail);
    await expect(last.finish()).rejects.toThrow("disk full");
  });
});
