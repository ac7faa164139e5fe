// Writes a file so that a reader sees the old one or the new one, never a part, whatever is killed when.
import { createHash, type Hash } from "node:crypto";
import { closeSync, fsync, fsyncSync, openSync, renameSync, unlinkSync, writeSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setImmediate } from "node:timers/promises";
import { promisify } from "node:util";
import { systemError } from "./errors.ts";

/** What can be written: bytes, text (as UTF-8), or a stream of byte chunks. */
export type Chunks = Uint8Array | string | Iterable<Uint8Array> | AsyncIterable<Uint8Array>;

export interface Written {
  sizeBytes: number;
  /** Lower-case hexadecimal digest of the bytes written. */
  sha256: string;
}

/** Temporary files start with this, followed by the writer's process id; readers ignore them. */
export const temporaryPrefix = ".tmp-";

const pieceSizeBytes = 4 * 2 ** 20;
const flushInBackground = promisify(fsync);
let temporaryCount = 0;

/** A file under construction beside its final path; `commit` puts it in place, `abort` leaves no trace. */
export class AtomicFile {
  readonly path: string;
  readonly #temporaryPath: string;
  readonly #hash: Hash = createHash("sha256");
  #descriptor: number | null = null;
  #sizeBytes = 0;
  #isFlushed = false;

  constructor(path: string) {
    this.path = path;
    const name = `${temporaryPrefix}${process.pid}-${temporaryCount++}-${basename(path)}`;
    this.#temporaryPath = join(dirname(path), name);
    this.#descriptor = this.#guard(() => openSync(this.#temporaryPath, "wx"));
  }

  write(bytes: Uint8Array): void {
    this.#isFlushed = false;
    this.#guard(() => {
      let done = 0;
      while (done < bytes.byteLength) done += writeSync(this.#open, bytes, done, bytes.byteLength - done);
    });
    this.#hash.update(bytes);
    this.#sizeBytes += bytes.byteLength;
  }

  /** Flushes off the main thread, so that `finish` has nothing left to wait for. */
  async flush(): Promise<void> {
    try {
      await flushInBackground(this.#open);
      this.#isFlushed = true;
    } catch (cause) {
      this.abort();
      throw systemError("write", this.path, cause);
    }
  }

  /** Flushes and closes the temporary file; the final path is still untouched. */
  finish(): Written {
    if (!this.#isFlushed) this.#guard(() => fsyncSync(this.#open));
    closeSync(this.#open);
    this.#descriptor = null;
    return { sizeBytes: this.#sizeBytes, sha256: this.#hash.digest("hex") };
  }

  /** Renames the finished file over its final path and makes the rename durable. */
  commit(): void {
    this.#guard(() => renameSync(this.#temporaryPath, this.path));
    syncDirectory(dirname(this.path));
  }

  /** Removes the temporary file; harmless after `commit`. */
  abort(): void {
    if (this.#descriptor !== null) closeSync(this.#descriptor);
    this.#descriptor = null;
    try {
      unlinkSync(this.#temporaryPath);
    } catch {
      // Never created, or already renamed.
    }
  }

  get #open(): number {
    if (this.#descriptor === null) throw new Error(`AtomicFile ${this.path}: used after finish or abort`);
    return this.#descriptor;
  }

  #guard<T>(action: () => T): T {
    try {
      return action();
    } catch (cause) {
      this.abort();
      throw systemError("write", this.path, cause);
    }
  }
}

/** Makes renames and removals in a directory survive a power cut. */
export function syncDirectory(path: string): void {
  let descriptor: number | undefined;
  try {
    descriptor = openSync(path, "r");
    fsyncSync(descriptor);
  } catch {
    // Some network file systems cannot flush a directory; the rename itself is still atomic there.
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Fills a file from chunks, giving way to other work between pieces; aborts it when the source throws. */
export async function fill(file: AtomicFile, chunks: Chunks): Promise<void> {
  const source =
    typeof chunks === "string" ? [Buffer.from(chunks)] : chunks instanceof Uint8Array ? [chunks] : chunks;
  try {
    for await (const chunk of source) {
      for (let start = 0; start < chunk.byteLength; start += pieceSizeBytes) {
        file.write(chunk.subarray(start, start + pieceSizeBytes));
        if (chunk.byteLength > pieceSizeBytes) await setImmediate();
      }
    }
  } catch (error) {
    file.abort();
    throw error;
  }
  await file.flush();
}

/**
 * Writes `chunks` to `path`: temporary file in the same directory, fsync, rename, fsync of the directory.
 * The bytes must not change until the promise resolves. Throws ArtifactError and leaves nothing behind.
 */
export async function writeAtomic(path: string, chunks: Chunks): Promise<Written> {
  const file = new AtomicFile(path);
  await fill(file, chunks);
  const written = file.finish();
  file.commit();
  return written;
}

/** {@link writeAtomic} for small files and exit handlers. */
export function writeAtomicSync(path: string, data: Uint8Array | string): Written {
  const file = new AtomicFile(path);
  file.write(typeof data === "string" ? Buffer.from(data) : data);
  const written = file.finish();
  file.commit();
  return written;
}
