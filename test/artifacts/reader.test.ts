// Readers beside a writer that never rests: every file they open is whole, by its name and by the manifest.
import { describe, expect, test } from "bun:test";
import { createRun, type NdArray } from "@cleanloop/artifacts";
import { truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRunWhile, waitForRun } from "./reader-loop.ts";
import { findPython, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
const numpy = findPython("numpy");
const STEPS = 80;

function startWriter(name: string) {
  const root = join(directory, name);
  const child = Bun.spawn([process.execPath, join(import.meta.dir, "allo-writer.ts"), root, String(STEPS)], { stderr: "pipe" });
  return { child, parent: join(root, "room4"), isWriting: () => child.exitCode === null };
}

/** The numbers of an array, or of what stands for it in a pickle or in JSON. */
function numbersOf(value: unknown): number[] {
  return Array.isArray(value) ? value : Array.from((value as NdArray).data as Iterable<number>);
}

describe("a run that is being written", () => {
  test("our reader, through the manifest: no torn file, and no file of two writes", async () => {
    const { child, parent, isWriting } = startWriter("ours");
    let lastRecordCount = 0;
    const counts = await readRunWhile(await waitForRun(parent, isWriting), isWriting, (name, value) => {
      if (name === "metrics_history.json") lastRecordCount = (value as unknown[]).length;
      else if (name === "args.json") expect(value).toEqual({ seed: 42 });
      else if (name.endsWith(".npy")) expect(new Set(numbersOf(value)).size).toBe(1);
      else if (name === "viz_metadata.json") {
        const { canonical_states, grid_width } = value as Record<string, unknown>;
        expect(new Set<unknown>(numbersOf(canonical_states))).toEqual(new Set([grid_width]));
      } else {
        const pickle = value as Map<string, unknown>;
        const step = pickle.get(name === "viz_metadata.pkl" ? "grid_width" : "total_reversible");
        expect(new Set<unknown>(numbersOf(pickle.get("canonical_states")))).toEqual(new Set([step]));
      }
    });
    expect(await child.exited).toBe(0);
    console.log(`reads beside the writer: ${JSON.stringify(counts)}`);
    expect(lastRecordCount).toBeGreaterThan(0);
    expect(counts.replaced).toBeGreaterThan(0);
    for (const extension of [".npy", ".json", ".pkl"]) expect(counts.byExtension[extension]).toBeGreaterThan(20);
  }, 60_000);

  test.skipIf(!numpy)("a Python script that opens the files by name, as the original's plots do", async () => {
    const { child, parent, isWriting } = startWriter("python");
    const path = await waitForRun(parent, isWriting);
    const program = `
import json, os, pickle, sys, numpy as np
path, pid = sys.argv[1], int(sys.argv[2])
counts = dict(npy=0, pkl=0, json=0)
def is_writing():
    try: os.kill(pid, 0)
    except ProcessLookupError: return False
    with open(os.path.join(path, "status.json")) as f: return json.load(f)["state"] == "running"
while True:
    more = is_writing()
    for name in os.listdir(path):
        try: file = open(os.path.join(path, name), "rb")
        except (FileNotFoundError, IsADirectoryError): continue
        with file:
            if name.startswith("."): continue
            elif name.endswith(".npy"): assert len(set(np.load(file).ravel())) == 1; counts["npy"] += 1
            elif name.endswith(".pkl"): assert len(set(pickle.load(file)["canonical_states"])) == 1; counts["pkl"] += 1
            elif name.endswith(".json"): json.load(file); counts["json"] += 1
    if not more: break
print(json.dumps(counts))`;
    const reader = Bun.spawn([numpy as string, "-W", "error", "-c", program, path, String(child.pid)], { stderr: "pipe" });
    const [output, problem, code] = await Promise.all([reader.stdout.text(), reader.stderr.text(), child.exited]);
    expect([problem, code]).toEqual(["", 0]);
    console.log(`reads by Python: ${output.trim()}`);
    for (const count of Object.values(JSON.parse(output) as Record<string, number>)) expect(count).toBeGreaterThan(20);
  }, 60_000);
});

describe("the loop itself finds", () => {
  async function damaged(damage: (path: string) => void): Promise<string> {
    const run = createRun({ root: directory, group: "damaged", name: `run-${Math.random()}`, config: {}, command: [] });
    await run.writeArtifact("a.json", "array", "[1, 2]");
    damage(join(run.path, "a.json"));
    return readRunWhile(run.path, () => false).then(() => "nothing", (error: Error) => error.message);
  }

  test("a file cut short", async () => expect(await damaged((path) => truncateSync(path, 3))).toMatch(/JSON/));

  test("a whole file that is not the one listed", async () => {
    expect(await damaged((path) => writeFileSync(path, "[1, 3]"))).toMatch(/a\.json: is not what the manifest lists/);
  });

  test("nothing in a sound run", async () => expect(await damaged(() => {})).toBe("nothing"));
});
