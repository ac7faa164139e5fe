// The scores of an ALLO run, on features and duals whose scores are known.
import { describe, expect, test } from "bun:test";
import { parseFlags } from "@cleanloop/cli";
import { createGridworld, datasetSpectrum, exactSpectrum, expectedPairLaw, isSymmetricWalk, laplacianEigenvalues, namedLayout } from "@cleanloop/data";
import { ALLO_PRESETS } from "@cleanloop/models";
import { collectData, collectInParts, openWorld, targetsOf, walkSpectrum, worldFingerprint } from "../../scripts/allo/environment.ts";
import { evaluator } from "../../scripts/allo/evaluation.ts";
import { alloFlags } from "../../scripts/allo/flags.ts";
import { alloSettings } from "../../scripts/allo/settings.ts";

const SAMPLING = { gamma: 0.9, horizon: 50 };
const flagsOf = (...words: string[]) => parseFlags(alloFlags, ["--num_steps=50", ...words]);
/** A world and what the flags mean in it. */
function opened(...words: string[]) {
  const flags = flagsOf(...words);
  const world = openWorld(flags);
  return { world, settings: alloSettings(flags, new Set(), world.stateCount) };
}

/** The spectrum of the square room of 4 x 4 cells, whose second and third eigenvalues are equal. */
const square = exactSpectrum(createGridworld(namedLayout("open:4x4")), 4);
const laplacian = laplacianEigenvalues(square.eigenvalues, SAMPLING);
const sampled = { ...square, eigenvalues: laplacian };
const score = evaluator({ walk: square, reference: sampled, dataset: sampled, isSymmetric: true }, ALLO_PRESETS.fast.objective, SAMPLING);

/** Features [n, d] whose columns are these combinations of the eigenvectors, seven times as long. */
const combined = (...columns: number[][]) =>
  Float64Array.from({ length: 16 * 4 }, (_, at) => 7 * columns[at % 4].reduce((sum, weight, i) => sum + weight * square.eigenvectors[Math.floor(at / 4) * 4 + i], 0));
/** Duals [d, d] at the equilibrium of eigenvalues `lambda`: -4 c lambda on the diagonal, c = 1. */
const dualsOf = (lambda: ArrayLike<number>) => Float64Array.from({ length: 16 }, (_, at) => (at % 5 === 0 ? -4 * lambda[at / 5] : 0));

describe("scores", () => {
  test("of the eigenvectors themselves, of any sign and length, are perfect", () => {
    const scores = score(combined([1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 1, 0], [0, 0, 0, -1]), dualsOf(laplacian));
    for (const key of ["cosine_sim_avg", "cosine_group_avg", "cosine_near_avg", "cosine_dataset_avg", "cosine_dataset_group_avg", "subspace_alignment"]) {
      expect(scores[key]).toBeCloseTo(1, 12);
    }
    expect(scores.eigenvalue_error_max).toBeLessThan(1e-12);
    expect(scores.eigenvalue_dataset_error_max).toBeLessThan(1e-12);
    expect(scores.eigenvalue_1).toBeCloseTo(laplacian[1], 12);
    expect(scores.walk_eigenvalue_1).toBeCloseTo((1 + Math.cos(Math.PI / 4)) / 2, 9); // closed form of the open room
  });

  test("of a rotation inside one eigenvalue are perfect by groups alone", () => {
    const angle = Math.PI / 3;
    const scores = score(
      combined([1, 0, 0, 0], [0, Math.cos(angle), Math.sin(angle), 0], [0, -Math.sin(angle), Math.cos(angle), 0], [0, 0, 0, 1]),
      dualsOf(laplacian),
    );
    expect(scores.cosine_group_avg).toBeCloseTo(1, 12);
    expect([0, 1, 2, 3].map((i) => scores[`cosine_sim_${i}`])).toEqual([1, 0.5, 0.5, 1].map((value) => expect.closeTo(value, 12)));
    expect(scores.cosine_sim_avg).toBeCloseTo(0.75, 12);
  });

  test("of a rotation out of the learned vectors, into the rest of a double eigenvalue that they cut, are perfect by groups", () => {
    const two = exactSpectrum(createGridworld(namedLayout("open:4x4")), 2);
    expect(two.groups).toEqual([[0], [1, 2]]);
    const reference = { ...two, eigenvalues: laplacian.slice(0, 2) };
    const cut = evaluator({ walk: two, reference, dataset: reference, isSymmetric: true }, ALLO_PRESETS.fast.objective, SAMPLING);
    const features = Float32Array.from({ length: 32 }, (_, at) => (at % 2 === 0 ? two.eigenvectors[at] : two.extraEigenvectors[(at - 1) / 2]));
    const scores = cut(features, new Float32Array(4));
    expect([scores.cosine_sim_avg, scores.cosine_group_avg, scores.cosine_near_avg]).toEqual([0.5, 1, 1].map((value) => expect.closeTo(value, 6)));
  });

  test("of a rotation inside eigenvalues that are almost equal are perfect by near groups alone", () => {
    const close = Float64Array.of(laplacian[0], laplacian[1], laplacian[2], laplacian[2] * 1.005);
    const reference = { ...square, eigenvalues: close, groups: [[0], [1], [2], [3]] };
    const nearly = evaluator({ walk: square, reference, dataset: sampled, isSymmetric: true }, ALLO_PRESETS.fast.objective, SAMPLING);
    const scores = nearly(combined([1, 0, 0, 0], [0, 0.6, 0.8, 0], [0, -0.8, 0.6, 0], [0, 0, 0, 1]), dualsOf(close));
    expect([scores.cosine_group_avg, scores.cosine_near_avg]).toEqual([0.8, 1].map((value) => expect.closeTo(value, 6)));
  });

  test("of a wrong order show in the cosines and not in the subspace; of wrong duals in the eigenvalues", () => {
    const scores = score(combined([0, 1, 0, 0], [1, 0, 0, 0], [0, 0, 1, 0], [0, 0, 0, 1]), dualsOf([0.25, laplacian[1], laplacian[2], laplacian[3]]));
    expect(scores.cosine_group_0).toBeCloseTo(0, 12);
    expect(scores.subspace_alignment).toBeCloseTo(1, 12);
    expect(scores.eigenvalue_error_max).toBeCloseTo(0.25, 12);
  });
});

describe("data", () => {
  test("that are collected in parts are the same data", async () => {
    const { world, settings } = opened("--env_type=open:2x3", "--num_eigenvectors=2", "--num_envs=190000");
    const whole = collectData(world, settings).law;
    const parts = (await collectInParts(world, settings, new AbortController().signal)).law;
    for (const name of ["joint", "first", "second", "visits"] as const) {
      expect(parts[name].reduce((sum, share) => sum + share, 0)).toBeCloseTo(1, 12);
      parts[name].forEach((share, i) => expect(share).toBeCloseTo(whole[name][i], 12));
    }
  });

  test.each(["distinct", "rows"])("are not collected to the end once the run is told to stop (--evaluation %s)", async (evaluation) => {
    const { world, settings } = opened("--env_type=open:2x3", "--num_eigenvectors=2", "--num_envs=190000", `--evaluation=${evaluation}`, "--batch_size=8");
    const stop = new AbortController();
    const collecting = collectInParts(world, settings, stop.signal);
    stop.abort(new Error("stopped"));
    await expect(collecting).rejects.toThrow("stopped");
  });
});

describe("targets", () => {
  test("of a world without doors are the walk's eigenvalues seen through the sampler, and what the data say is near them", () => {
    const { world, settings } = opened("--env_type=open:4x5", "--num_eigenvectors=5");
    const targets = targetsOf(world, walkSpectrum(world, settings), collectData(world, settings).law, settings);
    // allo.md, T11: the eigenvalues of the 4 x 5 room for gamma 0.9 and episodes of 50
    [0, 0.42909, 0.54793, 0.68973, 0.78386].forEach((value, i) => expect(targets.reference.eigenvalues[i]).toBeCloseTo(value, 5));
    targets.dataset.eigenvalues.forEach((value, i) => expect(Math.abs(value - targets.reference.eigenvalues[i])).toBeLessThan(0.05));
  });

  test("of a world with doors come from the pairs that endless data would hold", () => {
    const { world, settings } = opened("--use_doors", "--num_doors=3", "--env_type=open:4x5", "--num_eigenvectors=3");
    expect(isSymmetricWalk(world)).toBe(false);
    const endless = expectedPairLaw(world, settings.sampling);
    const { reference, walk } = targetsOf(world, walkSpectrum(world, settings), endless, settings);
    expect(reference).toEqual(datasetSpectrum(endless, 3, settings.constraintLaw));
    expect(walk).toEqual(exactSpectrum(world, 3));
  });

  test("of a world with doors are what much data converge to; the walk's own eigenvectors, under their own key, are not", () => {
    const { world, settings } = opened("--use_doors", "--num_doors=10", "--env_type=open:4x5", "--num_eigenvectors=4", "--num_envs=40000");
    const targets = targetsOf(world, walkSpectrum(world, settings), collectData(world, settings).law, settings);
    const scoreDoors = evaluator(targets, settings.objective, settings.sampling);
    // Where training on these data ends: their eigenvectors, and duals -4 c lambda.
    const scores = scoreDoors(targets.dataset.eigenvectors, dualsOf(targets.dataset.eigenvalues));
    for (const key of ["cosine_sim_avg", "cosine_group_avg", "cosine_near_avg", "subspace_alignment"]) expect(scores[key]).toBeGreaterThan(0.999);
    expect(scores.eigenvalue_error_max).toBeLessThan(0.005);
    expect(scores.cosine_walk_avg).toBeLessThan(0.99);
    expect(scoreDoors(targets.reference.eigenvectors, dualsOf(targets.reference.eigenvalues)).cosine_sim_avg).toBeCloseTo(1, 12);
    // No formula leads from these eigenvalues to the walk's.
    expect(Object.keys(scores).filter((key) => key.startsWith("walk_eigenvalue"))).toEqual([]);
    expect(score(square.eigenvectors, dualsOf(laplacian))).not.toHaveProperty("cosine_walk_avg");
  });

  test("worlds are told apart by their layout and their doors", () => {
    const words = [["--env_type=open:4x5"], ["--env_type=open:5x4"], ["--env_type=open:4x5", "--use_doors"], ["--env_type=open:4x5", "--use_doors", "--door_seed=1"]];
    const prints = words.map((more) => worldFingerprint(opened("--num_eigenvectors=3", ...more).world));
    expect(new Set(prints).size).toBe(4);
    expect(worldFingerprint(opened("--num_eigenvectors=2", "--env_type=open:4x5").world)).toBe(prints[0]);
  });
});
