// The files of a run and their manifest, changed together so that a kill at any moment leaves both true.
//
// A put writes the temporary file, records the coming entry as pending, renames, and records it as done. A reader that
// meets a pending entry compares the file's hash and knows which side of the rename it is on. Removal goes the other way
// round: the entry leaves the manifest first, with a note of the file, and the file follows.
import { existsSync, mkdirSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { isArtifactName, reservedNames } from "./artifact-name.ts";
import { AtomicFile, type Chunks, fill } from "./atomic.ts";
import { ArtifactError, systemError } from "./errors.ts";
import { fileMatches } from "./file-hash.ts";
import type { JsonObject } from "./json.ts";
import {
  type ArtifactEntry,
  type Manifest,
  type Pointer,
  requireManifest,
  settled,
  withArtifact,
  withoutArtifact,
  withPointer,
  writeManifest,
} from "./manifest.ts";
import { removeEmptyFolder, removeFile } from "./removal.ts";

export interface PutOptions {
  /** Epoch or gradient step the artifact belongs to. */
  step?: number;
  meta?: JsonObject;
  /** Pointers that move to this artifact in the same instant; what they leave behind is removed. */
  pointers?: readonly Pointer[];
}

export class ArtifactStore {
  readonly directory: string;
  #manifest: Manifest;

  /** Takes over a manifest, deciding what a killed writer left pending. */
  constructor(directory: string, manifest: Manifest) {
    this.directory = directory;
    this.#manifest = manifest;
    if (manifest.pending || manifest.removing.length > 0) this.#write(this.#settle());
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  async put(name: string, kind: string, data: Chunks, options: PutOptions = {}): Promise<ArtifactEntry> {
    checkName("writeArtifact", name);
    const path = join(this.directory, name);
    requireManifest(this.directory);
    this.#makeFolders(dirname(name));
    const file = new AtomicFile(path);
    await fill(file, data);
    const entry = { name, kind, step: options.step ?? null, ...file.finish(), meta: options.meta ?? null };
    const put = { entry, pointers: options.pointers ?? [] };
    // From here on nothing waits, so that two puts at once cannot lose each other's entries.
    try {
      this.#write({ ...this.#settle(), pending: put });
    } catch (error) {
      file.abort();
      throw error;
    }
    file.commit();
    this.#commit(withArtifact(this.#manifest, put));
    return entry;
  }

  makeFolder(name: string): void {
    checkName("makeFolder", name);
    requireManifest(this.directory);
    const manifest = this.#settle();
    const folders = manifest.folders ?? [];
    // Listed before it is there: one that is never made is no harm, one that nobody knows of would stay behind.
    if (!folders.includes(name)) this.#write({ ...manifest, folders: [...folders, name] });
    this.#makeFolders(name);
  }

  remove(name: string): void {
    this.#find("removeArtifact", name);
    this.#commit(withoutArtifact(this.#settle(), name));
  }

  setPointer(pointer: Pointer, name: string): void {
    this.#find("setPointer", name);
    this.#commit(withPointer(this.#settle(), pointer, name));
  }

  /** Removes every listed file that still has the content written; a file changed since is left and returned. */
  removeAll(): string[] {
    const kept: string[] = [];
    for (const entry of this.#manifest.artifacts) {
      const path = join(this.directory, entry.name);
      if (fileMatches(path, entry)) removeFile(path);
      else if (existsSync(path)) kept.push(entry.name);
    }
    const folders = new Set<string>();
    for (const name of [...this.#manifest.artifacts.map((entry) => dirname(entry.name)), ...(this.#manifest.folders ?? [])]) {
      for (let folder = name; folder !== "."; folder = dirname(folder)) folders.add(folder);
    }
    const deepestFirst = [...folders].sort((a, b) => b.length - a.length);
    for (const folder of deepestFirst) removeEmptyFolder(join(this.directory, folder));
    return kept;
  }

  #find(caller: string, name: string): void {
    if (this.#manifest.artifacts.some((entry) => entry.name === name)) return;
    throw new ArtifactError("not-found", `${caller}: the run ${this.directory} has no artifact "${name}".`);
  }

  /** The manifest with nothing left to do, after a change that a kill or a full disk interrupted. */
  #settle(): Manifest {
    const manifest = settled(this.directory, this.#manifest);
    this.#removeFiles(manifest.removing);
    return { ...manifest, removing: [] };
  }

  #commit(manifest: Manifest): void {
    this.#write(manifest);
    this.#removeFiles(manifest.removing);
  }

  #removeFiles(names: readonly string[]): void {
    for (const name of names) removeFile(join(this.directory, name));
  }

  /** Makes a folder and those above it, but never the run directory, which may have been removed this very moment. */
  #makeFolders(name: string): void {
    if (name === ".") return;
    this.#makeFolders(dirname(name));
    makeFolder(join(this.directory, name));
  }

  #write(manifest: Manifest): void {
    requireManifest(this.directory);
    writeManifest(this.directory, manifest);
    this.#manifest = manifest;
  }
}

function checkName(caller: string, name: string): void {
  if (isArtifactName(name)) return;
  throw new ArtifactError(
    "invalid-argument",
    `${caller}: got the name "${name}", wanted a relative path such as "figures/loss.json", ` +
      `without "..", hidden parts, or the names ${reservedNames.join(", ")}.`,
  );
}

function makeFolder(path: string): void {
  try {
    mkdirSync(path);
  } catch (cause) {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory()) return;
    throw systemError("create the directory", path, cause);
  }
}
