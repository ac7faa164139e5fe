// What of the terminal's text goes into a run.

import { describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";

import { logRecord, readLog } from "@cleanloop/wandb";
import { LineCollapser } from "../../lib/wandb/console-capture.ts";
import { temporaryDirectory } from "./run-log.ts";

const root = temporaryDirectory();

/** What a collapser hands over for texts written one after another, a second apart or as told. */
function collapse(texts: readonly (string | Uint8Array)[], intervalMs = 1000): string[] {
  const emitted: string[] = [];
  let nowMs = 0;
  const collapser = new LineCollapser(
    (text) => emitted.push(text),
    () => nowMs,
  );
  for (const text of texts) {
    nowMs += intervalMs;
    collapser.write(text);
  }
  collapser.end();
  return emitted;
}

describe("lines", () => {
  test("are handed over whole, several at once", () => {
    expect(collapse(["a", "b\nc\n", "d\n", "e"])).toEqual(["ab\nc\n", "d\n", "e\n"]);
  });
  test("keep their text whatever the line ending, and lose their colours", () => {
    expect(collapse(["a\r\nb\r", "\n\u001b[31mred\u001b[0m\n"])).toEqual(["a\n", "b\nred\n"]);
  });
  test("a character cut in two by the writer is put together", () => {
    const bytes = Buffer.from("ä\n");
    expect(collapse([bytes.subarray(0, 1), bytes.subarray(1)])).toEqual(["ä\n"]);
  });
});

describe("a progress bar", () => {
  test("that runs for less than ten seconds leaves its last state alone", () => {
    const bar = Array.from({ length: 500 }, (_, index) => `\r${index}/500`);
    expect(collapse([...bar, "\n", "done\n"], 10)).toEqual(["499/500\n", "done\n"]);
  });
  test("leaves a state about every ten seconds while it runs", () => {
    const bar = Array.from({ length: 100 }, (_, index) => `\r${index}`);
    const emitted = collapse([...bar, "\n"], 1000);
    expect(emitted).toHaveLength(11);
    expect(emitted[0]).toBe("\r9");
    expect(emitted.at(-1)).toBe("\r99\n");
  });
  test("may return by control sequences, before or after its text", () => {
    expect(collapse(["\u001b[2K\u001b[1G10%", "\u001b[2K\u001b[1G20%\n"], 10)).toEqual(["20%\n"]);
    expect(collapse(["10%\r", "20%\r", "\n"], 10)).toEqual(["20%\n"]);
    expect(collapse(["10%\r", "done\n"], 10)).toEqual(["done\n"]);
  });
});

describe("a program", () => {
  test("prints as ever, and its run has the text by stream", async () => {
    const program = join(import.meta.dir, "fixtures", "prints-and-finishes.ts");
    const child = Bun.spawn([process.execPath, program, root], { stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr] = await Promise.all([child.stdout.text(), child.stderr.text()]);
    expect(stdout).toBe("logged 1 {\n  a: 2,\n}\nwritten\nno newlineafter\n");
    const records = readLog(readFileSync(stderr.slice(stderr.lastIndexOf("\n") + 1)));
    const output = records.flatMap(({ payload }) => logRecord.decode(payload).outputRaw ?? []);
    const textOf = (type: number): string =>
      output.filter(({ outputType }) => outputType === type).map(({ line }) => line).join("");
    expect(textOf(1)).toBe("logged 1 { a: 2 }\nwritten\nno newline\n");
    expect(textOf(0)).toBe("to stderr\nstep 199\n");
  });
});
