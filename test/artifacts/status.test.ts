// status.json: a dead run never looks alive, a living one never dead, and one process at a time owns a run.
import { describe, expect, test } from "bun:test";
import {
  createRun,
  heartbeatIntervalMs,
  openRun,
  readStatus,
  resumeRun,
  type RunStatus,
  staleHeartbeatMs,
} from "@cleanloop/artifacts";
import { existsSync, mkdirSync, readdirSync, readFileSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { codeOf, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const library = join(import.meta.dir, "../../lib/artifacts/index.ts");
let count = 0;
const newRun = () => createRun({ root: directory, group: "status", name: `run-${count++}`, config: {}, command: [] });

/** A run whose status.json says what a killed or distant process would have left there. */
function runWith(change: Partial<RunStatus>): string {
  const { path } = newRun();
  const status = JSON.parse(readFileSync(join(path, "status.json"), "utf8"));
  writeFileSync(join(path, "status.json"), JSON.stringify({ ...status, ...change }));
  return path;
}

/** A process id that no process has any more. */
function deadPid(): number {
  return Bun.spawnSync(["true"]).pid;
}

describe("honesty", () => {
  test("the process that runs is believed, however old its heartbeat", () => {
    const path = runWith({ heartbeatAt: "2001-01-01T00:00:00.000Z" });
    expect(readStatus(path).state).toBe("running");
  });

  test("a run whose process is gone is killed, and the file is not rewritten", () => {
    const path = runWith({ pid: deadPid() });
    const before = readFileSync(join(path, "status.json"), "utf8");
    expect(readStatus(path)).toMatchObject({ state: "killed", exit: { message: expect.stringContaining("is gone") } });
    expect(readFileSync(join(path, "status.json"), "utf8")).toBe(before);
  });

  test("a pid that now belongs to another process does not keep a run alive", () => {
    expect(readStatus(runWith({ processStart: "1" })).state).toBe("killed");
    expect(readStatus(runWith({ pid: 1, processStart: "99999999999" })).state).toBe("killed");
  });

  test("on another host the heartbeat decides, at two minutes", () => {
    const heartbeatAt = "2030-01-01T00:00:00.000Z";
    const path = runWith({ host: "elsewhere", heartbeatAt });
    const beat = Date.parse(heartbeatAt);
    expect(readStatus(path, beat + staleHeartbeatMs).state).toBe("running");
    const late = readStatus(path, beat + staleHeartbeatMs + 1000);
    expect(late).toMatchObject({ state: "killed", exit: { message: "no heartbeat from elsewhere for 121 s" } });
  });

  test("an ended run says how it ended, whatever became of its process", () => {
    for (const state of ["finished", "failed", "killed"] as const) {
      const run = newRun();
      run.heartbeat({ step: 12, epoch: 3 });
      run.finish(state, { message: "because", exitCode: 1, signal: "SIGINT" });
      expect(readStatus(run.path)).toMatchObject({
        state,
        step: 12,
        epoch: 3,
        exit: { message: "because", exitCode: 1, signal: "SIGINT" },
      });
    }
  });

  test("heartbeats are written when one is due, and skipped in between", () => {
    const run = newRun();
    run.heartbeat({ epoch: 1 });
    expect(readStatus(run.path).epoch).toBe(null);
    const path = runWith({ pid: deadPid(), heartbeatAt: new Date(Date.now() - heartbeatIntervalMs).toISOString() });
    const resumed = resumeRun(path);
    resumed.heartbeat({ epoch: 1 });
    expect(readStatus(path).epoch).toBe(null);
  });

  test("no status, or a damaged one, is a typed error", () => {
    expect(codeOf(() => readStatus(directory))).toBe("not-a-run");
    const { path } = newRun();
    for (const text of ["", "{", "[]", "null", '{"state":"asleep","pid":1}']) {
      writeFileSync(join(path, "status.json"), text);
      expect(codeOf(() => readStatus(path))).toBe("bad-header");
    }
  });

  test("a process that exits without a word, and a zombie nobody has waited for, are dead", async () => {
    const path = join(directory, "status", "silent");
    const program = `
import { createRun } from ${JSON.stringify(library)};
createRun({ root: ${JSON.stringify(directory)}, group: "status", name: "silent", config: {}, command: [] });`;
    // The shell starts the run, then becomes a program that never waits for it.
    const shell = `"$0" -e "$1" & echo $!; exec sleep 20`;
    const parent = Bun.spawn(["bash", "-c", shell, process.execPath, program]);
    const statusPath = join(path, "status.json");
    while (!existsSync(statusPath) || readStatus(path).state === "running") await Bun.sleep(10);
    const { pid } = readStatus(path);
    if (process.platform === "linux") {
      expect(readFileSync(`/proc/${pid}/stat`, "utf8")).toContain(") Z ");
    }
    expect(readStatus(path).state).toBe("killed");
    parent.kill("SIGKILL");
  });
});

describe("taking over", () => {
  test("a running run is refused, by its own process and by others", () => {
    const { path } = newRun();
    expect(codeOf(() => resumeRun(path))).toBe("still-running");
    expect(() => resumeRun(path)).toThrow(`process ${process.pid} on`);
    expect(codeOf(() => resumeRun(runWith({ host: "elsewhere" })))).toBe("still-running");
    expect(readStatus(path)).toMatchObject({ state: "running", generation: 0 });
  });

  test("a dead run is taken over once: generation, owner and status change", () => {
    const path = runWith({ pid: deadPid(), step: 40 });
    resumeRun(path);
    expect(readStatus(path)).toMatchObject({ state: "running", generation: 1, pid: process.pid, step: 40, exit: null });
    expect(codeOf(() => resumeRun(path))).toBe("still-running");
  });

  test("of several processes that resume at once, exactly one wins, ten times", async () => {
    const path = runWith({ pid: deadPid() });
    const program = `
import { resumeRun } from ${JSON.stringify(library)};
const outcomes = [];
for (let round = 0; round < 10; round++) {
  while (Date.now() < Number(process.argv[1]) + round * 60);
  try { const run = resumeRun(${JSON.stringify(path)}); outcomes.push("won"); await Bun.sleep(30); run.finish("killed"); }
  catch (error) { outcomes.push(error.code); }
}
console.log(outcomes.join());`;
    const startMs = Date.now() + 800;
    const racers = [1, 2].map(() => Bun.spawn([process.execPath, "-e", program, String(startMs)]));
    const texts = await Promise.all(racers.map(({ stdout }) => new Response(stdout).text()));
    const [first, second] = texts.map((text) => text.trim().split(","));
    for (let round = 0; round < 10; round++) {
      // A racer that the scheduler held up for 30 ms may find the run finished again, and wins after the other.
      expect([first[round], second[round]]).toContain("won");
      for (const outcome of [first[round], second[round]]) expect(["won", "still-running"]).toContain(outcome);
    }
    const wins = [...first, ...second].filter((outcome) => outcome === "won").length;
    expect(readStatus(path)).toMatchObject({ state: "killed", generation: wins });
    expect(readdirSync(path).filter((name) => name.startsWith(".claim-"))).toEqual([]);
  });

  test("a claim of a living process is respected, a dead or long silent one passed over", () => {
    const claim = (content: string, ageMs = 0) => {
      const path = runWith({ pid: deadPid() });
      const file = join(path, ".claim-1");
      writeFileSync(file, content);
      utimesSync(file, new Date(), new Date(Date.now() - ageMs));
      return path;
    };
    const owner = JSON.parse(readFileSync(join(newRun().path, "status.json"), "utf8"));
    expect(codeOf(() => resumeRun(claim(JSON.stringify(owner), 10 * staleHeartbeatMs)))).toBe("still-running");
    expect(codeOf(() => resumeRun(claim("")))).toBe("still-running");
    for (const path of [claim(JSON.stringify({ ...owner, pid: deadPid() })), claim("", staleHeartbeatMs + 1000)]) {
      resumeRun(path);
      expect(readStatus(path).generation).toBe(2);
      expect(existsSync(join(path, ".claim-1"))).toBe(false);
    }
  });

  test("temporary files of dead writers are swept, those of living ones stay", () => {
    const path = runWith({ pid: deadPid() });
    mkdirSync(join(path, "plots"));
    const mine = [`.tmp-${deadPid()}-0-a.npy`, `plots/.tmp-${deadPid()}-3-b.png`, `.tmp-${process.pid}-77-c`];
    for (const name of [...mine, ".tmp-1-0-theirs"]) writeFileSync(join(path, name), "half");
    resumeRun(path);
    expect(mine.filter((name) => existsSync(join(path, name)))).toEqual([]);
    expect(existsSync(join(path, ".tmp-1-0-theirs"))).toBe(true);
    expect(openRun(path).verifyArtifacts()).toEqual([]);
  });
});
