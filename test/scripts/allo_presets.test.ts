// The table of presets in the commands' README: every value of every preset, under the flag that sets it.
import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parseFlags } from "@cleanloop/cli";
import type { AlloPresetName } from "@cleanloop/models";
import { ALLO_PRESETS } from "@cleanloop/models";
import { alloFlags } from "../../scripts/allo/flags.ts";
import { alloSettings } from "../../scripts/allo/settings.ts";

const readme = readFileSync(join(import.meta.dir, "../../scripts/README.md"), "utf8");
const [head, , ...lines] = (/^\| \| seed \|(?:.*\n)(?:\|.*\n)+/m.exec(readme)?.[0] ?? "").trim().split("\n").map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()));
const names = (head?.slice(1) ?? []) as AlloPresetName[];

/** What a cell says of a value that follows the world. */
const FOLLOWS_WORLD: Record<string, string> = {
  "sampling.horizon": "the number of states, within 50 and 500",
  "sampling.gamma": "1 - 5 / `--max_episode_length`",
};

/** Where the value of a row is in a preset. */
const PLACES: Record<string, string> = {
  "`--num_gradient_steps`": "training.steps",
  "`--learning_rate`": "training.learningRate",
  "`--lr_decay`": "training.decayFraction",
  "`--adam_beta2`": "training.beta2",
  "`--batch_size`": "training.batchSize",
  "`--num_envs` times `--num_steps`": "sampling.transitions",
  "`--max_episode_length`": "sampling.horizon",
  "`--starts`": "sampling.starts",
  "`--geometric_gamma`": "sampling.gamma",
  "`--num_eigenvectors`": "config.featureCount",
  "`--hidden_dim`": "config.hiddenSize",
  "`--num_hidden_layers`": "config.hiddenLayerCount",
  "`--graph_scale`": "objective.graphScale",
  "`--duals_initial_val`": "objective.initialDual",
  "`--dual_learning_rate`": "objective.dualRate",
  "`--barrier_initial_val`": "objective.initialBarrier",
  "`--barrier_learning_rate`": "objective.barrierRate",
  "`--max_barrier_coefs`": "objective.barrierLimit",
  "constraint batches": "objective.constraints",
  "largest dual": "objective.dualLimit",
  "first weights": "config.initialisation",
  coordinates: "coordinates",
};

/** What presets have without a row: the same in all of them, which is what the flags' own defaults say. */
const DEFAULTS = ["initialDualsDiagonal", "integralRate", "integralDecay", "perturbation", "graphEpsilon", "graphVarianceScale", "gateThreshold"];

/** The values of a preset by their places, such as "training.steps". */
function valuesOf(name: AlloPresetName): Record<string, unknown> {
  const flat = Object.entries(ALLO_PRESETS[name]).flatMap(([part, value]) =>
    typeof value === "object" ? Object.entries(value).map(([key, inner]) => [`${part}.${key}`, inner]) : [[part, value]]);
  return Object.fromEntries(flat);
}

describe("the table of presets", () => {
  test("has the three presets, and a row for whatever they set", () => {
    expect(names.toSorted()).toEqual(Object.keys(ALLO_PRESETS).toSorted() as AlloPresetName[]);
    expect(lines.map(([row]) => row)).toEqual(Object.keys(PLACES));
    for (const name of names) expect(Object.keys(valuesOf(name)).toSorted()).toEqual([...Object.values(PLACES), ...DEFAULTS.map((key) => `objective.${key}`)].toSorted());
  });

  test.each(["seed", "paper", "fast"] as const)("has the values of %s, which are those of the flags", (name) => {
    const values = valuesOf(name);
    const { flags, objective } = alloSettings(parseFlags(alloFlags, [`--preset=${name}`]), new Set(), 104);
    const settings: Record<string, unknown> = flags;
    const column = names.indexOf(name) + 1;
    for (const [row, ...cells] of lines) {
      const place = PLACES[row];
      // --num_hidden_layers counts those behind the first one
      const value = place === "config.hiddenLayerCount" ? Number(values[place]) - 1 : values[place];
      const wanted = value === null ? FOLLOWS_WORLD[place] : String(value);
      expect([row, cells[column - 1]]).toEqual([row, wanted]);
      const flag = /^`--(\w+)`$/.exec(row)?.[1];
      if (flag !== undefined && value !== null) expect([flag, settings[flag]]).toEqual([flag, value]);
    }
    expect(flags.num_envs * flags.num_steps).toBe(ALLO_PRESETS[name].sampling.transitions);
    expect(objective).toEqual(ALLO_PRESETS[name].objective);
  });
});
