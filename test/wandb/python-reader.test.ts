// Python reads our logs, with a reader that shares no code with this package.

import { expect, test } from "bun:test";
import { join } from "node:path";

import { Html, fromValueJson } from "@cleanloop/wandb";
import { logFile, quietRun, temporaryDirectory } from "./run-log.ts";

const root = temporaryDirectory();
const READER = join(import.meta.dir, "fixtures", "read_log.py");
const python = Bun.which("python3");
if (python === null) console.warn("python-reader.test.ts: skipped, there is no python3 on this machine");

interface PythonRecord {
  num: number;
  kind: string;
  items: Record<string, unknown>;
  id?: string;
  project?: string;
  code?: number;
}

test.skipIf(python === null)("rows, config and order arrive in Python as they were logged", async () => {
  const run = quietRun(root, { config: { lr: 3e-4, "näme": [1, Infinity] }, project: "p", stepMetric: "epoch" });
  const rows = Array.from({ length: 400 }, (_, step) => ({
    loss: step % 7 === 0 ? NaN : 1 / (step + 1),
    text: "ü".repeat((step * 37) % 500),
    big: step % 50 === 0 ? "x".repeat(40_000) : "",
  }));
  rows.forEach((row, step) => run.log({ ...row, ...(step % 100 === 0 && { page: new Html("x") }) }, { step }));
  await run.finish(7);

  const { stdout, stderr, exitCode } = await Bun.$`${python} ${READER} ${logFile(run)}`.nothrow().quiet();
  expect(stderr.toString()).toBe("");
  expect(exitCode).toBe(0);
  const records = stdout.toString().trim().split("\n").map((line) => fromValueJson(line) as PythonRecord);
  expect(records.map(({ num }) => num)).toEqual(records.map((_, index) => index + 1));
  expect(records[1]).toMatchObject({ kind: "run", id: run.id, project: "p" });
  expect(records[1].items).toEqual({ lr: 3e-4, "näme": [1, Infinity] });
  const history = records.filter(({ kind }) => kind === "history").map(({ items }) => items);
  expect(history).toHaveLength(400);
  rows.forEach((row, step) => expect(history[step]).toMatchObject({ ...row, epoch: step, _step: step }));
  expect(records.slice(-4).map(({ kind }) => kind)).toEqual(["summary", "exit", "final", "footer"]);
  expect(records.at(-3)?.code).toBe(7);
});
