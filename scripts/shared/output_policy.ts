// What a training run leaves where: the one place that decides it for every kind of output.
import { UsageError } from "@cleanloop/cli";

export interface OutputFlags {
  wandb: boolean;
  wandb_only: boolean;
  disable_local_files: boolean;
  wandb_offline: boolean;
  keep_weights: boolean;
}

export interface OutputPolicy {
  mode: "standard" | "hybrid" | "wandb-only" | "wandb-only-offline";
  /** False: the run directory lives only while the run does (status and metrics for monitors) and is then removed. */
  runDirectoryKept: boolean;
  /** Figures, pages and the arrays they are drawn from. */
  figuresOnDisk: boolean;
  checkpointsOnDisk: boolean;
  tracker: "online" | "offline" | "disabled";
  figuresInTracker: boolean;
  weightsInTracker: boolean;
}

/** The output policy of a set of flags. Throws UsageError for flags that together would leave nothing at all. */
export function outputPolicy(flags: OutputFlags): OutputPolicy {
  if (flags.wandb_only && !flags.wandb) {
    throw new UsageError("--wandb_only with --no-wandb would keep nothing of the run; drop one of the two");
  }
  if (flags.wandb_offline && !flags.wandb) {
    throw new UsageError("--wandb_offline with --no-wandb: there is no tracker to be offline; drop one of the two");
  }
  const tracker = !flags.wandb ? "disabled" : flags.wandb_offline ? "offline" : "online";
  const isOnline = tracker === "online";
  return {
    mode: flags.wandb_only ? (isOnline ? "wandb-only" : "wandb-only-offline") : flags.disable_local_files ? "hybrid" : "standard",
    runDirectoryKept: !flags.wandb_only,
    figuresOnDisk: !flags.wandb_only && !flags.disable_local_files,
    checkpointsOnDisk: !flags.wandb_only,
    tracker,
    figuresInTracker: flags.wandb,
    weightsInTracker: flags.wandb && (flags.keep_weights || (flags.wandb_only && isOnline)),
  };
}

/** Throws UsageError when the policy needs a server: this version has no online tracker. */
export function requireAvailable(policy: OutputPolicy): void {
  if (policy.tracker !== "online") return;
  throw new UsageError(
    "online tracking is not in this version: add --wandb_offline (the log can be synced later) or --no-wandb (no tracker)",
  );
}
