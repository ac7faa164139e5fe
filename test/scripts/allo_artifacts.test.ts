// The files of an ALLO run against what the original program writes and its Python scripts expect.
import { describe, expect, test } from "bun:test";
import { createRun, openRun, type Run, resumeRun, runName } from "@cleanloop/artifacts";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { AlloSetting } from "../../scripts/allo/artifacts.ts";
import { AlloArtifacts, featuresFileName } from "../../scripts/allo/artifacts.ts";
import { codeOfAsync, findPythons, runPython, temporaryDirectory } from "../artifacts/support.ts";

const root = temporaryDirectory();
const numpys = findPythons("numpy");
const size = { stateCount: 4, featureCount: 2 };
let count = 0;

function newRun(): Run {
  const name = runName({ label: "room4", experiment: "allo", number: count++, seed: 42, unixSeconds: 1_766_000_000 });
  return createRun({ root, group: "room4", name, config: { seed: 42 }, command: [] });
}

/** Four free cells in a grid of 3 columns and 4 rows; two doors. */
const setting: AlloSetting = {
  world: {
    layout: { width: 3, height: 4 },
    canonicalStates: Int32Array.of(4, 5, 7, 8),
    doors: [
      { from: 0, action: 1, to: 1, reverseAction: 3 },
      { from: 3, action: 0, to: 1, reverseAction: 2 },
    ],
    reversibleMoveCount: 8,
  },
  geometricGamma: 1,
  groundTruth: { eigenvalues: [1, 0.75], eigenvectors: Float64Array.of(0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, -0.5) },
  dataset: { eigenvalues: [0, 0.25], eigenvectors: [1, 2, 3, 4, 5, 6, 7, 8] },
  coordinates: [0.5, -0.5, 1, -0.5, 0.5, 0, 1, 0],
  samplingDistribution: [0.25, 0.25, 0.125, 0.375],
  details: { env_type: "file", best: NaN },
};
const withoutDoors = { ...setting, world: { ...setting.world, doors: [] } };
const features = (value: number) => new Float32Array(8).fill(value);
const files = (run: Run) => readdirSync(run.path).sort();

const SETTING_FILES = [
  "dataset_eigenvalues.npy", "dataset_eigenvectors.npy", "gt_eigenvalues.npy", "gt_eigenvectors.npy", "sampling_distribution.npy",
  "state_coords.npy", "viz_metadata.json", "viz_metadata.pkl",
];
const RUN_FILES = ["args.json", "manifest.json", "metrics.jsonl", "metrics_history.json", "models", "plots", "status.json"];

describe("the files", () => {
  test("have the original's names, in a directory named as the original's; doors are written only where there are any", async () => {
    const run = newRun();
    expect(run.path).toMatch(/\/room4\/room4__allo__\d+__42__1766000000$/);
    const artifacts = new AlloArtifacts(run, size);
    await artifacts.writeSetting(withoutDoors);
    expect(files(run)).toEqual([...SETTING_FILES, ...RUN_FILES].sort());
    expect(["plots", "models"].map((name) => statSync(join(run.path, name)).isDirectory())).toEqual([true, true]);
    await artifacts.writeSetting(setting);
    await artifacts.writeFeatures(1000, features(1));
    await artifacts.writeFinalFeatures(1000, features(1));
    const later = ["door_config.pkl", "learned_eigenvectors_step_1000.npy", "final_learned_eigenvectors.npy"];
    expect(files(run)).toEqual([...SETTING_FILES, ...RUN_FILES, ...later].sort());
    expect(openRun(run.path).verifyArtifacts()).toEqual([]);
    expect(run.discard()).toEqual([]);
    expect(existsSync(run.path)).toBe(false);
  });

  test.skipIf(numpys.length === 0)("are read by Python with the original's types, dtypes, shapes and keys", async () => {
    const run = newRun();
    const artifacts = new AlloArtifacts(run, size);
    run.appendMetrics({ gradient_step: 0, allo: 0.5, sps: 100 });
    await artifacts.writeSetting(setting);
    run.appendMetrics({ gradient_step: 100, allo: NaN, sps: 90 });
    await artifacts.writeFeatures(1000, Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8));
    await artifacts.writeFinalFeatures(1000, features(-1.5));
    const program = `
import json, os, pickle, sys, numpy as np
os.chdir(sys.argv[1])
def load(name):
    with open(name, "rb") as f: return pickle.load(f)
def show(v):
    if isinstance(v, np.ndarray): return f"{v.dtype}{list(v.shape)}{v.ravel().tolist()}"
    if type(v) is dict: return "{" + ", ".join(f"{show(k)}: {show(x)}" for k, x in v.items()) + "}"
    if type(v) in (list, tuple): return type(v).__name__ + "(" + ", ".join(map(show, v)) + ")"
    return f"{type(v).__name__} {v}"
print(show(load("viz_metadata.pkl")))
print(show(load("door_config.pkl")))
for name in ["gt_eigenvalues", "gt_eigenvectors", "dataset_eigenvalues", "dataset_eigenvectors", "state_coords",
             "sampling_distribution", "learned_eigenvectors_step_1000", "final_learned_eigenvectors"]:
    a = np.load(name + ".npy")
    assert a.flags.c_contiguous
    print(name, show(a))
for name in ["metrics_history.json", "viz_metadata.json"]:
    with open(name) as f: print(show(json.load(f)))`;
    const states = "int32[4][4, 5, 7, 8]";
    const expected = [
      `{str canonical_states: ${states}, str grid_width: int 3, str grid_height: int 4, str door_markers: ` +
        "{tuple(int 4, int 1): int 5, tuple(int 8, int 0): int 5}, str num_eigenvectors: int 2, str geometric_gamma: float 1.0}",
      "{str doors: list(tuple(int 0, int 1, int 1, int 3), tuple(int 3, int 0, int 1, int 2)), " +
        `str num_doors: int 2, str total_reversible: int 8, str canonical_states: ${states}}`,
      "gt_eigenvalues float32[2][1.0, 0.75]",
      "gt_eigenvectors float32[4, 2][0.5, 0.5, 0.5, -0.5, 0.5, 0.5, 0.5, -0.5]",
      "dataset_eigenvalues float32[2][0.0, 0.25]",
      "dataset_eigenvectors float32[4, 2][1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]",
      "state_coords float32[4, 2][0.5, -0.5, 1.0, -0.5, 0.5, 0.0, 1.0, 0.0]",
      "sampling_distribution float32[4][0.25, 0.25, 0.125, 0.375]",
      "learned_eigenvectors_step_1000 float32[4, 2][1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0]",
      "final_learned_eigenvectors float32[4, 2][-1.5, -1.5, -1.5, -1.5, -1.5, -1.5, -1.5, -1.5]",
      "list({str gradient_step: int 0, str allo: float 0.5, str sps: int 100}, " +
        "{str gradient_step: int 100, str allo: NoneType None, str sps: int 90})",
      "{str canonical_states: list(int 4, int 5, int 7, int 8), str grid_width: int 3, str grid_height: int 4, " +
        "str door_markers: list(list(int 4, int 1, int 5), list(int 8, int 0, int 5)), str num_eigenvectors: int 2, " +
        "str geometric_gamma: int 1, str details: {str env_type: str file, str best: str NaN}}",
    ];
    for (const numpy of numpys) expect(runPython(numpy, program, run.path).trim().split("\n")).toEqual(expected);
  });

  test("metrics_history.json is there before the first step and holds every row at each export", async () => {
    const run = newRun();
    const artifacts = new AlloArtifacts(run, size);
    const history = () => JSON.parse(readFileSync(join(run.path, "metrics_history.json"), "utf8")) as unknown[];
    await artifacts.writeSetting(withoutDoors);
    expect(history()).toEqual([]);
    run.appendMetrics({ gradient_step: 0 });
    await artifacts.writeFeatures(1, features(0));
    expect(history()).toEqual([{ gradient_step: 0 }]);
    run.appendMetrics({ gradient_step: 2 });
    await artifacts.writeFinalFeatures(2, features(0));
    expect(history()).toEqual([{ gradient_step: 0 }, { gradient_step: 2 }]);
  });

  test("training may change its array while the features of a step are written", async () => {
    const run = newRun();
    const live = features(1);
    const writing = new AlloArtifacts(run, size).writeFeatures(5, live);
    live.fill(2);
    await writing;
    const other = newRun();
    await new AlloArtifacts(other, size).writeFeatures(5, features(1));
    expect(readFileSync(join(run.path, featuresFileName(5)))).toEqual(readFileSync(join(other.path, featuresFileName(5))));
  });

  test("values that do not fill their shape are refused with the file's name, before anything is written", async () => {
    const run = newRun();
    const artifacts = new AlloArtifacts(run, size);
    const before = files(run);
    const wrong = { ...setting, coordinates: [1, 2, 3] };
    expect(await codeOfAsync(artifacts.writeSetting(wrong))).toBe("wrong-array");
    await expect(artifacts.writeSetting(wrong)).rejects.toThrow("state_coords.npy: got 3 values, wanted 8 for shape (4, 2).");
    const tooLong = new Float32Array(9);
    await expect(artifacts.writeFeatures(7, tooLong)).rejects.toThrow("learned_eigenvectors_step_7.npy: got 9 values, wanted 8");
    expect(files(run)).toEqual(before);
  });
});

describe("a resumed run", () => {
  const STEPS = 20_000;

  /** What the trainer writes: a row each 100 steps, features each 1000, both also at the end. */
  async function train(run: Run, artifacts: AlloArtifacts, from: number, to: number): Promise<void> {
    for (let step = from; step <= to; step += 100) {
      run.appendMetrics({ gradient_step: step, allo: 1 / (step + 1) });
      if (step > 0 && step % 1000 === 0) await artifacts.writeFeatures(step, features(step));
    }
  }
  /** The files that hold results, with their hashes. */
  const results = (path: string) => {
    const { artifacts } = openRun(path);
    return new Map(artifacts.map(({ name, sha256 }) => [name, sha256]).sort() as [string, string][]);
  };

  test("from a step that its files had passed ends with the files of a run that never stopped: 201 records, 20 steps", async () => {
    const whole = newRun();
    const wholeArtifacts = new AlloArtifacts(whole, size);
    await wholeArtifacts.writeSetting(setting);
    await train(whole, wholeArtifacts, 0, STEPS);
    await wholeArtifacts.writeFinalFeatures(STEPS, features(0));
    const steps = openRun(whole.path).artifacts.filter(({ name }) => name.startsWith("learned_")).map(({ step }) => step);
    expect(steps).toEqual(Array.from({ length: 20 }, (_, i) => (i + 1) * 1000));
    expect(openRun(whole.path).metrics()).toHaveLength(201);

    const run = newRun();
    const first = new AlloArtifacts(run, size);
    await first.writeSetting(setting);
    await train(run, first, 0, 14_300);
    await first.writeFinalFeatures(14_300, features(9)); // as a run that was stopped there and told to keep its result
    run.finish("killed");

    const again = resumeRun(run.path);
    const artifacts = new AlloArtifacts(again, size);
    await artifacts.rewind(12_000);
    const view = openRun(run.path);
    expect(view.metrics().at(-1)).toMatchObject({ gradient_step: 12_000 });
    expect(JSON.parse(readFileSync(join(run.path, "metrics_history.json"), "utf8"))).toHaveLength(121);
    const left = view.artifacts.filter(({ kind }) => kind === "features").map(({ name }) => name);
    expect(left).toEqual(Array.from({ length: 12 }, (_, i) => featuresFileName((i + 1) * 1000)));
    await train(again, artifacts, 12_100, STEPS);
    await artifacts.writeFinalFeatures(STEPS, features(0));
    expect(results(run.path)).toEqual(results(whole.path));
    expect(openRun(run.path).verifyArtifacts()).toEqual([]);
  });

  test("to more steps has no trained model until it ends", async () => {
    const run = newRun();
    await run.writeArtifact("models/encoder.onnx", "model", "of the shorter run");
    await run.writeArtifact("checkpoints/step-00019999.safetensors", "checkpoint", "weights", { step: 19_999, pointers: ["last"] });
    await new AlloArtifacts(run, size).rewind(19_998);
    expect(openRun(run.path).artifacts.map(({ name }) => name)).not.toContain("models/encoder.onnx");
    expect(existsSync(join(run.path, "models/encoder.onnx"))).toBe(false);
    expect(existsSync(join(run.path, "checkpoints/step-00019999.safetensors"))).toBe(true);
  });

  test("to more steps: features are final only at the end, also when they were made before the step that goes on", async () => {
    const run = newRun();
    const artifacts = new AlloArtifacts(run, size);
    await artifacts.writeSetting(setting);
    for (const step of [9000, 10_000, 19_999]) await artifacts.writeFeatures(step, features(step));
    await artifacts.writeFinalFeatures(19_999, features(0));
    await artifacts.rewind(19_999);
    const kept = openRun(run.path).artifacts.filter(({ kind }) => kind === "features");
    expect(existsSync(join(run.path, "final_learned_eigenvectors.npy"))).toBe(false);
    // T17: by the numbers of the manifest 19999 is the latest; by the file names it would be 9000
    expect(Math.max(...kept.map(({ step }) => step as number))).toBe(19_999);
    expect(kept.map(({ name }) => name).sort().at(-1)).toBe(featuresFileName(9000));
  });
});
