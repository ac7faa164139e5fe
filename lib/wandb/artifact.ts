// Artifacts: named, versioned sets of files, and the record that announces one.

import { createHash, randomInt } from "node:crypto";
import { basename } from "node:path";

import { readContent } from "./content.ts";
import { WandbError } from "./errors.ts";
import type { TableCell } from "./media.ts";
import { Table } from "./media.ts";
import type { NewRecord } from "./records.ts";
import { safeRelativePath } from "./run-directory.ts";
import { toValueJson } from "./value-json.ts";

const CLIENT_ID_LENGTH = 128;
const MAX_NAME_LENGTH = 128;

export interface ArtifactOptions {
  readonly description?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly aliases?: readonly string[];
  readonly tags?: readonly string[];
}

/** A new version of the collection `name`: add files, then hand it to `run.logArtifact`. */
export class Artifact {
  /** Names this version before a server has given it an id. */
  readonly clientId = randomClientId();
  /** Names the collection before a server has given it an id. */
  readonly sequenceClientId = randomClientId();
  readonly files = new Map<string, Uint8Array>();

  /** Throws `bad-artifact` for a name that W&B does not take. */
  constructor(
    readonly name: string,
    readonly type: string,
    readonly options: ArtifactOptions = {},
  ) {
    if (!/^[\w.-]+$/.test(name) || name.length > MAX_NAME_LENGTH || type === "") {
      const wanted = `1 to ${MAX_NAME_LENGTH} of letters, digits, _ . - and a type`;
      throw new WandbError("bad-artifact", `Artifact: got the name ${JSON.stringify(name)}, wanted ${wanted}`);
    }
  }

  /** Adds bytes under a path inside the artifact. */
  addBytes(content: Uint8Array, path: string): this {
    this.files.set(safeRelativePath(path), content);
    return this;
  }

  /** Adds a file, read now, under its own name or `path`; throws `bad-artifact` when it cannot be read. */
  addFile(source: string, path: string = basename(source)): this {
    return this.addBytes(readContent(source, "bad-artifact"), path);
  }
}

/** A file of an artifact as the manifest names it. */
export interface ArtifactEntry {
  readonly path: string;
  /** Base64 of the content's MD5. */
  readonly digest: string;
  readonly sizeBytes: number;
  readonly localPath: string;
}

/** The run an artifact belongs to. */
export interface ArtifactOwner {
  readonly runId: string;
  readonly project: string;
  readonly entity: string;
}

/** The record of an artifact whose files lie where the entries say. */
export function artifactRecord(artifact: Artifact, entries: readonly ArtifactEntry[], owner: ArtifactOwner): NewRecord {
  const { description, metadata, aliases = ["latest"], tags } = artifact.options;
  return {
    artifact: {
      runId: owner.runId,
      project: owner.project,
      entity: owner.entity,
      type: artifact.type,
      name: artifact.name,
      digest: artifactDigest(entries),
      description,
      metadata: metadata && toValueJson(metadata),
      aliases,
      manifest: {
        version: 1,
        storagePolicy: "wandb-storage-policy-v1",
        storagePolicyConfig: [{ key: "storageLayout", valueJson: '"V2"' }],
        contents: entries,
      },
      finalize: true,
      clientId: artifact.clientId,
      sequenceClientId: artifact.sequenceClientId,
      tags,
    },
  };
}

/** W&B's digest of a manifest: MD5 (hex) over a version line and one `path:digest` line per file, by path. */
export function artifactDigest(entries: readonly Pick<ArtifactEntry, "path" | "digest">[]): string {
  const hash = createHash("md5").update("wandb-artifact-manifest-v1\n");
  const byPath = entries.toSorted((a, b) => Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)));
  for (const { path, digest } of byPath) hash.update(`${path}:${digest}\n`);
  return hash.digest("hex");
}

/** The artifact through which W&B's table viewer reads a logged table, and the name of the table inside it. */
export function tableArtifact(table: Table, key: string, runId: string): { artifact: Artifact; path: string } {
  const safeKey = key.replace(/[^\w.-]/g, "_");
  const path = `${safeKey}.table.json`;
  const content = {
    _type: "table",
    column_types: {
      wb_type: "typedDict",
      params: { type_map: Object.fromEntries(table.columns.map((name, index) => [name, columnType(table, index)])) },
    },
    columns: table.columns,
    data: table.data,
    ncols: table.columns.length,
    nrows: table.data.length,
    log_mode: "IMMUTABLE",
  };
  const artifact = new Artifact(`run-${runId}-${safeKey}`.slice(0, MAX_NAME_LENGTH), "run_table");
  return { artifact: artifact.addBytes(new TextEncoder().encode(toValueJson(content)), path), path };
}

function columnType(table: Table, index: number): Record<string, unknown> {
  const types = new Set(table.data.map((row) => cellType(row[index])));
  const [only = "none"] = types;
  if (types.size <= 1) return { wb_type: only };
  const allowed = [...types].toSorted().map((type) => ({ wb_type: type }));
  return { wb_type: "union", params: { allowed_types: allowed } };
}

function cellType(cell: TableCell): string {
  return cell === null ? "none" : typeof cell;
}

function randomClientId(): string {
  return Array.from({ length: CLIENT_ID_LENGTH }, () => randomInt(36).toString(36)).join("");
}
