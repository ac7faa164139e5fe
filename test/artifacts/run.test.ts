// The run directory as its writer and its readers see it: artifacts, pointers, removal, discarding.
import { describe, expect, test } from "bun:test";
import { createRun, ndarray, openRun, readCheckpoint, resumeRun, type Run, writeCheckpoint } from "@cleanloop/artifacts";
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { asNobody, canDropRights, canMount, codeOf, codeOfAsync, temporaryDirectory } from "./support.ts";

const directory = temporaryDirectory();
let count = 0;
const options = () => {
  const config = { learning_rate: 3e-4, loop_mode: "open" };
  return { root: directory, group: "open", name: `run-${count++}`, config, command: ["bun", "train"] };
};
const newRun = () => createRun(options());

/** Every file below a directory, sorted. */
function tree(path: string): string[] {
  const entries = readdirSync(path, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => !entry.isDirectory()).map((e) => relative(path, join(e.parentPath, e.name))).sort();
}

const ownFiles = ["args.json", "manifest.json", "metrics.jsonl", "status.json"];

describe("creating", () => {
  test("a new run has its config, command, an empty log and a running status", () => {
    const run = newRun();
    expect(tree(run.path)).toEqual(ownFiles);
    expect(JSON.parse(readFileSync(join(run.path, "args.json"), "utf8"))).toEqual({ learning_rate: 3e-4, loop_mode: "open" });
    const view = openRun(run.path);
    expect([view.name, view.group, view.command]).toEqual([run.name, "open", ["bun", "train"]]);
    expect(view.status()).toMatchObject({ state: "running", pid: process.pid, step: null, exit: null });
    expect(view.metrics()).toEqual([]);
    expect(view.pointerPath("best")).toBe(null);
  });

  test("an existing directory, even an empty one, is refused", () => {
    const again = options();
    createRun(again);
    expect(codeOf(() => createRun(again))).toBe("exists");
    const empty = options();
    mkdirSync(join(directory, "open", empty.name));
    expect(codeOf(() => createRun(empty))).toBe("exists");
  });

  test("of several processes that race for one name, exactly one wins", async () => {
    const root = join(directory, "race");
    const program = `
import { createRun } from ${JSON.stringify(join(import.meta.dir, "../../lib/artifacts/index.ts"))};
while (Date.now() < Number(process.argv[1]));
try { createRun({ root: ${JSON.stringify(root)}, group: "g", name: "n", config: {}, command: [] }); console.log("won"); }
catch (error) { console.log(error.code); }`;
    const startMs = Date.now() + 700;
    const racers = [1, 2, 3].map(() => Bun.spawn([process.execPath, "-e", program, String(startMs)]));
    const outcomes = await Promise.all(racers.map(async ({ stdout }) => (await new Response(stdout).text()).trim()));
    expect(outcomes.sort()).toEqual(["exists", "exists", "won"]);
  });

  test("a file where a directory should be is named, and is not the error after which another name is tried", () => {
    const file = join(directory, "file");
    writeFileSync(file, "somebody's");
    for (const root of [file, join(file, "deeper"), directory]) {
      const create = () => createRun({ ...options(), root, group: "file" });
      expect(codeOf(create)).toBe("not-a-directory");
      expect(create).toThrow(`${file} is a file. Remove it or choose another directory.`);
    }
    expect(readFileSync(file, "utf8")).toBe("somebody's");
  });

  test.skipIf(!canDropRights)("directories that this user may not write to are named, and nothing is left", () => {
    const root = join(directory, "locked");
    for (const [group, locked] of [["group", root], ["there", join(root, "there")]]) {
      mkdirSync(join(root, "there"), { recursive: true });
      chmodSync(directory, 0o755);
      chmodSync(locked, 0o555);
      const program = `
import { createRun } from ${JSON.stringify(join(import.meta.dir, "../../lib/artifacts/index.ts"))};
try { createRun({ root: ${JSON.stringify(root)}, group: "${group}", name: "n", config: {}, command: [] }); }
catch (error) { console.log(error.code, error.message); }`;
      const result = Bun.spawnSync([...asNobody, process.execPath, "-e", program]);
      expect(result.stdout.toString().trim()).toBe(
        `no-permission cannot create the run directory ${join(root, group, "n")}: permission denied. ` +
          "Check the owner and mode of the directory.",
      );
      chmodSync(locked, 0o755);
      expect(readdirSync(root, { recursive: true })).toEqual(["there"]);
    }
  });

  test("names that would leave the directory, and configs that JSON cannot hold, are refused and leave nothing", () => {
    for (const name of ["", "..", "a/b", ".hidden", "a\\b", "a\nb"]) {
      expect(codeOf(() => createRun({ ...options(), name }))).toBe("invalid-argument");
    }
    const root = join(directory, "new-root");
    const config = { size: 1n as unknown as number };
    expect(codeOf(() => createRun({ ...options(), root, config }))).toBe("invalid-argument");
    expect(existsSync(root)).toBe(false);
  });
});

describe("a run directory that is removed while its process goes on", () => {
  test("stays removed: nothing is written any more, and the error says why", async () => {
    const run = newRun();
    await run.writeArtifact("plots/a", "figure", "1");
    rmSync(run.path, { recursive: true });
    expect(await codeOfAsync(run.writeArtifact("plots/a", "figure", "2"))).toBe("not-found");
    expect(await codeOfAsync(run.writeArtifact("b", "figure", "2"))).toBe("not-found");
    expect(() => run.makeFolder("plots")).toThrow(`the run directory ${run.path} is gone`);
    expect(codeOf(() => run.removeArtifact("plots/a"))).toBe("not-found");
    expect(await codeOfAsync(run.writeMetricsHistory())).toBe("not-found");
    expect(codeOf(() => run.finish("finished"))).toBe("not-found");
    expect(existsSync(run.path)).toBe(false);
  });

  test("is not made up from memory when only its files are removed, or another directory has its name", async () => {
    const run = newRun();
    await run.writeArtifact("a", "figure", "1");
    rmSync(run.path, { recursive: true });
    mkdirSync(run.path);
    expect(await codeOfAsync(run.writeArtifact("plots/b", "figure", "2"))).toBe("not-found");
    expect(codeOf(() => run.makeFolder("plots"))).toBe("not-found");
    expect(codeOf(() => run.finish("failed"))).toBe("not-found");
    expect(readdirSync(run.path)).toEqual([]);
  });

  test("folders of any depth are made while it is there, and again when they alone were removed", async () => {
    const run = newRun();
    run.makeFolder("a/b/c");
    rmSync(join(run.path, "a"), { recursive: true });
    await run.writeArtifact("a/b/d/e", "figure", "1");
    expect(tree(run.path)).toEqual(["a/b/d/e", ...ownFiles]);
  });
});

describe("artifacts", () => {
  test("each is listed with kind, step, size and SHA-256", async () => {
    const run = newRun();
    const entry = await run.writeArtifact("plots/loss.txt", "figure", "abc", { step: 7, meta: { title: "Loss" } });
    const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const expected = { name: "plots/loss.txt", kind: "figure", step: 7, sizeBytes: 3, sha256: abc, meta: { title: "Loss" } };
    expect(entry).toEqual(expected);
    const view = openRun(run.path);
    expect(view.artifacts.at(-1)).toEqual(expected);
    expect(readFileSync(view.artifactPath("plots/loss.txt"), "utf8")).toBe("abc");
    expect(codeOf(() => view.artifactPath("other"))).toBe("not-found");
  });

  test("writing a name again replaces it; writing many at once loses none", async () => {
    const run = newRun();
    await run.writeArtifact("a", "array", "old");
    await Promise.all(["a", "b", "c", "d"].map((name) => run.writeArtifact(name, "array", name.repeat(1000))));
    const view = openRun(run.path);
    expect(view.artifacts.map(({ name }) => name).sort()).toEqual(["a", "args.json", "b", "c", "d"]);
    expect(view.verifyArtifacts()).toEqual([]);
  });

  test("verifyArtifacts names what was changed, truncated or removed", async () => {
    const run = newRun();
    for (const name of ["good", "changed", "cut", "gone"]) await run.writeArtifact(name, "array", "1234");
    writeFileSync(join(run.path, "changed"), "1235");
    writeFileSync(join(run.path, "cut"), "12");
    renameSync(join(run.path, "gone"), join(run.path, "elsewhere"));
    const problems = openRun(run.path).verifyArtifacts();
    expect(problems.map(({ name, code }) => [name, code])).toEqual([
      ["changed", "bad-checksum"],
      ["cut", "bad-checksum"],
      ["gone", "not-found"],
    ]);
  });

  test("verifyArtifacts ends beside a writer that never rests, with what is wrong and stays so", async () => {
    const run = newRun();
    for (const name of ["damaged", "restless"]) await run.writeArtifact(name, "array", "1234");
    writeFileSync(join(run.path, "damaged"), "1235");
    // A manifest that is another one at each of the first hundred looks: a pipe, whose writer counts its readers.
    const path = join(run.path, "manifest.json");
    const manifest = readFileSync(path, "utf8");
    rmSync(path);
    expect(Bun.spawnSync(["mkfifo", path]).success).toBe(true);
    const program = `
const [path, text] = process.argv.slice(1);
const manifest = JSON.parse(text);
for (let looks = 0; ; looks++) {
  manifest.artifacts.find(({ name }) => name === "restless").sha256 = Math.min(looks, 100).toString(16).padStart(64, "0");
  require("node:fs").writeFileSync(path, JSON.stringify(manifest));
  console.log(looks);
  await Bun.sleep(10); // the reader sees the end of the one before the next is there
}`;
    const writer = Bun.spawn([process.execPath, "-e", program, path, manifest], { stdout: "pipe" });
    const problems = openRun(run.path).verifyArtifacts();
    writer.kill();
    const looks = (await writer.stdout.text()).trim().split("\n").length;
    expect(problems.map(({ name, code }) => [name, code])).toEqual([["damaged", "bad-checksum"]]);
    expect(looks).toBeLessThan(50);
  });

  test("names that would leave the run, hide, or overwrite its own files are refused", async () => {
    const run = newRun();
    for (const name of ["../a", "/a", "a//b", "a/./b", ".a", "a/.b", "", "a\0b", "a\\b", "status.json", "manifest.json"]) {
      expect(await codeOfAsync(run.writeArtifact(name, "array", ""))).toBe("invalid-argument");
    }
    expect(tree(run.path)).toEqual(ownFiles);
  });

  test("folders for others are made at once, and go with a discarded run when they are empty", () => {
    const run = newRun();
    for (const folder of ["plots", "models/deep", "plots"]) run.makeFolder(folder);
    const found = readdirSync(run.path, { recursive: true }).map(String).sort();
    expect(found).toEqual([...ownFiles, "models", "models/deep", "plots"].sort());
    for (const name of ["..", "a/../b", ".hidden", "status.json"]) {
      expect(codeOf(() => run.makeFolder(name))).toBe("invalid-argument");
    }
    run.finish("finished");
    const again = resumeRun(run.path);
    writeFileSync(join(run.path, "plots/theirs.png"), "1");
    expect(again.discard()).toEqual([]);
    expect(tree(run.path)).toEqual(["plots/theirs.png"]);
    expect(existsSync(join(run.path, "models"))).toBe(false);
  });

  test("removeArtifact takes the file, the entry and the pointers to it", async () => {
    const run = newRun();
    await run.writeArtifact("a", "array", "1", { pointers: ["best"] });
    run.removeArtifact("a");
    expect(tree(run.path)).toEqual(ownFiles);
    expect(openRun(run.path).pointers).toEqual({});
    expect(codeOf(() => run.removeArtifact("a"))).toBe("not-found");
  });
});

describe("best and last", () => {
  const checkpoints = (run: Run) => tree(run.path).filter((name) => name.endsWith(".ckpt"));

  test("move in the instant of the write and leave only the files they need", async () => {
    const run = newRun();
    await run.writeArtifact("1.ckpt", "checkpoint", "1", { pointers: ["best", "last"] });
    await run.writeArtifact("2.ckpt", "checkpoint", "2", { pointers: ["last"] });
    expect(checkpoints(run)).toEqual(["1.ckpt", "2.ckpt"]);
    await run.writeArtifact("3.ckpt", "checkpoint", "3", { pointers: ["last"] });
    expect(checkpoints(run)).toEqual(["1.ckpt", "3.ckpt"]);
    await run.writeArtifact("4.ckpt", "checkpoint", "4", { pointers: ["best", "last"] });
    expect(checkpoints(run)).toEqual(["4.ckpt"]);
    const view = openRun(run.path);
    expect(view.pointers).toEqual({ best: "4.ckpt", last: "4.ckpt" });
    expect(readFileSync(view.pointerPath("best") as string, "utf8")).toBe("4");
  });

  test("setPointer does the same afterwards, and refuses what is not there", async () => {
    const run = newRun();
    await run.writeArtifact("1.ckpt", "checkpoint", "1", { pointers: ["last"] });
    await run.writeArtifact("2.ckpt", "checkpoint", "2");
    run.setPointer("last", "2.ckpt");
    expect(checkpoints(run)).toEqual(["2.ckpt"]);
    run.setPointer("last", "2.ckpt");
    expect(checkpoints(run)).toEqual(["2.ckpt"]);
    expect(codeOf(() => run.setPointer("best", "1.ckpt"))).toBe("not-found");
  });
});

describe("finishing and resuming", () => {
  test("a finished run is closed; resumed, it goes on where it was", async () => {
    const run = newRun();
    await run.writeArtifact("a", "array", "1");
    run.appendMetrics({ epoch: 0 });
    run.finish("finished", { exitCode: 0 });
    run.finish("failed");
    expect(openRun(run.path).status()).toMatchObject({ state: "finished", exit: { exitCode: 0 } });
    expect(codeOf(() => run.appendMetrics({ epoch: 1 }))).toBe("closed");
    expect(await codeOfAsync(run.writeArtifact("b", "array", ""))).toBe("closed");
    const again = resumeRun(run.path);
    expect(openRun(run.path).status()).toMatchObject({ state: "running", exit: null });
    again.appendMetrics({ epoch: 1 });
    expect(again.readMetrics()).toEqual([{ epoch: 0 }, { epoch: 1 }]);
    expect(again.artifacts.map(({ name }) => name)).toEqual(["args.json", "a"]);
  });

  test("a directory that is not a run cannot be opened or resumed", () => {
    for (const open of [openRun, resumeRun]) {
      expect(codeOf(() => open(directory))).toBe("not-a-run");
      expect(codeOf(() => open(join(directory, "absent")))).toBe("not-a-run");
    }
  });

  test("a manifest of a later version, or of something else, is refused", () => {
    const run = newRun();
    const path = join(run.path, "manifest.json");
    const manifest = JSON.parse(readFileSync(path, "utf8"));
    for (const [text, code] of [
      [JSON.stringify({ ...manifest, version: 2 }), "unsupported-version"],
      [JSON.stringify({ ...manifest, format: "other" }), "bad-header"],
      ["{", "bad-header"],
      ["null", "bad-header"],
      [JSON.stringify({ ...manifest, artifacts: 1 }), "bad-header"],
      // Names that would make a resume or a discard remove other people's files.
      [JSON.stringify({ ...manifest, removing: ["../precious"] }), "bad-header"],
      [JSON.stringify({ ...manifest, folders: [".."] }), "bad-header"],
      [JSON.stringify({ ...manifest, artifacts: [{ ...manifest.artifacts[0], name: "/etc/passwd" }] }), "bad-header"],
      [JSON.stringify({ ...manifest, pending: { entry: { name: ".." }, pointers: [] } }), "bad-header"],
      [JSON.stringify({ ...manifest, pointers: { best: "a/../../b" } }), "bad-header"],
    ]) {
      writeFileSync(path, text);
      expect(codeOf(() => openRun(run.path))).toBe(code);
      expect(codeOf(() => resumeRun(run.path))).toBe(code);
    }
  });
});

describe("discarding", () => {
  test("removes exactly what the run wrote, and the directories made for it", async () => {
    const root = join(directory, "clean");
    const run = createRun({ ...options(), root });
    await run.writeArtifact("models/deep/a.bin", "checkpoint", "1");
    run.appendMetrics({ epoch: 0 });
    expect(run.discard()).toEqual([]);
    expect(existsSync(root)).toBe(false);
    expect(existsSync(directory)).toBe(true);
  });

  test("keeps files of others, files changed since, and their directories", async () => {
    const run = newRun();
    for (const name of ["mine.txt", "edited.txt", "plots/mine.png"]) await run.writeArtifact(name, "figure", "1");
    writeFileSync(join(run.path, "edited.txt"), "2");
    writeFileSync(join(run.path, "plots/theirs.png"), "1");
    writeFileSync(join(run.path, ".tmp-1-0-theirs.png"), "in progress: process 1 always lives");
    expect(run.discard()).toEqual(["edited.txt"]);
    expect(run.discard()).toEqual(["edited.txt"]);
    expect(tree(run.path)).toEqual([".tmp-1-0-theirs.png", "edited.txt", "plots/theirs.png"]);
  });

  test("leaves parents that were there before, empty or not", () => {
    const root = join(directory, "kept");
    mkdirSync(join(root, "open"), { recursive: true });
    createRun({ ...options(), root }).discard();
    expect(readdirSync(root)).toEqual(["open"]);
  });
});

describe("checkpoints", () => {
  test("tensors come back bit by bit, the state as it was", async () => {
    const run = newRun();
    const moments = new Float32Array([-0, NaN, Infinity, 1e-45]);
    const random = new BigUint64Array([2n ** 64n - 1n]);
    const state = { epoch: 3, best: Infinity, config: { lr: 0.1 }, names: ["a", null] };
    const tensors = { "adam/m": ndarray([2, 2], moments), random: { shape: [1], data: random } };
    const entry = await writeCheckpoint(run, "3.safetensors", { tensors, state }, { step: 3, pointers: ["last"] });
    expect(entry).toMatchObject({ name: "3.safetensors", kind: "checkpoint", step: 3 });
    const found = readCheckpoint(openRun(run.path).pointerPath("last") as string);
    expect(found.state).toEqual(state);
    const bits = (data: ArrayBufferView) => Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex");
    expect(bits(found.tensors["adam/m"].data)).toBe(bits(moments));
    expect(found.tensors.random).toEqual(ndarray([1], random));
  });

  test("a state that JSON cannot hold is refused before anything is written", async () => {
    const run = newRun();
    const state = { counter: 1n as unknown as number };
    expect(await codeOfAsync(writeCheckpoint(run, "a", { tensors: {}, state }))).toBe("invalid-argument");
    expect(tree(run.path)).toEqual(ownFiles);
  });

  test("another safetensors file, and a damaged one, are refused", async () => {
    const run = newRun();
    await run.writeArtifact("other.safetensors", "array", Buffer.from("\x02\0\0\0\0\0\0\0{}", "latin1"));
    expect(codeOf(() => readCheckpoint(join(run.path, "other.safetensors")))).toBe("not-this-format");
    writeFileSync(join(run.path, "cut.safetensors"), "\x02\0\0");
    expect(codeOf(() => readCheckpoint(join(run.path, "cut.safetensors")))).toBe("header-too-small");
  });

  test("a failing source leaves the earlier artifact and no temporary file", async () => {
    const run = newRun();
    await run.writeArtifact("a", "array", "old");
    function* cut() {
      yield Buffer.from("new");
      throw new TypeError("cut off");
    }
    await expect(run.writeArtifact("a", "array", cut())).rejects.toThrow("cut off");
    expect(await codeOfAsync(run.writeArtifact("a/b", "array", "x"))).toBe("exists");
    expect(tree(run.path)).toEqual(["a", ...ownFiles]);
    expect(openRun(run.path).verifyArtifacts()).toEqual([]);
  });
});

describe("a full disk", () => {
  test.skipIf(!canMount())("typed errors, nothing half written, and the run goes on when there is space again", () => {
    const disk = join(directory, "disk");
    mkdirSync(disk);
    const program = `
import { createRun, openRun } from ${JSON.stringify(join(import.meta.dir, "../../lib/artifacts/index.ts"))};
import { readdirSync, rmSync, writeFileSync } from "node:fs";
const disk = ${JSON.stringify(disk)};
const run = createRun({ root: disk, group: "g", name: "n", config: {}, command: [] });
await run.writeArtifact("a", "array", new Uint8Array(400_000), { pointers: ["last"] });
const outcomes = [];
const attempt = async (action) => outcomes.push(await action().then(() => "done", (error) => error.code));
await attempt(() => run.writeArtifact("b", "array", new Uint8Array(900_000), { pointers: ["last"] }));
writeFileSync(disk + "/ballast", new Uint8Array(4096));
try { for (;;) writeFileSync(disk + "/ballast", new Uint8Array(4096), { flag: "a" }); } catch {}
await attempt(() => run.writeArtifact("a", "array", new Uint8Array(1)));
await attempt(async () => createRun({ root: disk, group: "g", name: "m", config: {}, command: [] }));
outcomes.push(readdirSync(disk + "/g").join(), readdirSync(run.path).sort().join(), openRun(run.path).verifyArtifacts().length);
rmSync(disk + "/ballast");
await attempt(() => run.writeArtifact("a", "array", new Uint8Array(1)));
outcomes.push(openRun(run.path).verifyArtifacts().length);
try { for (;;) writeFileSync(disk + "/ballast", new Uint8Array(4096), { flag: "a" }); } catch {}
outcomes.push(run.discard().length, readdirSync(disk).join());
console.log(outcomes.join(" "));`;
    const shell = `mount -t tmpfs -o size=1m tmpfs "$1" && exec "$0" -e "$2"`;
    const command = ["unshare", "--mount", "--map-root-user", "bash", "-c", shell, process.execPath, disk, program];
    const result = Bun.spawnSync(command);
    expect(result.stderr.toString() + result.stdout.toString().trim()).toBe(
      `no-space no-space no-space n a,${ownFiles.join()} 0 done 0 0 ballast`,
    );
  });
});
