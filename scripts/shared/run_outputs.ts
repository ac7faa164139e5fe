// The two places a training run writes to, opened and closed together: the run directory and the tracker's log.
import { join, relative } from "node:path";
import type { ExitDetail, FinalState, Progress, Run } from "@cleanloop/artifacts";
import { ArtifactError, createRun, resumeRun, runName } from "@cleanloop/artifacts";
import { EXIT, FailedError } from "@cleanloop/cli";
import type { Run as TrackerRun } from "@cleanloop/wandb";
import { init, newRunId } from "@cleanloop/wandb";
import { removeDeadRuns } from "./dead_runs.ts";
import type { OutputPolicy } from "./output_policy.ts";
import type { SavedArguments, SavedRun } from "./saved_run.ts";
import { plainJson } from "./saved_run.ts";
import type { RunSettings } from "./settings.ts";
import { trackerConfig } from "./settings.ts";
import type { ModelFile } from "./weights_export.ts";

const EXPERIMENT = "cyclic_extended";
const GROUP = "rlvae";
const ARGUMENTS_FILE = "args.json";
const HEARTBEAT_INTERVAL_MS = 5000;

export interface OutputsRequest {
  settings: RunSettings;
  policy: OutputPolicy;
  saved: SavedRun | undefined;
  dataFingerprint: string;
  /** Numbers about the data, for the tracker's config. */
  facts: Record<string, unknown>;
}

/** Where the outputs lie when all is closed; null for what was not kept. Paths are relative where that is shorter. */
export interface OutputPaths {
  run: string | null;
  tracker: string | null;
}

export interface RunOutputs {
  run: Run;
  tracker: TrackerRun;
  /** Says that the run is alive. A status that cannot be written is told once and stops nothing. */
  heartbeat(progress?: Progress): void;
  /** Puts files into the tracker's log; their loss shows in `close`. */
  saveInTracker(file: ModelFile): void;
  /**
   * Records the end in both places. In the wandb-only modes the run directory is then removed, unless it holds what did not
   * reach the log. Throws FailedError when something that was to be kept is missing. Only the first call does anything.
   */
  close(state: FinalState, detail: ExitDetail): Promise<OutputPaths>;
}

/** All weights as one file in the log; a run that keeps its weights there is whole when it has this one. */
export const WEIGHTS_FILE = "weights.safetensors";

/** Opens both. Throws ArtifactError (directory exists, cannot be written) or WandbError before anything was trained. */
export async function openOutputs(request: OutputsRequest): Promise<RunOutputs> {
  const { settings, policy, saved, dataFingerprint, facts } = request;
  const { flags } = settings;
  const { weightsInTracker, runDirectoryKept } = policy;
  const args: SavedArguments = {
    flags: { ...flags, resume: undefined },
    data_fingerprint: dataFingerprint,
    tracker_id: saved?.tracker_id ?? newRunId(),
    discard_when_dead: !runDirectoryKept && !weightsInTracker,
  };
  const resumed = saved && resumeRun(saved.directory); // before the search below, which would find it dead
  if (!runDirectoryKept) {
    for (const path of removeDeadRuns(join(flags.output_dir, GROUP))) say(`removed ${shortPath(path)}, a clean run that was killed`);
  }
  const run = resumed ?? createNewRun(args, flags);
  let tracker: TrackerRun;
  try {
    // What was given anew holds for the next time, too.
    if (saved) await run.writeArtifact(ARGUMENTS_FILE, "config", `${JSON.stringify(plainJson(args), null, 2)}\n`);
    tracker = init({
      mode: policy.tracker,
      dir: flags.output_dir,
      project: flags.wandb_project,
      entity: flags.wandb_entity,
      group: flags.wandb_group,
      tags: flags.wandb_tags,
      name: run.name,
      id: args.tracker_id,
      startingStep: saved?.nextEpoch,
      stepMetric: "epoch",
      config: trackerConfig(settings, { ...facts, data_fingerprint: dataFingerprint }),
    });
  } catch (error) {
    run.finish("failed", { message: (error as Error).message, exitCode: EXIT.failed });
    if (!runDirectoryKept && !saved) run.discard();
    throw error;
  }

  const heartbeat = guardedHeartbeat(run);
  const timer = setInterval(heartbeat, HEARTBEAT_INTERVAL_MS);
  timer.unref();
  let areWeightsLogged = false;
  let isClosed = false;
  const paths = (isKept: boolean): OutputPaths => ({
    run: isKept ? shortPath(run.path) : null,
    tracker: tracker.directory ? shortPath(tracker.directory) : null,
  });

  return {
    run,
    tracker,
    heartbeat,
    saveInTracker({ name, bytes }) {
      tracker.saveFile(bytes, name);
      areWeightsLogged ||= name === WEIGHTS_FILE;
    },
    async close(state, detail) {
      if (isClosed) return paths(runDirectoryKept);
      isClosed = true;
      clearInterval(timer);
      let problem: string | undefined;
      if (runDirectoryKept) await run.writeMetricsHistory().catch((error: Error) => (problem = error.message));
      await tracker.finish(problem === undefined ? (detail.exitCode ?? EXIT.failed) : EXIT.failed);
      if (tracker.failure && (!runDirectoryKept || weightsInTracker)) problem ??= `the tracker's log is not complete: ${tracker.failure.message}`;

      const areWeightsMissing = weightsInTracker && !areWeightsLogged && run.pointers.best !== undefined;
      const isKept = runDirectoryKept || problem !== undefined || areWeightsMissing;
      if (!isKept) reportLeft(run, run.discard()); // not finished first: killed in between, it would look like a run to keep
      else if (problem === undefined) run.finish(state, detail);
      else run.finish("failed", { message: [detail.message, problem].filter(Boolean).join("; "), exitCode: EXIT.failed });
      if (problem !== undefined) throw new FailedError(`${problem}; what the run wrote is kept in ${shortPath(run.path)}`);
      if (areWeightsMissing && !runDirectoryKept) say(`the weights so far are kept in ${shortPath(run.path)}; --resume goes on from them`);
      return paths(isKept);
    },
  };
}

/** A heartbeat that cannot throw: it also runs in a timer, where an exception would end the process. */
function guardedHeartbeat(run: Run): (progress?: Progress) => void {
  let hasWarned = false;
  return (progress) => {
    try {
      run.heartbeat(progress);
    } catch (error) {
      if (!hasWarned) say(`the run's status is not up to date: ${(error as Error).message}`);
      hasWarned = true;
    }
  };
}

/** A new run directory; generated names count up while another run of this second has the name. */
function createNewRun(args: SavedArguments, flags: RunSettings["flags"]): Run {
  const config = plainJson(args);
  const create = (name: string) => createRun({ root: flags.output_dir, group: GROUP, name, config, command: process.argv.slice(1) });
  if (flags.run_name !== undefined) return create(flags.run_name);
  const parts = { label: flags.loop_mode, experiment: EXPERIMENT, seed: flags.seed, unixSeconds: Math.floor(Date.now() / 1000) };
  for (let number = 1; ; number++) {
    try {
      return create(runName({ ...parts, number }));
    } catch (error) {
      if (!(error instanceof ArtifactError && error.code === "exists")) throw error;
    }
  }
}

/** Names what a discarded run could not remove, because others changed it. */
function reportLeft(run: Run, names: readonly string[]): void {
  if (names.length > 0) say(`${shortPath(run.path)} stays: somebody else changed ${names.join(", ")}`);
}

function say(line: string): void {
  process.stderr.write(`${line}\n`);
}

function shortPath(path: string): string {
  const fromHere = relative(process.cwd(), path);
  return fromHere.startsWith("..") ? path : fromHere;
}
