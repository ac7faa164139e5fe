// The strict reader's verdict on every kind of malformation, and what the tolerant one saves.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";

import type { WandbErrorCode } from "@cleanloop/wandb";
import { LogError, TransactionLog, readLog, recoverLog } from "@cleanloop/wandb";
import { BLOCK, chunkBytes, logBytes, pattern } from "./log-bytes.ts";
import { temporaryDirectory } from "./run-log.ts";

const FULL = 1;
const FIRST = 2;
const MIDDLE = 3;
const LAST = 4;
const directory = temporaryDirectory();
let fileCount = 0;

function write(sizes: readonly number[]): Buffer {
  const path = join(directory, `${fileCount++}.wandb`);
  const log = TransactionLog.create(path);
  sizes.forEach((size, index) => log.appendBytes(new Uint8Array(pattern(size, index))));
  log.close();
  return readFileSync(path);
}

const payloads = (entries: readonly { payload: Uint8Array }[]): string[] =>
  entries.map(({ payload }) => Buffer.from(payload).toString("hex"));

function faultOf(bytes: Uint8Array): { code: WandbErrorCode; offset: number } {
  try {
    readLog(bytes);
  } catch (error) {
    if (error instanceof LogError) return { code: error.code, offset: error.offset };
    throw error;
  }
  throw new Error("the log was read without a fault");
}

describe("the strict reader", () => {
  test("reads what was written, at any sizes", () => {
    const size = fc.oneof(fc.nat(200), fc.integer({ min: BLOCK - 60, max: BLOCK + 20 }), fc.nat(3 * BLOCK));
    fc.assert(
      fc.property(fc.array(size, { maxLength: 12 }), (sizes) => {
        const entries = readLog(write(sizes));
        expect(entries.map(({ payload }) => payload.length)).toEqual(sizes);
        entries.forEach(({ payload }, index) => {
          expect(Buffer.from(payload).equals(Buffer.from(pattern(sizes[index], index)))).toBe(true);
        });
      }),
      { numRuns: 60 },
    );
  });

  test("reads every record size around a block edge", () => {
    for (let size = BLOCK - 40; size <= BLOCK + 10; size++) {
      expect(readLog(write([size, 20, 3])).map(({ payload }) => payload.length)).toEqual([size, 20, 3]);
    }
  });

  test("says where each record starts", () => {
    expect(readLog(write([1, 2, BLOCK, 5])).map(({ offset }) => offset)).toEqual([7, 15, 24, 24 + BLOCK + 14]);
  });

  const good = chunkBytes(FULL, pattern(10));
  const cases: [name: string, code: WandbErrorCode, offset: number, bytes: Uint8Array][] = [
    ["an empty file", "truncated", 0, new Uint8Array()],
    ["half a file header", "truncated", 5, logBytes().subarray(0, 5)],
    ["another ident", "bad-ident", 0, logBytes(good).with(0, 0x3b)],
    ["another magic number", "bad-ident", 0, logBytes(good).with(4, 0xe2)],
    ["a newer version", "bad-version", 6, logBytes(good).with(6, 1)],
    ["a flipped data bit", "bad-crc", 24, logBytes(good, good.with(12, good[12] ^ 1))],
    ["a chunk type of 5", "bad-chunk-type", 7, logBytes(chunkBytes(5 as number, pattern(3)))],
    ["a chunk type of 0", "bad-chunk-type", 24, logBytes(good, Array.from({ length: 20 }, () => 0))],
    ["a length beyond the block", "bad-length", 7, logBytes(good.with(5, 0xff))],
    ["a file that ends in a chunk header", "truncated", 24, logBytes(good, good.slice(0, 6))],
    ["a file that ends in the data", "truncated", 24, logBytes(good, good.slice(0, 16))],
    ["a file that ends inside a record", "truncated", 24, logBytes(good, chunkBytes(FIRST, [1]))],
    ["a middle without a first", "bad-fragment", 24, logBytes(good, chunkBytes(MIDDLE, [1]))],
    ["a last without a first", "bad-fragment", 24, logBytes(good, chunkBytes(LAST, [1]))],
    ["a first after a first", "bad-fragment", 15, logBytes(chunkBytes(FIRST, [1]), chunkBytes(FIRST, [1]))],
    ["a full after a first", "bad-fragment", 15, logBytes(chunkBytes(FIRST, [1]), good)],
    [
      "padding that is not zero",
      "bad-padding",
      BLOCK - 3,
      logBytes(chunkBytes(FULL, pattern(BLOCK - 17)), [0, 0, 1], good),
    ],
  ];
  test.each(cases)("refuses %s (%s)", (_name, code, offset, bytes) => {
    expect(faultOf(bytes)).toEqual({ code, offset });
  });

  test("tells a user of a newer file what to do", () => {
    expect(() => readLog(logBytes().with(6, 1))).toThrow("newer client");
  });
});

describe("truncation", () => {
  // Three records that end around the first block edge, one across it, two behind.
  const bytes = write([100, BLOCK - 150, 10, 90, 50, 20]);
  const whole = readLog(bytes);
  const ends = [...whole.slice(1).map(({ offset }) => offset), bytes.length];

  test("at every byte around the block edge and the end: whole records stay, the cut one is named", () => {
    const edge = (length: number): boolean => length < 140 || length > BLOCK - 60;
    for (let length = 7; length <= bytes.length; length++) {
      if (!edge(length)) continue;
      const cut = bytes.subarray(0, length);
      const wholeCount = ends.filter((end) => end <= length).length;
      const { entries, damage } = recoverLog(cut);
      expect(payloads(entries)).toEqual(payloads(whole.slice(0, wholeCount)));
      const isRecordEnd = length === 7 || ends.includes(length);
      if (isRecordEnd) {
        expect(readLog(cut)).toHaveLength(wholeCount);
        expect(damage).toEqual([]);
      } else if (damage.length > 0) {
        expect(faultOf(cut).code).toBe("truncated");
        expect(damage).toHaveLength(1);
        expect(damage[0].endOffset).toBe(length);
      } else {
        // Only a cut inside the zeros that fill the block loses nothing.
        expect(cut.subarray(ends[wholeCount - 1]).every((byte) => byte === 0)).toBe(true);
      }
    }
  });
});

describe("a flipped bit", () => {
  const sizes = Array.from({ length: 400 }, (_, index) => 200 + (index % 7) * 40);
  const bytes = write(sizes);
  const whole = readLog(bytes);
  const texts = payloads(whole);

  test("is never read over by the strict reader, and costs the tolerant one at most a block", () => {
    fc.assert(
      fc.property(fc.integer({ min: 7 * 8, max: bytes.length * 8 - 1 }), (bit) => {
        const at = bit >> 3;
        const damaged = Buffer.from(bytes);
        damaged[at] ^= 1 << (bit & 7);
        expect(() => readLog(damaged)).toThrow(LogError);

        const { entries, damage } = recoverLog(damaged);
        const kept = new Set(payloads(entries));
        expect(texts.filter((text) => kept.has(text)).length).toBe(entries.length);
        const blockStart = at - (at % BLOCK);
        whole.forEach(({ offset, payload }, index) => {
          // A record that lies outside the block, not crossing into it, is never lost.
          const outside = offset >= blockStart + BLOCK || offset + payload.length + 14 <= blockStart;
          if (outside) expect(kept.has(texts[index])).toBe(true);
        });
        expect(damage.length).toBeGreaterThan(0);
        expect(damage[0].offset).toBeLessThanOrEqual(at);
      }),
      { numRuns: 150 },
    );
  });

  test("in the data of one record costs that record alone", () => {
    const damaged = Buffer.from(bytes);
    damaged[whole[100].offset + 50] ^= 4;
    const { entries, damage } = recoverLog(damaged);
    expect(payloads(entries)).toEqual(texts.toSpliced(100, 1));
    expect(damage).toHaveLength(1);
    expect(damage[0]).toMatchObject({ offset: whole[100].offset, endOffset: whole[101].offset });
    expect(damage[0].error.code).toBe("bad-crc");
  });
});

describe("other damage", () => {
  const sizes = Array.from({ length: 600 }, () => 400);
  const bytes = write(sizes);
  const whole = readLog(bytes);
  const recordsPerBlock = Math.ceil(BLOCK / 407) + 1;

  test("a zeroed block costs the records that touch it", () => {
    const damaged = Buffer.from(bytes);
    damaged.fill(0, 2 * BLOCK, 3 * BLOCK);
    const { entries, damage } = recoverLog(damaged);
    expect(entries.length).toBeGreaterThanOrEqual(whole.length - recordsPerBlock);
    expect(entries.at(-1)?.payload).toEqual(whole.at(-1)?.payload);
    expect(damage).toHaveLength(1);
  });

  test("a wrong length costs the rest of its block", () => {
    const damaged = Buffer.from(bytes);
    damaged[whole[100].offset + 4] ^= 1;
    const { entries } = recoverLog(damaged);
    expect(entries.length).toBeGreaterThanOrEqual(whole.length - recordsPerBlock);
    expect(entries.length).toBeLessThan(whole.length);
  });

  test("zeros at the end are no damage", () => {
    const { entries, damage } = recoverLog(Buffer.concat([bytes, Buffer.alloc(512)]));
    expect(entries).toHaveLength(whole.length);
    expect(damage).toEqual([]);
  });

  test("garbage at the end costs nothing and is reported", () => {
    const garbage = Buffer.from(pattern(3000, 5));
    const { entries, damage } = recoverLog(Buffer.concat([bytes, garbage]));
    expect(entries).toHaveLength(whole.length);
    expect(damage[0]).toMatchObject({ offset: bytes.length, endOffset: bytes.length + 3000 });
  });

  test("a record whose end is missing does not take the next one with it", () => {
    const log = logBytes(chunkBytes(FIRST, [1, 2]), chunkBytes(FULL, [3]), chunkBytes(LAST, [4]), chunkBytes(FULL, [5]));
    const { entries, damage } = recoverLog(log);
    expect(entries.map(({ payload }) => [...payload])).toEqual([[3], [5]]);
    expect(damage.map(({ error }) => error.code)).toEqual(["bad-fragment", "bad-fragment"]);
  });

  test("a file that is no log is refused by both readers", () => {
    for (const read of [readLog, recoverLog]) {
      expect(() => read(Buffer.from("no log at all"))).toThrow(expect.objectContaining({ code: "bad-ident" }));
    }
  });

  test("no bytes behind a header crash or hang the tolerant reader", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), fc.nat(300), (random, shift) => {
        const body = [...pattern(shift).map(() => 0), ...random];
        const { entries, damage } = recoverLog(logBytes(body));
        const covered = damage.reduce((sum, range) => sum + range.endOffset - range.offset, 0);
        expect(covered).toBeLessThanOrEqual(body.length);
        expect(entries.length * 7).toBeLessThanOrEqual(body.length);
      }),
      { numRuns: 500 },
    );
  });
});
