// What a run of allo is called, what its tracker is told at the start, and what its plots need to know.
import type { JsonObject } from "@cleanloop/artifacts";
import type { Gridworld } from "@cleanloop/data";
import type { AlloSetting } from "./artifacts.ts";
import type { OutputPolicy } from "../shared/output_policy.ts";
import type { OutputsRequest } from "../shared/run_outputs.ts";
import type { SavedRun } from "../shared/saved_run.ts";
import { plainJson } from "../shared/saved_run.ts";
import type { CollectedData, Targets } from "./environment.ts";
import { worldFingerprint } from "./environment.ts";
import type { AlloRunFlags, AlloSettings } from "./settings.ts";
import { COMMAND } from "./settings.ts";

export interface AlloOutputs {
  settings: AlloSettings;
  world: Gridworld;
  policy: OutputPolicy;
  saved: SavedRun<AlloRunFlags> | undefined;
}

/** The request for the run directory and the log of these settings. */
export function outputsRequest({ settings, world, policy, saved }: AlloOutputs): OutputsRequest {
  const { flags } = settings;
  const label = flags.env_type.replace(":", "-"); // a colon is no part of a file name everywhere
  return {
    command: COMMAND,
    flags,
    root: flags.results_dir,
    group: label,
    name: flags.run_name ?? { label, experiment: flags.exp_name, number: flags.exp_number, seed: flags.seed },
    policy,
    saved,
    dataFingerprint: worldFingerprint(world),
    historyLayout: "records",
    tracker: {
      project: flags.wandb_project,
      entity: flags.wandb_entity,
      group: flags.wandb_group,
      tags: flags.wandb_tags,
      startingStep: saved?.position,
      stepMetric: "gradient_step",
      config: { ...plainJson(flags), ...worldFacts(settings, world) },
    },
  };
}

/** The files that are written before the first step. */
export function settingFiles(settings: AlloSettings, world: Gridworld, { law }: CollectedData, { walk, reference, dataset }: Targets): AlloSetting {
  const { constraintLaw, coordinates, sampling } = settings;
  return {
    world,
    geometricGamma: sampling.gamma,
    groundTruth: walk,
    dataset,
    coordinates: world.coordinates(coordinates),
    samplingDistribution: law[constraintLaw],
    details: {
      ...worldFacts(settings, world),
      graph_scale: settings.objective.graphScale,
      eigenvalue_groups: reference.groups.map((group) => [...group]),
      laplacian_eigenvalues: [...reference.eigenvalues],
    },
  };
}

/** The world and its data in numbers. */
function worldFacts({ sampling, episodes, constraintLaw }: AlloSettings, { layout, stateCount, doors }: Gridworld): JsonObject {
  return {
    layout: layout.name,
    state_count: stateCount,
    door_count: doors.length,
    episodes,
    episode_length: sampling.horizon,
    transitions: episodes * sampling.horizon,
    constraint_law: constraintLaw,
  };
}
