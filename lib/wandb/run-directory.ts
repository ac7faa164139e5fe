// The offline run directory: what it is called, what may be in a name, and where files go inside it.
//
//   <root>/wandb/offline-run-<YYYYMMDD_HHMMSS, local time>-<id>/
//     run-<id>.wandb     the transaction log
//     files/             media, saved files, wandb-metadata.json: what a sync uploads
//     artifacts/         the content of logged artifacts, by digest

import { randomInt } from "node:crypto";
import { existsSync, mkdirSync } from "node:fs";
import { basename, join, resolve } from "node:path";

import { WandbError } from "./errors.ts";

const ID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789";
const ID_LENGTH = 8;
// "run-<id>.wandb.syncstate" has to fit into the 255 bytes of a file name.
const MAX_ID_BYTES = 200;
const MAX_FILE_NAME_BYTES = 255;
const MAX_PROJECT_LENGTH = 128;
const MAX_SAME_SECOND_RUNS = 100;

/** A random run id: eight characters of [a-z0-9]. */
export function newRunId(): string {
  return Array.from({ length: ID_LENGTH }, () => ID_ALPHABET[randomInt(ID_ALPHABET.length)]).join("");
}

/** Throws `bad-option` for an id that W&B or a file name cannot hold. */
export function checkRunId(id: string): void {
  const problem = idProblem(id);
  if (problem !== undefined) throw new WandbError("bad-option", `init: the run id ${JSON.stringify(id)} ${problem}`);
}

/** Throws `bad-option` for a project name that W&B refuses. */
export function checkProject(project: string): void {
  if (project.length > 0 && project.length <= MAX_PROJECT_LENGTH && !/[/\\#?%:\p{Cc}]/u.test(project)) return;
  throw new WandbError(
    "bad-option",
    `init: the project ${JSON.stringify(project)} is no name W&B takes: ` +
      `1 to ${MAX_PROJECT_LENGTH} characters, none of / \\ # ? % :`,
  );
}

/**
 * The tracker's directory below a root: `<root>/wandb`, or `<root>/.wandb` where that exists.
 * A root that is itself called `wandb` or `.wandb` is taken as the tracker's directory.
 */
export function trackerDirectory(root: string): string {
  const absolute = resolve(root);
  if ([".wandb", "wandb"].includes(basename(absolute))) return absolute;
  const hidden = join(absolute, ".wandb");
  return existsSync(hidden) ? hidden : join(absolute, "wandb");
}

/** Makes the directory of a new offline run and returns its path; throws `directory-unwritable`. */
export function createRunDirectory(root: string, id: string, startTime: Date): string {
  const parent = trackerDirectory(root);
  const path = join(parent, `offline-run-${localTimestamp(startTime)}-${id}`);
  try {
    mkdirSync(parent, { recursive: true });
    for (let attempt = 0; ; attempt++) {
      // Two runs with one id in one second: the format allows a suffix.
      const candidate = attempt === 0 ? path : `${path}-${attempt}`;
      try {
        mkdirSync(candidate);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === "EEXIST" && attempt < MAX_SAME_SECOND_RUNS) continue;
        throw error;
      }
      mkdirSync(join(candidate, "files"));
      return candidate;
    }
  } catch (error) {
    throw new WandbError(
      "directory-unwritable",
      `init: cannot make a run directory in ${parent}: ${(error as Error).message}; choose another \`dir\``,
      { cause: error },
    );
  }
}

/**
 * A key or name as a relative path below the run's `files/`: `/` separates folders, empty parts, `.` and `..`
 * are made harmless, control characters replaced, parts longer than a file name may be cut.
 */
export function safeRelativePath(name: string, maxPartBytes: number = MAX_FILE_NAME_BYTES): string {
  const parts = name
    .split(/[/\\]/)
    .filter((part) => part !== "")
    .map((part) => (/^\.+$/.test(part) ? part.replaceAll(".", "_") : part))
    .map((part) => cutToBytes(part.replace(/\p{Cc}/gu, "_"), maxPartBytes));
  return parts.length === 0 ? "_" : parts.join("/");
}

function idProblem(id: string): string | undefined {
  if (id.trim() !== id || id === "") return "is empty or has spaces at its ends";
  if (/[:;,#?/'\\\p{Cc}]/u.test(id)) return "has one of the characters : ; , # ? / ' \\ or a control character";
  if (Buffer.byteLength(id) > MAX_ID_BYTES) return `is longer than ${MAX_ID_BYTES} bytes`;
  return undefined;
}

function localTimestamp(time: Date): string {
  const two = (value: number): string => String(value).padStart(2, "0");
  const date = `${time.getFullYear()}${two(time.getMonth() + 1)}${two(time.getDate())}`;
  return `${date}_${two(time.getHours())}${two(time.getMinutes())}${two(time.getSeconds())}`;
}

function cutToBytes(text: string, maxBytes: number): string {
  let cut = text;
  while (Buffer.byteLength(cut) > maxBytes) cut = Array.from(cut).slice(0, -1).join("");
  return cut;
}
