// Atomic writes: the digest is right, failures leave nothing, and a reader beside the writer sees whole files only.
import { describe, expect, test } from "bun:test";
import { systemError, writeAtomic, writeAtomicSync } from "@cleanloop/artifacts";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, codeOfAsync, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const library = join(import.meta.dir, "../../lib/artifacts/index.ts");

describe("writeAtomic", () => {
  test("returns size and SHA-256: the digest of abc is the one in FIPS 180-4", async () => {
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    async function* chunks() {
      yield Buffer.from("a");
      yield Buffer.from("bc");
    }
    for (const data of ["abc", Buffer.from("abc"), [Buffer.from("ab"), Buffer.from("c")], chunks()]) {
      const path = join(directory, "abc");
      expect(await writeAtomic(path, data)).toEqual({ sizeBytes: 3, sha256: abc });
      expect(readFileSync(path, "utf8")).toBe("abc");
    }
    expect(writeAtomicSync(join(directory, "sync"), "abc")).toEqual({ sizeBytes: 3, sha256: abc });
  });

  test("text is UTF-8, an empty file is a file", async () => {
    expect((await writeAtomic(join(directory, "text"), "ü")).sizeBytes).toBe(2);
    expect((await writeAtomic(join(directory, "empty"), "")).sizeBytes).toBe(0);
    expect(readFileSync(join(directory, "empty")).byteLength).toBe(0);
  });

  test("ten megabytes in one chunk arrive unchanged", async () => {
    const bytes = Uint8Array.from({ length: 10_000_003 }, (_, i) => (i * 31) >> 3);
    await writeAtomic(join(directory, "large"), bytes);
    expect(Buffer.compare(readFileSync(join(directory, "large")), bytes)).toBe(0);
  });

  test("a source that throws leaves the old file and no temporary one", async () => {
    const folder = join(directory, "source");
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "old");
    function* failing() {
      yield Buffer.from("half of the new");
      throw new RangeError("the source broke");
    }
    await expect(writeAtomic(join(folder, "file"), failing())).rejects.toThrow("the source broke");
    expect(readdirSync(folder)).toEqual(["file"]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
  });

  test("a missing directory, and a directory in place of the file", async () => {
    expect(await codeOfAsync(writeAtomic(join(directory, "absent/file"), "x"))).toBe("not-found");
    mkdirSync(join(directory, "folder/inside"), { recursive: true });
    expect(codeOf(() => writeAtomicSync(join(directory, "folder"), "x"))).toBe("io");
    expect(readdirSync(directory).filter((name) => name.startsWith(".tmp-"))).toEqual([]);
  });

  test("a file past the size limit of the process: typed error, nothing left, old file intact", () => {
    const folder = join(directory, "limit");
    mkdirSync(folder);
    writeFileSync(join(folder, "file"), "old");
    const program = `
import { writeAtomic } from ${JSON.stringify(library)};
try { await writeAtomic(${JSON.stringify(join(folder, "file"))}, new Uint8Array(3e6)); console.log("written"); }
catch (error) { console.log(error.code, error.message); }`;
    // ulimit counts KiB; without the signal ignored, the process would be killed instead of told.
    const shell = `trap "" XFSZ; ulimit -f 1024; exec "$0" -e "$1"`;
    const result = Bun.spawnSync(["bash", "-c", shell, process.execPath, program]);
    expect(result.stdout.toString()).toMatch(/^file-too-large cannot write .*limit\/file: .*ulimit -f/);
    expect(readdirSync(folder)).toEqual(["file"]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
  });

  test("each failure of the system has its code, the path and a cure", () => {
    const cases: [string, string, RegExp][] = [
      ["ENOSPC", "no-space", /the disk is full\. Free some space/],
      ["EDQUOT", "no-space", /quota is used up\. Free some space/],
      ["EACCES", "no-permission", /permission denied\. Check the owner/],
      ["EPERM", "no-permission", /not permitted\. Check the owner/],
      ["EROFS", "read-only", /read-only\. Choose another directory/],
      ["EFBIG", "file-too-large", /ulimit/],
      ["EIO", "io", /i\/o error/],
    ];
    for (const [systemCode, code, message] of cases) {
      const error = systemError("write", "runs/a.npy", Object.assign(new Error("i/o error"), { code: systemCode }));
      expect(error.code as string).toBe(code);
      expect(error.message).toContain("cannot write runs/a.npy: ");
      expect(error.message).toMatch(message);
    }
  });
});

describe("beside a reader", () => {
  test("a reader sees one whole version after another", async () => {
    const path = join(directory, "versions");
    const program = `
import { writeAtomic } from ${JSON.stringify(library)};
for (let i = 0; i < 40; i++) await writeAtomic(${JSON.stringify(path)}, new Uint8Array(100_000 + i).fill(i));`;
    writeFileSync(path, new Uint8Array(100_000));
    const writer = Bun.spawn([process.execPath, "-e", program]);
    const seen = new Set<number>();
    while (writer.exitCode === null) {
      const bytes = readFileSync(path);
      expect(bytes.byteLength).toBe(100_000 + bytes[0]);
      expect(bytes.every((byte) => byte === bytes[0])).toBe(true);
      seen.add(bytes[0]);
      await Bun.sleep(1);
    }
    expect(writer.exitCode).toBe(0);
    expect(seen.size).toBeGreaterThan(1);
  });
});
