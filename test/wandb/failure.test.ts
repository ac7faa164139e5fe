// The tracker's failures: refused at the start, and never the program's problem afterwards.

import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import type { InitOptions, WandbErrorCode } from "@cleanloop/wandb";
import { WandbError, init, readLog } from "@cleanloop/wandb";
import { historyOf, kindsOf, quietRun, recordsOf, temporaryDirectory } from "./run-log.ts";

const PROGRAM = join(import.meta.dir, "fixtures", "logs-until-it-fails.ts");
const root = temporaryDirectory();

describe("init refuses", () => {
  writeFileSync(join(root, "file"), "");
  const refused: [string, Partial<InitOptions>, WandbErrorCode, RegExp][] = [
    ["online mode", { mode: "online" }, "online-unsupported", /--wandb_offline/],
    ["an id with a slash", { id: "a/b" }, "bad-option", /run id "a\/b"/],
    ["an id with spaces around", { id: " a" }, "bad-option", /spaces/],
    ["an empty id", { id: "" }, "bad-option", /empty/],
    ["an overlong id", { id: "x".repeat(201) }, "bad-option", /200 bytes/],
    ["a project with a slash", { project: "a/b" }, "bad-option", /project "a\/b"/],
    ["an empty project", { project: "" }, "bad-option", /project/],
    ["a negative starting step", { startingStep: -1 }, "bad-option", /startingStep -1/],
    ["a sampling interval of 0", { systemMetrics: { intervalMs: 0 } }, "bad-option", /intervalMs 0/],
    ["a directory that is a file", { dir: join(root, "file") }, "directory-unwritable", /choose another `dir`/],
  ];
  test.each(refused)("%s", (_name, options, code, message) => {
    const start = (): unknown => quietRun(root, options);
    expect(start).toThrow(WandbError);
    expect(start).toThrow(expect.objectContaining({ code }));
    expect(start).toThrow(message);
  });
});

interface Outcome {
  trained: number;
  failure: { code: string } | undefined;
  warnings: unknown[];
  log: string;
}

/** Runs the program that trains 300 steps, through a shell that may limit it first. */
async function train(shell: string, ...args: string[]): Promise<{ outcome: Outcome; stderr: string; exitCode: number }> {
  const command = ["bash", "-c", `${shell} exec "$0" "$@"`, process.execPath, PROGRAM, root, ...args];
  const child = Bun.spawn(command, { stdout: "pipe", stderr: "pipe" });
  const [stdout, stderr, exitCode] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { outcome: JSON.parse(stdout) as Outcome, stderr, exitCode };
}

const timesTold = (stderr: string): number => stderr.split("recording has stopped").length - 1;

describe("the program goes on", () => {
  test("when the run's directory is deleted", async () => {
    const { outcome, stderr, exitCode } = await train("", "100");
    expect(outcome).toMatchObject({ trained: 300, failure: { code: "tracker-failed" } });
    expect(timesTold(stderr)).toBe(1);
    expect(exitCode).toBe(0);
  });

  test("when the disk takes no more, and the log stays whole up to there", async () => {
    // No file may grow beyond 256 blocks of 1024 bytes; the signal that would kill the process is ignored.
    const { outcome, stderr, exitCode } = await train("trap '' XFSZ; ulimit -f 256;", "never");
    expect(outcome).toMatchObject({ trained: 300, failure: { code: "tracker-failed" } });
    expect(timesTold(stderr)).toBe(1);
    expect(stderr).toContain(outcome.log.slice(0, outcome.log.lastIndexOf("/")));
    expect(exitCode).toBe(0);
    const bytes = readFileSync(outcome.log);
    expect(readLog(bytes).length).toBeGreaterThan(100);
    expect(bytes.length).toBeLessThanOrEqual(256 * 1024);
    expect(bytes.length).toBeGreaterThan(250 * 1024);
  });

  test("when nothing fails, as it should", async () => {
    const { outcome, stderr } = await train("", "never");
    expect(outcome).toMatchObject({ trained: 300, warnings: [] });
    expect(outcome.failure).toBeUndefined();
    expect(stderr).toBe("");
  });

  test("after a log that was deleted without anybody noticing until the end", async () => {
    const run = quietRun(root);
    run.log({ a: 1 });
    await Bun.$`rm -r ${run.directory ?? ""}`;
    run.log({ a: 2 });
    expect(run.failure).toBeUndefined();
    await run.finish();
    expect(run.failure?.message).toContain("deleted");
  });

  test("with files and definitions that are wrong: each is a warning", () => {
    const run = quietRun(root);
    run.saveFile(join(root, "absent"), "copy");
    run.saveFile(join(root, "absent"), "copy");
    run.alert({ title: "t", text: "x", waitDurationMs: 0.5 });
    run.config.update({ bad: () => 1, good: 2 });
    run.log({ a: 1 });
    expect(run.warnings.map(({ code }) => code)).toEqual(["bad-file", "bad-protobuf", "bad-value"]);
    expect(run.failure).toBeUndefined();
    expect(historyOf(run)).toHaveLength(1);
    expect(recordsOf(run).map(({ num }) => num)).toEqual(kindsOf(run).map((_, index) => index + 1));
  });
});

describe("the end", () => {
  test("calls after finish, and a second finish, do nothing", async () => {
    const run = quietRun(root);
    await run.finish(1);
    const kinds = kindsOf(run);
    run.log({ a: 1 });
    run.config.update({ b: 1 });
    await run.finish(0);
    expect(kindsOf(run)).toEqual(kinds);
  });

  test.each([
    ["process.exit(3)", 3],
    ["throw new Error('boom')", 1],
    ["", 0],
  ])("a program that ends with %p finishes its run with its exit code", async (ending, exitCode) => {
    const source = `
      import { init } from "@cleanloop/wandb";
      const run = init({ mode: "offline", project: "p", dir: process.argv.at(-1), systemMetrics: false });
      process.stdout.write(run.directory + "/run-" + run.id + ".wandb");
      run.log({ a: 1 });
      ${ending}`;
    const command = [process.execPath, "-e", source, root];
    const child = Bun.spawn(command, { cwd: import.meta.dir, stdout: "pipe", stderr: "ignore" });
    const path = await child.stdout.text();
    expect(await child.exited).toBe(exitCode);
    const { logRecord } = await import("@cleanloop/wandb");
    const records = readLog(readFileSync(path)).map(({ payload }) => logRecord.decode(payload));
    expect(records.at(-3)?.exit?.exitCode).toBe(exitCode);
    expect(records.at(-1)?.footer).toBeDefined();
  });

  test("init in this process leaves the listeners of the process as they were", async () => {
    const before = process.listenerCount("exit");
    const run = init({ mode: "offline", project: "p", dir: root });
    expect(process.listenerCount("exit")).toBe(before + 1);
    await run.finish();
    expect(process.listenerCount("exit")).toBe(before);
  });
});
