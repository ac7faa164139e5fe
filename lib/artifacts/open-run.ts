// A run directory, seen by readers: plots, sync, cleaning. Reads only, beside a living writer or after a killed one.
import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { ArtifactError, systemError } from "./errors.ts";
import { fileMatches, hashFile } from "./file-hash.ts";
import { decodeJson, type JsonObject } from "./json.ts";
import { type ArtifactEntry, type Manifest, type Pointer, readManifest, settled } from "./manifest.ts";
import { metricsFileName, type MetricsRow, readMetrics } from "./metrics.ts";
import { configFileName } from "./run-files.ts";
import { readStatus, type RunStatus } from "./status.ts";

/** An artifact whose file is not what the manifest says. */
export interface ArtifactProblem {
  name: string;
  code: "not-found" | "bad-checksum";
  message: string;
}

/** A run as it was when it was opened; the methods look at the files as they are now. */
export interface RunView {
  readonly path: string;
  readonly name: string;
  readonly group: string;
  readonly command: readonly string[];
  readonly createdAt: string;
  readonly config: JsonObject;
  readonly artifacts: readonly ArtifactEntry[];
  readonly pointers: Manifest["pointers"];
  status(): RunStatus;
  metrics(): MetricsRow[];
  /** Absolute path of an artifact; throws `not-found`. */
  artifactPath(name: string): string;
  /** Absolute path of what a pointer points to, or null while it points nowhere. */
  pointerPath(pointer: Pointer): string | null;
  /**
   * Hashes every artifact and returns those that do not match; empty means all is well. What a living run has replaced or
   * removed since is judged by its new entry; what it replaces faster than it can be hashed, ten times in a row, is no problem.
   */
  verifyArtifacts(): ArtifactProblem[];
}

/** Opens a run for reading; throws `not-a-run`, `bad-header` or `unsupported-version`. */
export function openRun(directory: string): RunView {
  const path = resolve(directory);
  const manifest = settled(path, readManifest(path));
  const { name, group, command, createdAt, artifacts, pointers } = manifest;
  const artifactPath = (wanted: string) => {
    if (artifacts.some((entry) => entry.name === wanted)) return join(path, wanted);
    throw new ArtifactError("not-found", `openRun: the run ${path} has no artifact "${wanted}".`);
  };
  return {
    path,
    name,
    group,
    command,
    createdAt,
    config: readConfig(path),
    artifacts,
    pointers,
    status: () => readStatus(path),
    metrics: () => readMetrics(join(path, metricsFileName)),
    artifactPath,
    pointerPath: (pointer) => (pointers[pointer] === undefined ? null : artifactPath(pointers[pointer])),
    verifyArtifacts: () => verify(path, artifacts),
  };
}

/** After so many looks, files that were replaced during every one of them are left to their writer. */
const mostLooks = 10;

function verify(directory: string, artifacts: readonly ArtifactEntry[]): ArtifactProblem[] {
  const suspects = artifacts.filter((entry) => !fileMatches(join(directory, entry.name), entry)).map(({ name }) => name);
  if (suspects.length === 0) return [];
  // A living run may have replaced or removed them since, and may do it again between a look at its manifest and one at the
  // files: a file is wrong only if the manifest says the same of it before and after.
  const problems: ArtifactProblem[] = [];
  let undecided = new Set(suspects);
  let before = readManifest(directory);
  for (let look = 0; look < mostLooks; look++) {
    const present = before.artifacts.filter(({ name }) => undecided.has(name));
    const found = present.flatMap((entry) => problemOf(directory, entry, before.pending?.entry) ?? []);
    if (found.length === 0) break;
    const after = readManifest(directory);
    const isDecided = ({ name }: ArtifactProblem) => isDeepStrictEqual(entriesOf(before, name), entriesOf(after, name));
    problems.push(...found.filter(isDecided));
    undecided = new Set(found.filter((problem) => !isDecided(problem)).map(({ name }) => name));
    before = after;
  }
  return problems;
}

/** All that a manifest says of one name: what is listed, and what may replace it at this moment. */
function entriesOf({ artifacts, pending }: Manifest, name: string): ArtifactEntry[] {
  return [...artifacts, ...(pending ? [pending.entry] : [])].filter((entry) => entry.name === name);
}

/** What is wrong with the file of an entry, which may also be the pending one that replaces it at this moment. */
function problemOf(directory: string, entry: ArtifactEntry, pending?: ArtifactEntry): ArtifactProblem | null {
  const path = join(directory, entry.name);
  const found = hashFile(path);
  if (!found) return { name: entry.name, code: "not-found", message: `${path}: is listed but missing.` };
  if (found.sha256 === entry.sha256) return null;
  if (pending?.name === entry.name && found.sha256 === pending.sha256) return null;
  const message =
    `${path}: got ${found.sizeBytes} bytes with SHA-256 ${found.sha256}, ` +
    `wanted ${entry.sizeBytes} with ${entry.sha256}. It was changed or damaged after it was written.`;
  return { name: entry.name, code: "bad-checksum", message };
}

function readConfig(directory: string): JsonObject {
  const path = join(directory, configFileName);
  try {
    return decodeJson(readFileSync(path, "utf8")) as JsonObject;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw systemError("read", path, cause);
    throw new ArtifactError("bad-header", `${path}: is not JSON (${cause.message}).`, { cause });
  }
}
