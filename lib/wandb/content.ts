// Bytes that the caller gives as they are or by the path of a file.

import { readFileSync } from "node:fs";

import type { WandbErrorCode } from "./errors.ts";
import { WandbError } from "./errors.ts";

/** The bytes, or those of the file at the path; throws the caller's `code` when there is no reading that file. */
export function readContent(source: Uint8Array | string, code: WandbErrorCode): Uint8Array {
  if (typeof source !== "string") return source;
  try {
    return readFileSync(source);
  } catch (error) {
    throw new WandbError(code, `the file ${source} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}
