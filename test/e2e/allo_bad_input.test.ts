// What a user of allo can get wrong: each mistake ends with one clear line and the right exit code, before anything is written.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { emptyWorkplace, runCommand, tree } from "./harness.ts";

const SMALL = ["--env_type=open:4x5", "--num_eigenvectors=4", "--hidden_dim=8", "--num_steps=50", "--num_gradient_steps=20", "--no-wandb"];
const TIMEOUT_MS = 60_000;

const place = emptyWorkplace();
afterAll(place.remove);
const at = (name: string) => join(place.path, name);

/** Runs allo and returns exit code and first line; stdout must be empty and no stack shown. */
async function outcome(...words: string[]): Promise<string> {
  const names = words.map((word) => word.split("=")[0]);
  const { code, stdout, stderr } = await runCommand("allo", [...SMALL.filter((word) => !names.includes(word.split("=")[0])), ...words], place.path);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toContain("This is a bug");
  return `${code} ${stderr.split("\n").find((text) => text.startsWith("error: "))}`;
}

beforeAll(() => {
  writeFileSync(at("empty.txt"), "");
  writeFileSync(at("walls.txt"), "XXX\nXXX\n");
  writeFileSync(at("odd.txt"), "..?\n...\n");
  writeFileSync(at("binary.txt"), Uint8Array.of(0xff, 0xfe, 0x00));
  writeFileSync(at("a-file"), "not a directory");
  mkdirSync(join(place.path, "runs", "open-4x5", "taken"), { recursive: true });
});

describe("wrong usage, exit code 2", () => {
  test.each([
    [["--num_gradient_step=3"], "unknown flag --num_gradient_step; did you mean --num_gradient_steps?"],
    [["--num_gradient_steps=0"], '--num_gradient_steps: got "0", wanted a whole number of at least 1'],
    [["--learning_rate=0"], '--learning_rate: got "0", wanted a number above 0'],
    [["--geometric_gamma=1.5"], '--geometric_gamma: got "1.5", wanted a number from 0 to 1'],
    [["--preset=quick"], '--preset: got "quick", wanted one of fast, seed, paper'],
    [["--env_type=rom4"], "did you mean room4?"],
    [["--env_type=GridRoom-6"], '--env_type: got "GridRoom-6", wanted one of room4, GridRoom-4'],
    [["--env_type=open:0x5"], "--env_type open:0x5: openRoom: got 0 x 5"],
    [["--env_type=open:60x60"], "got 3600 states, wanted at most 2048"],
    [["--num_eigenvectors=21"], "--num_eigenvectors 21: checkAlloConfig: got 21 features for 20 states"],
    [["--use_doors", "--num_doors=63"], "--num_doors 63: drawDoors: got 63 doors, but only 62 moves can be undone; ask for at most 62"],
    [["--num_envs=1", "--num_steps=10"], "is less than one episode of --max_episode_length 50"],
    [["--num_envs=1", "--num_steps=1", "--max_episode_length=1"], "of 20 states have any weight in the law"],
    [["--exp_name=a/b"], "--exp_name a/b"],
    [["--run_name=a/b"], "--run_name a/b: wanted a name for one directory"],
    [["--run_name=.hidden"], "--run_name .hidden: wanted a name for one directory"],
    [["--use_doors", "--door_seed=5000000000"], '--door_seed: got "5000000000", wanted a whole number from 0 to 4294967295'],
    [["--use_doors", "--door_seed=4294967295", "--num_doors=63"], "--num_doors 63"],
    [["--env_file=empty.txt"], "--env_file needs --env_type file, got --env_type open:4x5; drop one of the two"],
    [["--env_type=file"], "--env_type file needs one of --env_file and --env_file_name, got none"],
    [["--env_type=file", "--env_file=empty.txt", "--env_file_name=room4"], "--env_type file needs one of --env_file and --env_file_name, got both"],
    [["--env_type=file", "--env_file=absent.txt"], "--env_file absent.txt: readLayout: absent.txt: there is no such file"],
    [["--env_type=file", "--env_file_name=absent"], "--env_file_name absent: readLayout: layouts/absent: there is no such file"],
    [["--env_type=file", "--env_file=runs"], "runs: cannot be read as text (it is not a file)"],
    [["--env_type=file", "--env_file=binary.txt"], "binary.txt: cannot be read as text"],
    [["--env_type=file", "--env_file=empty.txt"], "empty: got an empty layout"],
    [["--env_type=file", "--env_file=walls.txt"], "walls: got 2 x 3 walls, wanted at least one free cell"],
    [["--env_type=file", "--env_file=odd.txt"], 'odd: line 1, column 3: got "?"'],
    [["--wandb_only"], "--wandb_only with --no-wandb would keep nothing of the run"],
  ])("%j", async (words: string[], wanted: string) => {
    const got = await outcome(...words);
    expect(got).toContain(wanted);
    expect(got).toStartWith("2 error: ");
  }, TIMEOUT_MS);
});

describe("places that cannot be written, exit code 1", () => {
  test.each([
    [["--results_dir=a-file/runs"], /^1 error: cannot create the run directory .*a-file is a file/],
    [["--results_dir=/proc/cleanloop"], /^1 error: cannot create the run directory \/proc\/cleanloop/],
    [["--run_name=taken"], /^1 error: cannot create the run directory .*taken: it is already there/],
    [["--device=cuda"], /^1 error: --device cuda is not yet available/],
  ])("%j", async (words: string[], wanted: RegExp) => expect(await outcome(...words)).toMatch(wanted), TIMEOUT_MS);

  test("a disk that is full at the first checkpoint ends the run with one line, recorded in its status", async () => {
    // A limit on the size of files stands for a full disk: the same failed write, and no mount is needed.
    const words = [join(import.meta.dir, "..", "..", "scripts", "allo.ts"), ...SMALL, "--hidden_dim=256", "--run_name=full"].filter((word) => word !== "--hidden_dim=8");
    const child = Bun.spawn(["bash", "-c", `ulimit -f 1000; exec "${process.execPath}" "$@"`, "bash", ...words], { cwd: place.path, stdout: "pipe", stderr: "pipe" });
    const [stderr, code] = await Promise.all([child.stderr.text(), child.exited]);
    expect(stderr).toMatch(/^error: cannot write .*checkpoints.*largest file size/m);
    expect(code).toBe(1);
    const { state, exit } = JSON.parse(await Bun.file(at("runs/open-4x5/full/status.json")).text());
    expect({ state, exitCode: exit.exitCode }).toEqual({ state: "failed", exitCode: 1 });
    expect(tree(at("runs")).filter((path) => path.includes(".tmp-"))).toEqual([]);
  }, TIMEOUT_MS);
});

test("nothing was written by what was refused", () => {
  expect(tree(at("runs")).filter((path) => !path.startsWith("open-4x5/full/"))).toEqual([]);
});

test("an original command line with flags that were dead there runs, with one warning each", async () => {
  const { code, stderr } = await runCommand("allo", [...SMALL, "--gamma=0.99", "--max-time-offset=5", "--run_name=dead"], place.path);
  expect(code).toBe(0);
  expect(stderr.match(/^warning: .*$/gm)).toEqual([
    "warning: --gamma does nothing, as in the original, which never read it; --geometric_gamma is the discount of the offsets",
    expect.stringContaining("warning: --max_time_offset does nothing"),
  ]);
}, TIMEOUT_MS);

test("marks that the walk does not know are named", async () => {
  const { code, stderr } = await runCommand("allo", [...SMALL.slice(1), "--env_type=spiral", "--run_name=marked"], place.path);
  expect(code).toBe(0);
  expect(stderr).toContain("spiral: the start and goal marks are ignored");
}, TIMEOUT_MS);
