// A reader beside a writer: opens everything in a run directory again and again, and fails on the first file that is torn.
import {
  type ArtifactEntry,
  ArtifactError,
  decodeJson,
  decodeNpy,
  decodeNpz,
  decodeSafetensors,
  numpyGlobals,
  openRun,
  parsePickle,
  type RunView,
} from "@cleanloop/artifacts";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { extname, join } from "node:path";

export interface ReadCounts {
  /** Times the manifest, the status and the metrics were read, and after them each artifact listed, which is then verified. */
  passes: number;
  /** Artifacts opened, hashed and decoded, by the ending of their names. */
  byExtension: Record<string, number>;
  /** Artifacts that were another version than the one listed just before. */
  replaced: number;
}

/** Gets what each artifact was decoded to; throws when it is not what the writer writes. */
export type Check = (name: string, value: unknown) => void;

const decoders: Record<string, (bytes: Uint8Array, label: string) => unknown> = {
  ".json": (bytes) => decodeJson(Buffer.from(bytes).toString("utf8")),
  ".npy": decodeNpy,
  ".npz": decodeNpz,
  ".pkl": (bytes, label) => parsePickle(bytes, { globals: numpyGlobals, label }),
  ".safetensors": decodeSafetensors,
};

/** How often a file may differ from a listing that does not change: a moment between two writes is gone at the next look. */
const maxLooks = 20;

/** Path of the first run that appears in `parent` while `isWriting`; throws when none does. */
export async function waitForRun(parent: string, isWriting: () => boolean): Promise<string> {
  for (;;) {
    const name = existsSync(parent) ? readdirSync(parent).find((entry) => !entry.startsWith(".")) : undefined;
    if (name !== undefined) return join(parent, name);
    if (!isWriting()) throw new Error(`no run appeared in ${parent}`);
    await Bun.sleep(1);
  }
}

/** Reads all of the run in a tight loop while `isWriting`, and once more after it. Throws on the first torn file. */
export async function readRunWhile(path: string, isWriting: () => boolean, check: Check = () => {}): Promise<ReadCounts> {
  const counts: ReadCounts = { passes: 0, byExtension: {}, replaced: 0 };
  let isLast = false;
  while (!isLast) {
    isLast = !isWriting();
    await readRunOnce(path, counts, check);
  }
  return counts;
}

async function readRunOnce(path: string, counts: ReadCounts, check: Check): Promise<void> {
  const view = openRun(path);
  view.status();
  view.metrics();
  for (const entry of view.artifacts) {
    await readArtifact(view, entry, counts, check);
    await Bun.sleep(0); // lets the caller notice that the writer has ended
  }
  const problems = view.verifyArtifacts();
  if (problems.length > 0) throw new Error(problems.map(({ message }) => message).join("\n"));
  counts.passes++;
}

async function readArtifact(view: RunView, listed: ArtifactEntry, counts: ReadCounts, check: Check): Promise<void> {
  const path = join(view.path, listed.name);
  for (let looks = 1; ; looks++) {
    const bytes = readIfThere(path);
    if (bytes !== null) {
      const extension = extname(path);
      // One open reads one version: whatever cannot be decoded was torn.
      check(listed.name, decoders[extension]?.(bytes, path));
      counts.byExtension[extension] = (counts.byExtension[extension] ?? 0) + 1;
      if (createHash("sha256").update(bytes).digest("hex") === listed.sha256) return;
    }
    const present = openRun(view.path).artifacts.find(({ name }) => name === listed.name);
    if (present?.sha256 !== listed.sha256) {
      counts.replaced++;
      return;
    }
    if (looks === maxLooks) throw new Error(`${path}: ${bytes ? "is not what" : "is missing though"} the manifest lists`);
    await Bun.sleep(1);
  }
}

function readIfThere(path: string): Uint8Array | null {
  try {
    return readFileSync(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new ArtifactError("io", `cannot read ${path}`, { cause: error });
  }
}
