// manifest.json: which artifacts a run has. All changes are pure functions; only one write makes each of them true.
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { writeAtomicSync } from "./atomic.ts";
import { isArtifactName } from "./artifact-name.ts";
import { ArtifactError, systemError } from "./errors.ts";
import { fileMatches } from "./file-hash.ts";
import { decodeJson, encodeJson, type JsonObject } from "./json.ts";

export const manifestFileName = "manifest.json";

/** Names for artifacts that move: `best` and `last`. */
export type Pointer = "best" | "last";

export interface ArtifactEntry {
  /** Path relative to the run directory, with "/" between folders. */
  name: string;
  /** What it is: "checkpoint", "array", "figure", "config", ... */
  kind: string;
  step: number | null;
  sizeBytes: number;
  sha256: string;
  meta: JsonObject | null;
}

/** A new artifact and the pointers that move to it with it. */
export interface Put {
  entry: ArtifactEntry;
  pointers: readonly Pointer[];
}

export interface Manifest {
  format: "cleanloop-run";
  version: 1;
  name: string;
  group: string;
  command: readonly string[];
  /** ISO 8601, UTC. */
  createdAt: string;
  /** How many directories above the run's own were made for it. */
  parentsCreated: number;
  artifacts: readonly ArtifactEntry[];
  pointers: Readonly<Partial<Record<Pointer, string>>>;
  /** A put whose file may or may not be in place yet: the file's hash decides. */
  pending: Put | null;
  /** Folders made to be filled by others, such as plots; absent in the manifests of earlier versions. */
  folders?: readonly string[];
  /** Files no longer listed that may still be on the disk. */
  removing: readonly string[];
}

/** The manifest after a put, which also drops artifacts that a moved pointer left behind. */
export function withArtifact(manifest: Manifest, { entry, pointers }: Put): Manifest {
  const others = manifest.artifacts.filter(({ name }) => name !== entry.name);
  let next: Manifest = { ...manifest, artifacts: [...others, entry], pending: null, removing: [] };
  for (const pointer of pointers) next = withPointer(next, pointer, entry.name);
  return next;
}

/** The manifest after `pointer` moved to `name`; the artifact it left is dropped unless another pointer holds it. */
export function withPointer(manifest: Manifest, pointer: Pointer, name: string): Manifest {
  const left = manifest.pointers[pointer];
  const next = { ...manifest, pointers: { ...manifest.pointers, [pointer]: name } };
  if (left === undefined || left === name || Object.values(next.pointers).includes(left)) return next;
  return withoutArtifact(next, left);
}

/** The manifest without an artifact and without the pointers to it. */
export function withoutArtifact(manifest: Manifest, name: string): Manifest {
  return {
    ...manifest,
    artifacts: manifest.artifacts.filter((entry) => entry.name !== name),
    pointers: Object.fromEntries(Object.entries(manifest.pointers).filter(([, target]) => target !== name)),
    removing: [...manifest.removing, name],
  };
}

/** Decides a pending put by looking at the file: it is done if the new bytes are in place, else it never happened. */
export function settled(directory: string, manifest: Manifest): Manifest {
  const { pending } = manifest;
  if (!pending) return manifest;
  const inPlace = fileMatches(join(directory, pending.entry.name), pending.entry);
  return inPlace ? withArtifact(manifest, pending) : { ...manifest, pending: null };
}

/**
 * Throws `not-found` where the run directory or its manifest is gone: what an owner wrote there from memory would be a
 * directory that nobody can open, in a place that somebody cleared.
 */
export function requireManifest(directory: string): void {
  if (existsSync(join(directory, manifestFileName))) return;
  throw new ArtifactError(
    "not-found",
    `cannot write: the run directory ${directory} is gone, or its ${manifestFileName} is. ` +
      "It was removed, moved or replaced while the run went on; leave it in place and start the run again.",
  );
}

/** Replaces manifest.json atomically. */
export function writeManifest(directory: string, manifest: Manifest): void {
  writeAtomicSync(join(directory, manifestFileName), `${encodeJson(manifest as unknown as JsonObject, 2)}\n`);
}

/** Reads manifest.json as it stands; throws `not-a-run`, `unsupported-version` or `bad-header`. */
export function readManifest(directory: string): Manifest {
  const path = join(directory, manifestFileName);
  if (!existsSync(path)) {
    throw new ArtifactError(
      "not-a-run",
      `${directory}: has no ${manifestFileName}, so it is not a run directory. Check the path.`,
    );
  }
  let manifest: Manifest;
  try {
    manifest = decodeJson(readFileSync(path, "utf8")) as unknown as Manifest;
  } catch (cause) {
    if (!(cause instanceof SyntaxError)) throw systemError("read", path, cause);
    throw new ArtifactError("bad-header", `${path}: is not JSON (${cause.message}).`, { cause });
  }
  if (manifest?.format !== "cleanloop-run") {
    throw new ArtifactError("bad-header", `${path}: is not the manifest of a run.`);
  }
  if (manifest.version !== 1) {
    throw new ArtifactError("unsupported-version", `${path}: has version ${String(manifest.version)}, wanted 1.`);
  }
  const { artifacts, pending, removing, pointers, folders = [] } = manifest;
  // Files are removed by these names: none may lead out of the run directory.
  const isSound =
    [artifacts, removing, folders].every(Array.isArray) &&
    [...artifacts, ...(pending ? [pending.entry] : [])].every(isEntry) &&
    [...removing, ...folders, ...Object.values(pointers ?? {})].every(isArtifactName);
  if (!isSound) throw new ArtifactError("bad-header", `${path}: has an entry that no run writes. Remove or repair it.`);
  return manifest;
}

function isEntry(entry: ArtifactEntry): boolean {
  return isArtifactName(entry?.name) && Number.isSafeInteger(entry.sizeBytes) && /^[0-9a-f]{64}$/.test(entry.sha256);
}
