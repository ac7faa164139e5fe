// NumPy .npz files: a zip archive with one .npy member per array.
import { zipSync } from "fflate";
import { writeAtomic, type Written } from "./atomic.ts";
import { type ByteSource, memorySource, withFile } from "./byte-source.ts";
import { ArtifactError } from "./errors.ts";
import type { NdArray } from "./ndarray.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { readZipDirectory, readZipMember } from "./zip.ts";

export interface NpzOptions {
  /** Deflate the members, as np.savez_compressed does; default false, as np.savez. */
  compress?: boolean;
}

/** The earliest time a zip file can hold, so that equal arrays give equal bytes. */
const zipEpoch = new Date(1980, 0, 1);

/** The bytes of a .npz file; members keep the order of `arrays`. */
export function encodeNpz(arrays: Record<string, NdArray>, options: NpzOptions = {}): Uint8Array {
  const members: Record<string, Uint8Array> = {};
  for (const [name, array] of Object.entries(arrays)) members[`${name}.npy`] = encodeNpy(array);
  return zipSync(members, { level: options.compress ? 6 : 0, mtime: zipEpoch });
}

/** The arrays in the bytes of a .npz file, by name. */
export function decodeNpz(bytes: Uint8Array, label = "npz data"): Map<string, NdArray> {
  return readArrays(memorySource(bytes, label));
}

/** Reads all arrays of a .npz file, by name. */
export function readNpz(path: string): Map<string, NdArray> {
  return withFile(path, readArrays);
}

/** Writes a .npz file atomically. */
export function writeNpz(path: string, arrays: Record<string, NdArray>, options?: NpzOptions): Promise<Written> {
  return writeAtomic(path, encodeNpz(arrays, options));
}

function readArrays(source: ByteSource): Map<string, NdArray> {
  const arrays = new Map<string, NdArray>();
  for (const member of readZipDirectory(source).values()) {
    if (!member.name.endsWith(".npy")) {
      throw new ArtifactError("not-this-format", `${source.label}: member ${member.name} is not a .npy file.`);
    }
    const name = member.name.slice(0, -".npy".length);
    arrays.set(name, decodeNpy(readZipMember(source, member), `${source.label}:${member.name}`));
  }
  return arrays;
}
