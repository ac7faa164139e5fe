// What a user can get wrong: each mistake ends with one clear line and the right exit code, before anything was trained.
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ndarray, writeNpy, writeSafetensors } from "@cleanloop/artifacts";
import { emptyWorkplace, runCommand, tree } from "./harness.ts";

const TRAINER = "train_cyclic_loop_comparison";
const SMALL = ["--loop_mode=open", "--n_train_samples=8", "--n_val_samples=4", "--batch_size=4", "--n_epochs=1", "--pretrain_steps=1", "--wandb_offline"];
const TIMEOUT_MS = 60_000;

const place = emptyWorkplace();
afterAll(place.remove);
const at = (name: string) => join(place.path, name);

/** Runs the trainer and returns exit code and first line; stdout must be empty and no stack shown. */
async function outcome(...words: string[]): Promise<string> {
  const { code, stdout, stderr } = await runCommand(TRAINER, words, place.path);
  expect(stdout).toBe("");
  expect(stderr).not.toMatch(/^\s+at /m);
  expect(stderr).not.toContain("This is a bug");
  const line = stderr.split("\n").find((text) => text.startsWith("error: "));
  return `${code} ${line}`;
}

/** A metric of K = 2 in 16 dimensions, with one diagonal entry of choice. */
function metricTensors(dimension: number, entry: number) {
  const matrices = new Float32Array(2 * dimension).fill(1);
  matrices[dimension] = entry;
  return {
    centroids: ndarray([2, dimension], Float32Array.from({ length: 2 * dimension }, (_, i) => i / 10)),
    M_matrices: ndarray([2, dimension], matrices),
    temperature: ndarray([1], Float32Array.of(1)),
  };
}

/** Two full matrices: the identity, and one whose eigenvalues along the first two axes are 1 + 2 and 1 - 2. */
function fullMatrices(dimension: number) {
  const values = new Float32Array(2 * dimension * dimension);
  for (let k = 0; k < 2; k++) for (let i = 0; i < dimension; i++) values[(k * dimension + i) * dimension + i] = 1;
  values[dimension * dimension + 1] = 2;
  values[dimension * dimension + dimension] = 2;
  return ndarray([2, dimension, dimension], values);
}

beforeAll(async () => {
  writeFileSync(at("a-file"), "not a directory");
  await writeNpy(at("flat.npy"), ndarray([4, 8], new Uint8Array(32)));
  await writeNpy(at("cut.npy"), ndarray([2, 8, 3, 64, 64], new Uint8Array(2 * 98304)));
  truncateSync(at("cut.npy"), 5000);
  await writeNpy(at("noise.npy"), ndarray([1, 8, 3, 64, 64], new Float32Array(98304).fill(0.1234567)));
  await writeSafetensors(at("indefinite.safetensors"), metricTensors(16, -0.5));
  await writeSafetensors(at("full.safetensors"), { ...metricTensors(16, 1), M_matrices: fullMatrices(16) });
  await writeSafetensors(at("small.safetensors"), metricTensors(4, 1));
  await writeSafetensors(at("cut.safetensors"), metricTensors(16, 1));
  truncateSync(at("cut.safetensors"), 200);
  await writeSafetensors(at("half.safetensors"), { centroids: metricTensors(16, 1).centroids });
  writeFileSync(at("text.pt"), "this is not a torch file");
  mkdirSync(join(place.path, "runs", "rlvae", "taken"), { recursive: true });
});

describe("wrong usage, exit code 2", () => {
  test.each([
    [["--n_epoch", "3"], "unknown flag --n_epoch; did you mean --n_epochs?"],
    [["--loop-mod", "open"], "unknown flag --loop-mod; did you mean --loop_mode?"],
    [["--loop_mode", "close"], '--loop_mode: got "close", wanted one of open, closed; did you mean closed?'],
    [["--loop_mode=open", "--n_epochs", "0"], '--n_epochs: got "0", wanted a whole number of at least 1'],
    [["--loop_mode=open", "--n_epochs", "-5"], '--n_epochs: got "-5", wanted a whole number of at least 1'],
    [["--loop_mode=open", "--learning_rate", "-1"], '--learning_rate: got "-1", wanted a number above 0'],
    [["--n_epochs", "3"], "--loop_mode is required (one of open, closed), unless --resume"],
    [["--loop_mode=open", "--wandb_only", "--no-wandb"], "--wandb_only with --no-wandb would keep nothing of the run; drop one of the two"],
    [[...SMALL.slice(0, 3), "--batch_size=9", "--wandb_offline"], "--batch_size 9 is more than the 8 training sequences; lower it"],
  ])("%j", async (words: string[], wanted: string) => {
    const got = await outcome(...words);
    expect(got).toContain(wanted);
    expect(got).toStartWith("2 error: ");
  });
});

describe("bad data and metric files, exit code 1 or 2", () => {
  test.each([
    [["--data=nowhere"], "nowhere: no such file or directory"],
    [["--data=a-file"], "a-file: got a file that is neither .npy nor .pt"],
    [["--data=flat.npy"], "[4, 8]"],
    [["--data=cut.npy"], "cut.npy"],
    [["--data=noise.npy"], "noise.npy"],
    [["--n_train_samples=5000"], "asked for 5000 training sequences, the set has 3000; use --n_train_samples 3000 or less"],
    [["--n_val_samples=700"], "asked for 700 validation sequences, the set has 600; use --n_val_samples 600 or less"],
    [["--metric=nowhere.pt"], "nowhere.pt"],
    [["--metric=text.pt"], "text.pt: is not a torch file"],
    [["--metric=metric.h5"], "wanted .safetensors (ours) or .pt"],
    [["--metric=cut.safetensors"], "cut.safetensors"],
    [["--metric=half.safetensors"], "M_matrices"],
    [["--metric=small.safetensors"], "got a metric of 4 dimensions, wanted 16"],
    [["--metric=indefinite.safetensors"], "the smallest eigenvalue of M_1 is -5.000e-1"],
    [["--metric=full.safetensors"], "the smallest eigenvalue of M_1 is -1.000e+0"],
    [["--pretrained=runs"], "is not a pre-training bundle"],
    [["--device=cuda"], "--device cuda is not yet available"],
    [["--posterior=gaussian", "--kl=exact"], "got kl exact with posterior gaussian, wanted kl gaussian"],
  ])("%j", async (words: string[], wanted: string) => {
    const names = words.map((word) => word.split("=")[0]);
    const rest = SMALL.filter((word) => !names.includes(word.split("=")[0]));
    const got = await outcome(...rest, ...words);
    expect(got).toMatch(/^[12] error: /);
    expect(got).toContain(wanted);
  }, TIMEOUT_MS);
});

describe("places that cannot be written, exit code 1", () => {
  test("below a regular file", async () => {
    expect(await outcome(...SMALL, "--output_dir=a-file/runs")).toStartWith("1 error: cannot create the run directory");
  });

  test("in a file system that takes no files", async () => {
    expect(await outcome(...SMALL, "--output_dir=/proc/cleanloop")).toStartWith("1 error: cannot create the run directory");
  });

  test("a run directory that is there already", async () => {
    expect(await outcome(...SMALL, "--run_name=taken")).toMatch(/^1 error: cannot create the run directory .*taken: it is already there/);
    expect(tree(at("runs/rlvae/taken"))).toEqual([]);
  });

  test("a disk that is full before the pre-training is saved", async () => {
    // A limit on the size of files stands for a full disk: the same failed write, and no mount is needed.
    const script = `ulimit -f 20000; exec "${process.execPath}" "$@"`;
    const words = [join(import.meta.dir, "..", "..", "scripts", `${TRAINER}.ts`), ...SMALL, "--run_name=full"];
    const child = Bun.spawn(["bash", "-c", script, "bash", ...words], { cwd: place.path, stdout: "pipe", stderr: "pipe" });
    const [stderr, code] = await Promise.all([child.stderr.text(), child.exited]);
    expect(stderr).toMatch(/error: cannot write .*: it passes the largest file size allowed/);
    expect(code).toBe(1);
    const { state, exit } = JSON.parse(await Bun.file(at("runs/rlvae/full/status.json")).text());
    expect({ state, exitCode: exit.exitCode }).toEqual({ state: "failed", exitCode: 1 });
    expect(tree(join(place.path, "runs")).filter((path) => path.includes(".tmp-") || path.startsWith("cache/"))).toEqual([]);
  }, TIMEOUT_MS);
});
