// What a run leaves on disk: the directory, the order of the records, the rows, config, summary and metrics.

import { describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, readdirSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { init } from "@cleanloop/wandb";
import { historyOf, itemsToObject, kindsOf, quietRun, recordsOf, temporaryDirectory } from "./run-log.ts";

const root = temporaryDirectory();

describe("the directory", () => {
  test("is <root>/wandb/offline-run-<local time>-<id> with the log and files/", () => {
    const before = new Date();
    const run = quietRun(root);
    const directory = run.directory ?? "";
    expect(dirname(directory)).toBe(join(root, "wandb"));
    expect(run.id).toMatch(/^[a-z0-9]{8}$/);
    const name = /^offline-run-(\d{4})(\d\d)(\d\d)_(\d\d)(\d\d)(\d\d)-(.*)$/.exec(basename(directory));
    expect(name?.[7]).toBe(run.id);
    const [year, month, day, hour, minute, second] = (name ?? []).slice(1, 7).map(Number);
    const startMs = new Date(year, month - 1, day, hour, minute, second).getTime();
    expect(Math.abs(startMs - before.getTime())).toBeLessThan(3000);
    expect(readdirSync(directory).toSorted()).toEqual(["files", `run-${run.id}.wandb`]);
    expect(readdirSync(join(directory, "files"))).toEqual(["wandb-metadata.json"]);
    run.finish();
  });

  test("goes below .wandb where that exists, and right into a root called wandb", () => {
    const hidden = join(root, "hidden");
    mkdirSync(join(hidden, ".wandb"), { recursive: true });
    expect(dirname(quietRun(hidden).directory ?? "")).toBe(join(hidden, ".wandb"));
    const tracker = join(root, "runs", "wandb");
    expect(dirname(quietRun(tracker).directory ?? "")).toBe(tracker);
  });

  test("two runs with one id in one second get two directories", () => {
    const runs = [1, 2, 3].map(() => quietRun(root, { id: "same" }));
    expect(new Set(runs.map(({ directory }) => directory)).size).toBe(3);
    for (const run of runs) expect(kindsOf(run)).toEqual(["header", "run", "files"]);
  });
});

describe("the records", () => {
  test("come in the order that every reader accepts, numbered from 1", async () => {
    const run = init({ mode: "offline", project: "p", dir: root, config: { lr: 0.1 } });
    process.stdout.write("");
    run.log({ loss: 1 });
    await run.finish(3);
    const kinds = kindsOf(run);
    expect(kinds.slice(0, 3)).toEqual(["header", "run", "files"]);
    expect(kinds.slice(-3)).toEqual(["exit", "final", "footer"]);
    const exit = kinds.indexOf("exit");
    for (const kind of ["stats", "summary", "history"] as const) {
      expect(kinds.lastIndexOf(kind)).toBeGreaterThan(2);
      expect(kinds.lastIndexOf(kind)).toBeLessThan(exit);
    }
    expect(kinds.filter((kind) => kind === "stats").length).toBeGreaterThanOrEqual(2);
    expect(kinds.filter((kind) => kind === undefined)).toEqual([]);
    expect(recordsOf(run).map(({ num }) => num)).toEqual(kinds.map((_, index) => index + 1));
    expect(recordsOf(run)[exit].exit?.exitCode).toBe(3);
  });

  test("the run record holds what init was told", () => {
    const run = quietRun(root, {
      id: "abc",
      name: "a name",
      entity: "team",
      group: "g",
      jobType: "train",
      notes: "n",
      tags: ["x", "y"],
      config: { lr: 3e-4, nested: { a: [1, NaN] }, none: null },
      startingStep: 7,
    });
    const record = recordsOf(run)[1].run;
    expect(record).toMatchObject({
      runId: "abc",
      displayName: "a name",
      entity: "team",
      project: "test",
      runGroup: "g",
      jobType: "train",
      notes: "n",
      tags: ["x", "y"],
      startingStep: 7,
      resumed: true,
    });
    expect(itemsToObject(record?.config?.update ?? [])).toEqual({ lr: 3e-4, nested: { a: [1, NaN] }, none: null });
    expect(Math.abs((record?.startTime?.seconds ?? 0) * 1000 - Date.now())).toBeLessThan(5000);
    run.log({ a: 1 });
    expect(historyOf(run)[0]._step).toBe(7);
  });

  test("the summary is written whole before the exit, with the last values and the run time", async () => {
    const run = quietRun(root);
    for (let step = 0; step < 50; step++) run.log({ loss: 50 - step, [`once/${step}`]: step });
    run.summary.update({ best: 3 });
    await run.finish();
    const records = recordsOf(run);
    const summary = itemsToObject(records.at(-4)?.summary?.update ?? []);
    expect(summary).toMatchObject({ loss: 1, best: 3, "once/0": 0, "once/49": 49, _step: 49 });
    expect(summary._runtime).toBeNumber();
    expect(summary._wandb).toEqual({ runtime: expect.any(Number) });
    // The first row's summary comes before the row.
    const kinds = kindsOf(run);
    expect(kinds.indexOf("summary")).toBeLessThan(kinds.indexOf("history"));
  });

  test("config changes are records of their own, with what has changed", () => {
    const run = quietRun(root, { config: { a: 1, b: 2 } });
    run.config.update({ b: 2, c: { d: 1 } });
    expect(itemsToObject(recordsOf(run).at(-1)?.config?.update ?? [])).toEqual({ c: { d: 1 } });
    expect(run.config.toJSON()).toEqual({ a: 1, b: 2, c: { d: 1 } });
    expect(run.config.get("c")).toEqual({ d: 1 });
  });

  test("alerts and saved files", () => {
    const run = quietRun(root);
    run.alert({ title: "t", text: "x", level: "WARN", waitDurationMs: 1500 });
    run.saveFile(new Uint8Array([1, 2, 3]), "deep/../../data.bin");
    const [alert, files] = recordsOf(run).slice(-2);
    expect(alert.alert).toEqual({ title: "t", text: "x", level: "WARN", waitDurationMs: 1500 });
    const path = files.files?.files[0].path ?? "";
    expect(path.split("/")).not.toContain("..");
    expect([...readFileSync(join(run.directory ?? "", "files", path))]).toEqual([1, 2, 3]);
  });

  test("the metadata says how the program was started, without its secrets", async () => {
    const run = quietRun(root);
    const path = join(run.directory ?? "", "files", "wandb-metadata.json");
    const metadata = JSON.parse(readFileSync(path, "utf8")) as Record<string, unknown>;
    expect(metadata).toMatchObject({ executable: process.execPath, args: expect.any(Array) });
    const { withoutSecrets } = await import("../../lib/wandb/metadata.ts");
    const args = ["--api_key", "abc", "--lr=1", "--token=xyz", "--password", "--verbose", "keyless"];
    const masked = ["--api_key", "***", "--lr=1", "--token=***", "--password", "--verbose", "keyless"];
    expect(withoutSecrets(args)).toEqual(masked);
  });
});

describe("rows", () => {
  test("hold every kind of value, the step, the time and the run time", () => {
    const run = quietRun(root);
    const before = Date.now() / 1000;
    const values = { int: 1, float: 0.1, nan: NaN, inf: -Infinity, text: "a", yes: true, none: null, deep: { a: [{}] } };
    run.log(values);
    const [row] = historyOf(run);
    expect(row).toMatchObject({ ...values, _step: 0 });
    expect(row._timestamp as number).toBeGreaterThanOrEqual(before);
    expect(row._timestamp as number).toBeLessThanOrEqual(Date.now() / 1000);
    expect(row._runtime as number).toBeGreaterThanOrEqual(0);
    // Bare words, and one item per key with its whole value.
    const items = recordsOf(run).at(-1)?.history?.item ?? [];
    expect(items.find(({ key }) => key === "nan")?.valueJson).toBe("NaN");
    expect(items.every(({ key, nestedKey }) => key !== "" && nestedKey.length === 0)).toBe(true);
    expect(recordsOf(run).at(-1)?.history?.step?.num).toBe(0);
  });

  test("steps count up, follow explicit ones, and never go back", () => {
    const run = quietRun(root);
    run.log({ a: 0 });
    run.log({ a: 1 });
    run.log({ a: 10 }, { step: 10 });
    run.log({ a: 11 });
    run.log({ lost: 1 }, { step: 5 });
    run.log({ lost: 1 }, { step: 1.5 });
    run.log({ more: 1 }, { step: 11 });
    expect(historyOf(run).map(({ _step }) => _step)).toEqual([0, 1, 10, 11, 11]);
    expect(historyOf(run).some((row) => "lost" in row)).toBe(false);
    expect(run.warnings.map(({ code }) => code)).toEqual(["bad-step"]);
    expect(run.failure).toBeUndefined();
  });

  test("merge while `commit` is false, until the step moves or the run ends", async () => {
    const run = quietRun(root);
    run.log({ a: 1 }, { commit: false });
    run.log({ b: 2, a: 3 });
    run.log({ c: 1 }, { step: 4, commit: false });
    run.log({ d: 1 }, { step: 5, commit: false });
    await run.finish();
    expect(historyOf(run).map(({ _runtime, _timestamp, ...row }) => row)).toEqual([
      { a: 3, b: 2, _step: 0 },
      { c: 1, _step: 4 },
      { d: 1, _step: 5 },
    ]);
  });

  test("a value without JSON is left out with a warning, the rest of the row stays", () => {
    const run = quietRun(root);
    const circular: Record<string, unknown> = {};
    circular.self = circular;
    for (let step = 0; step < 3; step++) run.log({ bad: () => 1, circular, good: step });
    expect(historyOf(run).map(({ good }) => good)).toEqual([0, 1, 2]);
    expect(run.warnings.map(({ message }) => message.split(":")[0])).toEqual(["log bad", "log circular"]);
  });

  test("are also in history.jsonl when asked for", () => {
    const run = quietRun(root, { historyJsonl: true });
    run.log({ a: 1, b: NaN });
    run.log({ a: 2 });
    const lines = readFileSync(run.historyFile ?? "", "utf8").trimEnd().split("\n");
    expect(lines[0]).toMatch(/^\{"a":1,"b":NaN,"_step":0,/);
    expect(JSON.parse(lines[1])).toMatchObject({ a: 2, _step: 1 });
    expect(quietRun(root).historyFile).toBeUndefined();
  });
});

describe("metrics", () => {
  test("the step metric is defined for all others, and each is named when first logged", () => {
    const run = quietRun(root, { stepMetric: "epoch" });
    run.log({ "train/loss": 1 }, { step: 2 });
    run.log({ "train/loss": 2, "val/loss": 1, epoch: 9 }, { step: 3 });
    const metrics = recordsOf(run).flatMap(({ metric }) => (metric === undefined ? [] : [metric]));
    expect(metrics.map(({ name, globName, stepMetric }) => [name, globName, stepMetric])).toEqual([
      ["epoch", "", ""],
      ["", "*", "epoch"],
      ["train/loss", "", "epoch"],
      ["val/loss", "", "epoch"],
    ]);
    expect(metrics[2]).toMatchObject({ expandedFromGlob: true, options: { stepSync: true, defined: true } });
    expect(historyOf(run).map(({ epoch }) => epoch)).toEqual([2, 9]);
    const kinds = kindsOf(run);
    expect(kinds.lastIndexOf("metric")).toBeLessThan(kinds.lastIndexOf("history"));
  });

  test("the summary shows the aggregates that were asked for", async () => {
    const run = quietRun(root);
    run.defineMetric("loss", { summary: ["min", "mean"], goal: "minimize" });
    run.defineMetric("hidden/*", { summary: "none", hidden: true });
    run.defineMetric("a*b");
    for (const loss of [4, NaN, 1, 1]) run.log({ loss, "hidden/x": loss });
    await run.finish();
    expect(run.summary.get("loss")).toEqual({ min: 1, mean: 2 });
    expect(run.summary.get("hidden/x")).toBeUndefined();
    const summary = { min: true, mean: true, max: false };
    expect(recordsOf(run)[3].metric).toMatchObject({ name: "loss", goal: 1, summary });
    expect(run.warnings.map(({ code }) => code)).toEqual(["bad-option"]);
  });
});

describe("disabled", () => {
  test("has the same methods and writes nothing", async () => {
    const dir = join(root, "nothing");
    const run = init({ mode: "disabled", project: "p", dir, config: { a: 1 } });
    run.log({ a: 1, image: "x" }, { step: 3 });
    run.summary.update({ best: 1 });
    run.saveFile("absent", "x");
    await run.finish();
    expect(run.config.toJSON()).toEqual({ a: 1 });
    expect(run.summary.get("best")).toBe(1);
    expect(run.directory).toBeUndefined();
    expect(existsSync(dir)).toBe(false);
  });
});
