// The two places a training run writes to, opened and closed together: the run directory and the tracker's log.
import { join, relative } from "node:path";
import type { ExitDetail, FinalState, Progress, Run, RunNameParts } from "@cleanloop/artifacts";
import { ArtifactError, createRun, resumeRun, runName } from "@cleanloop/artifacts";
import { EXIT, FailedError } from "@cleanloop/cli";
import type { InitOptions, Run as TrackerRun } from "@cleanloop/wandb";
import { init, newRunId } from "@cleanloop/wandb";
import { removeDeadRuns } from "./dead_runs.ts";
import type { ModelFile } from "./model_files.ts";
import { WEIGHTS_FILE } from "./model_files.ts";
import type { OutputPolicy } from "./output_policy.ts";
import type { SavedArguments, SavedRun } from "./saved_run.ts";
import { plainJson } from "./saved_run.ts";

const ARGUMENTS_FILE = "args.json";
const HEARTBEAT_INTERVAL_MS = 5000;

export interface OutputsRequest {
  /** The command that trains, and alone can resume the run. */
  command: string;
  /** Every flag as it was resolved, for args.json. */
  flags: object;
  /** Directory of all runs, and below it of this kind. */
  root: string;
  group: string;
  /** A name that was asked for, or the parts of one that is generated; its number counts up while the name is taken. */
  name: string | Omit<RunNameParts, "unixSeconds">;
  policy: OutputPolicy;
  saved: SavedRun<unknown> | undefined;
  dataFingerprint: string;
  /** Shape of metrics_history.json. */
  historyLayout: "columns" | "records";
  tracker: Pick<InitOptions, "project" | "entity" | "group" | "tags" | "config" | "stepMetric" | "startingStep">;
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

/** Opens both. Throws ArtifactError (directory exists, cannot be written) or WandbError before anything was trained. */
export async function openOutputs(request: OutputsRequest): Promise<RunOutputs> {
  const { command, root, group, policy, saved, dataFingerprint } = request;
  const { weightsInTracker, runDirectoryKept } = policy;
  const args: SavedArguments = {
    ...request.flags,
    resume: undefined,
    cleanloop: {
      command,
      data_fingerprint: dataFingerprint,
      tracker_id: saved?.record.tracker_id ?? newRunId(),
      discard_when_dead: !runDirectoryKept && !weightsInTracker,
    },
  };
  const resumed = saved && resumeRun(saved.directory); // before the search below, which would find it dead
  if (!runDirectoryKept) {
    for (const path of removeDeadRuns(join(root, group))) say(`removed ${shortPath(path)}, a clean run that was killed`);
  }
  const run = resumed ?? createNewRun(args, request);
  let tracker: TrackerRun;
  try {
    // What was given anew holds for the next time, too.
    if (saved) await run.writeArtifact(ARGUMENTS_FILE, "config", `${JSON.stringify(plainJson(args), null, 2)}\n`);
    const config = { ...request.tracker.config, data_fingerprint: dataFingerprint };
    tracker = init({ ...request.tracker, config, mode: policy.tracker, dir: root, name: run.name, id: args.cleanloop.tracker_id });
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
      if (runDirectoryKept) await run.writeMetricsHistory(request.historyLayout).catch((error: Error) => (problem = error.message));
      await tracker.finish(problem === undefined ? (detail.exitCode ?? EXIT.failed) : EXIT.failed);
      if (tracker.failure && (!runDirectoryKept || weightsInTracker)) problem ??= `the tracker's log is not complete: ${tracker.failure.message}`;

      const areWeightsMissing = weightsInTracker && !areWeightsLogged && run.pointers.last !== undefined;
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
function createNewRun(args: SavedArguments, { root, group, name }: OutputsRequest): Run {
  const config = plainJson(args);
  const create = (chosen: string) => createRun({ root, group, name: chosen, config, command: process.argv.slice(1) });
  if (typeof name === "string") return create(name);
  const parts = { ...name, unixSeconds: Math.floor(Date.now() / 1000) };
  for (let { number } = parts; ; number++) {
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
