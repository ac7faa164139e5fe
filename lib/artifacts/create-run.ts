// Makes a run directory: complete under a hidden name beside its place, then renamed into it, so that a kill at any moment
// leaves a whole run or none, and never a name that is taken by neither.
import { existsSync, lstatSync, mkdirSync, renameSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { isPlainFileName, maxNameLength } from "./artifact-name.ts";
import { syncDirectory, writeAtomicSync } from "./atomic.ts";
import { ArtifactError, systemError } from "./errors.ts";
import { encodeJson, type JsonObject } from "./json.ts";
import { type Manifest, writeManifest } from "./manifest.ts";
import { currentProcess } from "./process-identity.ts";
import { Run } from "./run.ts";
import { configFileName, removeUnfinishedRun, sweepUnfinishedRuns, unfinishedRunPath } from "./run-files.ts";
import { type RunStatus, writeStatus } from "./status.ts";

export interface CreateRunOptions {
  /** Directory of all runs, such as "runs". */
  root: string;
  /** Experiment or environment: the directory between root and name. */
  group: string;
  name: string;
  /** Every flag, resolved. */
  config: JsonObject;
  /** The command line, for whoever repeats the run. */
  command: readonly string[];
}

/**
 * Creates `root/group/name` and marks it running. Throws `exists` when it is there already: of two processes that race
 * for one name, one wins.
 */
export function createRun(options: CreateRunOptions): Run {
  for (const key of ["group", "name"] as const) {
    if (!isPlainFileName(options[key])) {
      throw new ArtifactError(
        "invalid-argument",
        `createRun: got ${key} "${options[key]}", wanted a visible name of at most ${maxNameLength} characters without slashes.`,
      );
    }
  }
  const parent = resolve(options.root, options.group);
  const path = join(parent, options.name);
  const parentsCreated = makeParents(parent, path);
  let directory = unfinishedRunPath(parent);
  try {
    sweepUnfinishedRuns(parent);
    refuseExisting(path);
    makeDirectory(directory, path);
    const { manifest, status } = writeFirstFiles(directory, parentsCreated, options);
    moveIntoPlace(directory, path);
    directory = path;
    return new Run(path, manifest, status);
  } catch (error) {
    removeUnfinishedRun(directory, parentsCreated);
    throw error;
  }
}

function writeFirstFiles(directory: string, parentsCreated: number, options: CreateRunOptions) {
  const { name, group, command, config } = options;
  const now = new Date().toISOString();
  const status: RunStatus = {
    state: "running",
    ...currentProcess(),
    generation: 0,
    startedAt: now,
    heartbeatAt: now,
    step: null,
    epoch: null,
    exit: null,
  };
  // First, because it says whose directory this is if we are killed here.
  writeStatus(directory, status);
  const written = writeAtomicSync(join(directory, configFileName), `${encodeJson(config, 2)}\n`);
  const manifest: Manifest = {
    format: "cleanloop-run",
    version: 1,
    name,
    group,
    command,
    createdAt: now,
    parentsCreated,
    artifacts: [{ name: configFileName, kind: "config", step: null, ...written, meta: null }],
    pointers: {},
    pending: null,
    removing: [],
  };
  writeManifest(directory, manifest);
  return { manifest, status };
}

/** Makes the missing parents of a run directory; returns how many they were. */
function makeParents(parent: string, path: string): number {
  try {
    const firstCreated = mkdirSync(parent, { recursive: true });
    return firstCreated === undefined ? 0 : relative(dirname(firstCreated), parent).split(sep).length;
  } catch (cause) {
    const file = fileAmong(parent);
    if (file === null) throw systemError("create the run directory", path, cause);
    // Not "exists", after which callers try the next name for ever.
    throw new ArtifactError(
      "not-a-directory",
      `cannot create the run directory ${path}: ${file} is a file. Remove it or choose another directory.`,
      { cause },
    );
  }
}

/** The file that is where a directory of `path` should be, or null. */
function fileAmong(path: string): string | null {
  if (!existsSync(path)) return fileAmong(dirname(path));
  return statSync(path).isDirectory() ? null : path;
}

function makeDirectory(directory: string, path: string): void {
  try {
    mkdirSync(directory);
  } catch (cause) {
    throw systemError("create the run directory", path, cause);
  }
}

/** Renaming would replace an empty directory; somebody made it, so it is not ours to take. */
function refuseExisting(path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false }) === undefined) return;
  throw new ArtifactError(
    "exists",
    `cannot create the run directory ${path}: it is already there. Choose another name or remove it.`,
  );
}

/** The one step that makes the run exist. It fails where another run was renamed first, because that is not empty. */
function moveIntoPlace(directory: string, path: string): void {
  try {
    renameSync(directory, path);
  } catch (cause) {
    throw systemError("create the run directory", path, cause);
  }
  syncDirectory(dirname(path));
}
