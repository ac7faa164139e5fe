// kill -9 at any moment of any writer: what is left opens, verifies, tells the truth and can be resumed.
import { describe, expect, test } from "bun:test";
import { createRun, type JsonObject, openRun, readCheckpoint, readStatus, resumeRun } from "@cleanloop/artifacts";
import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();

/** Starts the victim, lets it get to its loop (or not), kills it after a random time. */
async function killOnce(name: string, early: boolean): Promise<void> {
  const victim = Bun.spawn([process.execPath, join(import.meta.dir, "victim.ts"), directory, name], { stderr: "pipe" });
  if (!early) await victim.stdout.getReader().read();
  await Bun.sleep(Math.random() * 150);
  victim.kill("SIGKILL");
  await victim.exited;
  expect(victim.signalCode).toBe("SIGKILL");
}

/** Everything a reader may rely on after a kill; returns the number of whole metrics rows. */
function expectSound(path: string): number {
  const view = openRun(path);
  expect(view.config).toEqual({ learning_rate: 0.1 });
  expect(view.verifyArtifacts()).toEqual([]);
  expect(view.status()).toMatchObject({ state: "killed" });
  const rows = view.metrics();
  const expected = rows.map((_, step) => ({ step, square: step * step, note: "ü".repeat(step % 50) }));
  expect(rows as unknown[]).toEqual(expected);
  for (const pointer of ["best", "last"] as const) {
    const checkpointPath = view.pointerPath(pointer);
    if (checkpointPath === null) continue;
    const { state, tensors } = readCheckpoint(checkpointPath);
    const step = state.step as number;
    // A checkpoint never outlives its metrics.
    expect(step).toBeLessThan(rows.length);
    expect(tensors.data.shape).toEqual([1 + ((step * 7919) % 20_000)]);
    expect((tensors.data.data as Float32Array).every((value) => value === step)).toBe(true);
  }
  const checkpoints = view.artifacts.filter(({ kind }) => kind === "checkpoint").map((entry) => entry.name);
  expect(new Set(checkpoints)).toEqual(new Set(Object.values(view.pointers)));
  return rows.length;
}

describe("kill -9", () => {
  test("24 times at random moments, most of them on one run that is resumed again and again", async () => {
    for (let round = 0; round < 6; round++) {
      await killOnce(`early-${round}`, true);
      const path = join(directory, "victims", `early-${round}`);
      if (existsSync(path)) expectSound(path);
    }
    const path = join(directory, "victims", "resumed");
    let rows = 0;
    for (let round = 0; round < 18; round++) {
      await killOnce("resumed", false);
      const now = expectSound(path);
      // Only the rows after the last checkpoint may come again: at most the one step in the making.
      expect(now).toBeGreaterThanOrEqual(rows - 1);
      rows = now;
    }
    expect(rows).toBeGreaterThan(0);

    // Resumed once more, the run holds the files it lists and nothing else.
    const run = resumeRun(path);
    const files = readdirSync(path, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const names = files.map((entry) => entry.name).sort();
    const listed = run.artifacts.map(({ name }) => name.split("/").at(-1) as string);
    expect(names).toEqual([...listed, "manifest.json", "metrics.jsonl", "status.json"].sort());
    expect(run.discard()).toEqual([]);
    expect(existsSync(path)).toBe(false);
  }, 60_000);
});

describe("each moment of a start", () => {
  /** Kills a process while createRun reads the options that `trap` sets; returns what is left in the group. */
  function killedStart(group: string, trap: string): string[] {
    const program = `
import { createRun } from ${JSON.stringify(join(import.meta.dir, "../../lib/artifacts/index.ts"))};
const kill = () => process.kill(process.pid, "SIGKILL");
const options = { root: ${JSON.stringify(directory)}, group: ${JSON.stringify(group)}, name: "n", config: {}, command: [] };
createRun(Object.defineProperties(options, { ${trap} }));`;
    expect(Bun.spawnSync([process.execPath, "-e", program]).signalCode).toBe("SIGKILL");
    return readdirSync(join(directory, group));
  }

  test.each([
    ["before the first file", "config: { get: kill }", []],
    ["before args.json", "config: { value: { toJSON: kill } }", ["status.json"]],
    ["before the manifest", "command: { value: [{ toJSON: kill }] }", ["args.json", "status.json"]],
  ])("%s: the name stays free, and the next start removes what is left", (moment, trap, files) => {
    const group = moment.replaceAll(" ", "-");
    const [left, ...others] = killedStart(group, trap);
    expect(others).toEqual([]);
    expect(left).toMatch(/^\.tmp-\d+-[0-9a-f]{8}$/);
    const path = join(directory, group, left);
    expect(readdirSync(path).sort()).toEqual(files);
    const threeMinutesAgo = new Date(Date.now() - 180_000);
    utimesSync(path, threeMinutesAgo, threeMinutesAgo);
    const run = createRun({ root: directory, group, name: "n", config: {}, command: [] });
    expect(readdirSync(join(directory, group))).toEqual(["n"]);
    expect(openRun(run.path).verifyArtifacts()).toEqual([]);
  });

  test("an unfinished run of a living process, or of one that cannot be judged yet, is left alone", () => {
    const [young] = killedStart("beside", "config: { get: kill }");
    const start = (name: string, config: JsonObject) =>
      createRun({ root: directory, group: "beside", name, config, command: [] });
    let seen: string[] = [];
    const config = {
      get inner() {
        start("inner", {});
        seen = readdirSync(join(directory, "beside"));
        return true;
      },
    };
    start("outer", config);
    expect(seen).toHaveLength(3);
    expect(readdirSync(join(directory, "beside")).sort()).toEqual([young, "inner", "outer"].sort());
  });

  test("another run takes the name meanwhile: it stays whole, and nothing of the second is left", () => {
    const options = { root: directory, group: "taken", name: "n", command: [] };
    const config = {
      get winner() {
        createRun({ ...options, config: { first: true } });
        return false;
      },
    };
    expect(codeOf(() => createRun({ ...options, config }))).toBe("exists");
    expect(readdirSync(join(directory, "taken"))).toEqual(["n"]);
    expect(openRun(join(directory, "taken/n")).config).toEqual({ first: true });
  });
});

describe("each moment of a change", () => {
  const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");
  let count = 0;

  /** A finished run with one artifact under both pointers, its manifest then changed by hand. */
  async function interrupted(change: (manifest: JsonObject & { artifacts: JsonObject[] }) => object): Promise<string> {
    const run = createRun({ root: directory, group: "moments", name: `run-${count++}`, config: {}, command: [] });
    await run.writeArtifact("a", "checkpoint", "old", { pointers: ["best", "last"] });
    run.finish("killed");
    const path = join(run.path, "manifest.json");
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    writeFileSync(path, JSON.stringify({ ...manifest, ...change(manifest) }));
    return run.path;
  }

  const entry = (name: string, text: string) => {
    return { name, kind: "checkpoint", step: null, sizeBytes: text.length, sha256: sha256(text), meta: null };
  };

  test("announced but not renamed: the old file counts", async () => {
    const path = await interrupted(() => ({ pending: { entry: entry("a", "new"), pointers: [] } }));
    expect(openRun(path).verifyArtifacts()).toEqual([]);
    expect(openRun(path).artifacts.at(-1)?.sha256).toBe(sha256("old"));
    resumeRun(path);
    expect(JSON.parse(readFileSync(join(path, "manifest.json"), "utf8")).pending).toBe(null);
  });

  test("renamed over the old file but not recorded: the new file counts", async () => {
    const path = await interrupted(() => ({ pending: { entry: entry("a", "new"), pointers: [] } }));
    writeFileSync(join(path, "a"), "new");
    expect(openRun(path).verifyArtifacts()).toEqual([]);
    expect(openRun(path).artifacts.at(-1)?.sha256).toBe(sha256("new"));
    expect(resumeRun(path).artifacts.at(-1)?.sha256).toBe(sha256("new"));
  });

  test("renamed with pointers that move: readers follow them, and resuming removes what they left", async () => {
    const path = await interrupted(() => ({ pending: { entry: entry("b", "new"), pointers: ["best", "last"] } }));
    writeFileSync(join(path, "b"), "new");
    const view = openRun(path);
    expect(view.pointers).toEqual({ best: "b", last: "b" });
    expect(view.verifyArtifacts()).toEqual([]);
    resumeRun(path);
    expect(existsSync(join(path, "a"))).toBe(false);
  });

  test("taken off the list but not yet off the disk: not an artifact, and resuming removes it", async () => {
    const path = await interrupted(({ artifacts }) => ({
      artifacts: artifacts.filter(({ name }) => name !== "a"),
      pointers: {},
      removing: ["a"],
    }));
    expect(openRun(path).artifacts.map(({ name }) => name)).toEqual(["args.json"]);
    resumeRun(path);
    expect(existsSync(join(path, "a"))).toBe(false);
  });

  test("discarding half done: the rest is discarded on the next try", async () => {
    const path = await interrupted(() => ({}));
    writeFileSync(join(path, "metrics.jsonl"), "");
    expect(readStatus(path).state).toBe("killed");
    expect(resumeRun(path).discard()).toEqual([]);
    expect(existsSync(path)).toBe(false);
  });
});
