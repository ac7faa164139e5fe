// The writer, byte by byte, against the format as log-bytes.ts writes it.

import { describe, expect, test } from "bun:test";
import { readFileSync, rmSync, statSync } from "node:fs";
import { join } from "node:path";

import { TransactionLog } from "@cleanloop/wandb";
import { BLOCK, FILE_HEADER, chunkBytes, crc32Bitwise, logBytes, pattern } from "./log-bytes.ts";
import { temporaryDirectory } from "./run-log.ts";

const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;
const directory = temporaryDirectory();
let fileCount = 0;

/** The bytes of a log with records of these sizes. */
function write(...sizes: number[]): Buffer {
  const path = join(directory, `${fileCount++}.wandb`);
  const log = TransactionLog.create(path);
  for (const size of sizes) log.appendBytes(new Uint8Array(pattern(size, size)));
  log.close();
  return readFileSync(path);
}

/** The record size that leaves `left` bytes in the first block, when it is the only one there. */
const sizeLeaving = (left: number): number => BLOCK - 7 - 7 - left;

describe("the writer", () => {
  test("the checksum of this test is the one of the standard's check value", () => {
    expect(crc32Bitwise(Buffer.from("123456789"))).toBe(0xcbf43926);
  });
  test("the header is on disk before anything is logged", () => {
    expect([...write()]).toEqual(FILE_HEADER);
  });
  test("a record is one full chunk; its checksum covers type and data", () => {
    // Python: zlib.crc32(bytes([1, 17])) is 0x3272034c. Then the length, 1, the type and the data.
    expect([...write(1)]).toEqual([...FILE_HEADER, 0x4c, 0x03, 0x72, 0x32, 1, 0, FULL, 17]);
  });
  test("a record that fills its block exactly is one full chunk", () => {
    const size = sizeLeaving(0);
    const bytes = write(size, 3);
    expect(bytes.equals(logBytes(chunkBytes(FULL, pattern(size, size)), chunkBytes(FULL, pattern(3, 3))))).toBe(true);
    expect(bytes.length).toBe(BLOCK + 10);
  });
  test("fewer than seven bytes at the end of a block are zero", () => {
    for (let left = 1; left <= 6; left++) {
      const size = sizeLeaving(left);
      const padding = Array.from({ length: left }, () => 0);
      const expected = logBytes(chunkBytes(FULL, pattern(size, size)), padding, chunkBytes(FULL, pattern(5, 5)));
      expect(write(size, 5).equals(expected)).toBe(true);
    }
  });
  test("exactly seven bytes take an empty first chunk", () => {
    const size = sizeLeaving(7);
    const expected = logBytes(
      chunkBytes(FULL, pattern(size, size)),
      chunkBytes(FIRST, []),
      chunkBytes(LAST, pattern(5, 5)),
    );
    expect(write(size, 5).equals(expected)).toBe(true);
    // Python: zlib.crc32(bytes([2])).to_bytes(4, "little") is a1 8e 0c 3c.
    expect([...write(size, 5).subarray(BLOCK - 7, BLOCK)]).toEqual([0xa1, 0x8e, 0x0c, 0x3c, 0, 0, FIRST]);
  });
  test("a record over three blocks is first, middle, last", () => {
    const size = 2 * BLOCK;
    const data = pattern(size, size);
    const firstEnd = BLOCK - 14;
    const middleEnd = firstEnd + BLOCK - 7;
    const expected = logBytes(
      chunkBytes(FIRST, data.slice(0, firstEnd)),
      chunkBytes(MIDDLE, data.slice(firstEnd, middleEnd)),
      chunkBytes(LAST, data.slice(middleEnd)),
    );
    expect(write(size).equals(expected)).toBe(true);
  });
  test("a record is in the file when the call returns", () => {
    const path = join(directory, "visible.wandb");
    const log = TransactionLog.create(path);
    let expectedBytes = 7;
    for (let index = 0; index < 100; index++) {
      log.appendBytes(new Uint8Array(50));
      expectedBytes += 57;
      expect(statSync(path).size).toBe(expectedBytes);
      expect(log.sizeBytes).toBe(expectedBytes);
    }
    log.close();
  });
  test("an existing file is never opened", () => {
    const path = join(directory, "existing.wandb");
    TransactionLog.create(path).close();
    expect(() => TransactionLog.create(path)).toThrow(expect.objectContaining({ code: "EEXIST" }));
  });
  test("knows when the file has been deleted, and takes nothing after close", () => {
    const path = join(directory, "deleted.wandb");
    const log = TransactionLog.create(path);
    expect(log.exists).toBe(true);
    rmSync(path);
    expect(log.exists).toBe(false);
    log.close();
    expect(() => log.appendBytes(new Uint8Array(1))).toThrow("closed");
  });
});
