// Random access to bytes, in memory or in a file, so that large files are read by range and never whole.
import { closeSync, fstatSync, openSync, readSync } from "node:fs";
import { ArtifactError, systemError } from "./errors.ts";

/** Bytes that can be read by range; `label` names them in errors. */
export interface ByteSource {
  readonly label: string;
  readonly sizeBytes: number;
  /** Exactly `sizeBytes` bytes from `offset`; throws `truncated` beyond the end. */
  read(offset: number, sizeBytes: number): Uint8Array;
  close(): void;
}

function checkRange(source: ByteSource, offset: number, sizeBytes: number): void {
  if (!(offset >= 0 && sizeBytes >= 0 && offset + sizeBytes <= source.sizeBytes)) {
    throw new ArtifactError(
      "truncated",
      `${source.label}: wanted bytes ${offset} to ${offset + sizeBytes}, got a file of ${source.sizeBytes} bytes. ` +
        "It is incomplete: copy or download it again.",
    );
  }
}

/** Bytes already in memory; reads are views. */
export function memorySource(bytes: Uint8Array, label: string): ByteSource {
  const source: ByteSource = {
    label,
    sizeBytes: bytes.byteLength,
    read(offset, sizeBytes) {
      checkRange(source, offset, sizeBytes);
      return bytes.subarray(offset, offset + sizeBytes);
    },
    close() {},
  };
  return source;
}

/** A part of another source; closing it leaves that source open. */
export function rangeSource(whole: ByteSource, start: number, sizeBytes: number, label: string): ByteSource {
  const source: ByteSource = {
    label,
    sizeBytes,
    read(offset, length) {
      checkRange(source, offset, length);
      return whole.read(start + offset, length);
    },
    close() {},
  };
  return source;
}

/** An open file; it stays the same file even when another one is renamed over its path. */
export function fileSource(path: string): ByteSource {
  let descriptor: number;
  let sizeBytes: number;
  try {
    descriptor = openSync(path, "r");
    const stat = fstatSync(descriptor);
    sizeBytes = stat.size;
    if (!stat.isFile()) {
      closeSync(descriptor);
      throw Object.assign(new Error("not a file"), { code: "EISDIR" });
    }
  } catch (cause) {
    throw systemError("read", path, cause);
  }
  let open = true;
  const source: ByteSource = {
    label: path,
    sizeBytes,
    read(offset, length) {
      checkRange(source, offset, length);
      const bytes = new Uint8Array(length);
      let done = 0;
      while (done < length) {
        let got: number;
        try {
          // One read of 1 GiB at most: Linux stops at 2 GiB.
          got = readSync(descriptor, bytes, done, Math.min(length - done, 2 ** 30), offset + done);
        } catch (cause) {
          throw systemError("read", path, cause);
        }
        if (got === 0) throw new ArtifactError("truncated", `${path}: became shorter while it was read.`);
        done += got;
      }
      return bytes;
    },
    close() {
      if (open) closeSync(descriptor);
      open = false;
    },
  };
  return source;
}

/** Runs `use` on an open file and closes it, whatever happens. */
export function withFile<T>(path: string, use: (source: ByteSource) => T): T {
  const source = fileSource(path);
  try {
    return use(source);
  } finally {
    source.close();
  }
}
