// The flags of every training command: where it computes, what it leaves, what it logs. Declared once for all of them.
import type { FlagValues } from "@cleanloop/cli";
import { defineFlags, underHeading } from "@cleanloop/cli";

export const machineFlags = underHeading("Machine", {
  device: { type: "enum", values: ["auto", "cpu", "wasm", "webgpu", "cuda"], default: "auto", description: "Where to compute." },
  engine: { type: "enum", values: ["onnx", "tfjs"], default: "onnx", description: "onnx: compiled. tfjs: eager, the slow reference." },
  threads: { type: "integer", min: 1, max: 256, default: 2, description: "CPU threads; results differ in the last digits between counts." },
});

export const outputFlags = underHeading("Output", {
  run_name: { type: "string", valueName: "name", description: "Name in the tracker and of the run directory, instead of the generated one." },
  wandb_only: { type: "boolean", description: "Leave nothing but the tracker's log." },
  disable_local_files: { type: "boolean", description: "No figures or figure data on disk; checkpoints stay." },
  keep_weights: { type: "boolean", description: "Put the trained weights into the tracker's log as files." },
  json: { type: "boolean", description: "Print a result object instead of the directory." },
});

export const trackerFlags = underHeading("Tracker", {
  wandb: { type: "boolean", default: true, description: "Write a W&B log." },
  wandb_offline: { type: "boolean", description: "Write the log here, to be synced later." },
  wandb_project: { type: "string", valueName: "name", description: "Project, instead of the command's own." },
  wandb_entity: { type: "string", valueName: "name", description: "Team or user that owns the project." },
  wandb_group: { type: "string", valueName: "name", description: "Group of runs." },
  wandb_tags: { type: "list", valueName: "tag,tag", description: "Tags." },
});

const resumableFlags = defineFlags({ ...machineFlags, ...outputFlags, ...trackerFlags });

/** Values of the flags that every training command has. */
export type SharedFlags = FlagValues<typeof resumableFlags>;

/**
 * Those of them that a resumed run may be given anew: what it writes where. Threads, engine and device change the last digits of
 * what is computed, so they stay unless given. The name belongs to the directory, and what a run keeps is settled when it starts.
 */
export const RESUMABLE_SHARED_FLAGS = [
  "device", "engine", "threads", "disable_local_files", "keep_weights", "json",
  "wandb", "wandb_offline", "wandb_project", "wandb_entity", "wandb_group", "wandb_tags",
] as const satisfies readonly (keyof SharedFlags)[];
