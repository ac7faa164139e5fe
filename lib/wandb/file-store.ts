// Puts media, saved files and artifacts into the run directory and says which values and records stand for them.

import { createHash } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

import type { Artifact, ArtifactEntry, ArtifactOwner } from "./artifact.ts";
import { artifactRecord, tableArtifact } from "./artifact.ts";
import { WandbError } from "./errors.ts";
import { Image, MediaFile, Table } from "./media.ts";
import type { NewRecord } from "./records.ts";
import { FilePolicy, FileType } from "./records.ts";
import { safeRelativePath } from "./run-directory.ts";

const HASH_CHARACTERS_IN_NAME = 20;
// Leaves room in a file name for the step, the hash and the extension.
const MAX_KEY_BYTES_IN_NAME = 160;

/** The files of one run. Each is whole on disk before the record that names it is written. */
export class FileStore {
  constructor(
    private readonly runDirectory: string,
    private readonly owner: ArtifactOwner,
    private readonly writeRecord: (record: NewRecord) => void,
  ) {}

  /** Writes `files/<path>` and its record; returns the path used. */
  save(content: Uint8Array, name: string, type: number): string {
    const path = safeRelativePath(name);
    writeBelow(join(this.runDirectory, "files"), path, content);
    this.writeRecord({ files: { files: [{ path, policy: FilePolicy.now, type }] } });
    return path;
  }

  /** A logged value with its media replaced by their JSON; writes the media's files and records. */
  resolve(value: unknown, key: string, step: number, ancestors: readonly object[] = []): unknown {
    if (typeof value !== "object" || value === null) return value;
    if (value instanceof Table) return this.resolveTable(value, key, step);
    if (value instanceof MediaFile) return this.resolveFile(value, key, step);
    if (Array.isArray(value) && value.some((element) => element instanceof MediaFile)) {
      return this.resolveImages(value, key, step);
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) return value;
    if (ancestors.includes(value)) throw new WandbError("bad-value", "the value has no JSON: it contains itself");
    const path = [...ancestors, value];
    const resolved = Object.entries(value).map(([name, inner]) => {
      return [name, this.resolve(inner, `${key}.${name}`, step, path)];
    });
    return Object.fromEntries(resolved);
  }

  /** Copies the artifact's files to `artifacts/<md5>` and writes its record. */
  logArtifact(artifact: Artifact): void {
    const folder = join(this.runDirectory, "artifacts");
    const entries: ArtifactEntry[] = [];
    for (const [path, content] of artifact.files) {
      const md5 = createHash("md5").update(content).digest();
      const stored = md5.toString("hex");
      writeBelow(folder, stored, content);
      const localPath = join(folder, stored);
      entries.push({ path, digest: md5.toString("base64"), sizeBytes: content.byteLength, localPath });
    }
    this.writeRecord(artifactRecord(artifact, entries, this.owner));
  }

  private resolveFile(media: MediaFile, key: string, step: number): Record<string, unknown> {
    const { content } = media;
    const sha256 = createHash("sha256").update(content).digest("hex");
    const stem = safeRelativePath(key, MAX_KEY_BYTES_IN_NAME);
    const name = `${stem}_${step}_${sha256.slice(0, HASH_CHARACTERS_IN_NAME)}${media.extension}`;
    const path = this.save(content, `media/${media.folder}/${name}`, FileType.media);
    return { ...media.fields, sha256, size: content.byteLength, path };
  }

  private resolveTable(table: Table, key: string, step: number): Record<string, unknown> {
    const value = this.resolveFile(table, key, step);
    const { artifact, path } = tableArtifact(table, key, this.owner.runId);
    this.logArtifact(artifact);
    return {
      ...value,
      artifact_path: `wandb-client-artifact://${artifact.clientId}/${path}`,
      _latest_artifact_path: `wandb-client-artifact://${artifact.sequenceClientId}:latest/${path}`,
    };
  }

  private resolveImages(list: readonly unknown[], key: string, step: number): Record<string, unknown> {
    const images = list.filter((element) => element instanceof Image);
    if (images.length < list.length) {
      throw new WandbError("bad-value", "a list with media that are not all images; log them one by one");
    }
    const [{ width, height }] = images;
    const filenames = images.map((image) => this.resolveFile(image, key, step).path);
    const captions = images.some(({ caption }) => caption !== undefined)
      ? { captions: images.map(({ caption }) => caption ?? "") }
      : {};
    return { _type: "images/separated", width, height, format: "png", count: images.length, filenames, ...captions };
  }
}

function writeBelow(folder: string, path: string, content: Uint8Array): void {
  const file = join(folder, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, content);
}
