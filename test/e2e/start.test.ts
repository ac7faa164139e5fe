// The first contact, as a newcomer runs it but with less training: a table, exit code 0, and a clean tree.
import { afterAll, expect, test } from "bun:test";
import { emptyWorkplace, runCommand, tree } from "./harness.ts";

const TIMEOUT_MS = 120_000;
const place = emptyWorkplace();
afterAll(place.remove);

test("start trains, prints a table and leaves a log and the pre-training", async () => {
  const words = ["--n_epochs=2", "--n_train_samples=16", "--n_val_samples=4", "--pretrain_steps=5"];
  const { code, stdout } = await runCommand("start", words, place.path);
  expect(code).toBe(0);
  const lines = stdout.split("\n");
  const header = lines.findIndex((line) => line.includes("held-out total"));
  expect(lines[header]).toMatch(/epoch.*train total.*held-out total.*reconstruction.*loop gap.*steps\/s/);
  expect(lines.filter((line) => /^\W*[12]\W+\d/.test(line))).toHaveLength(2);
  expect(stdout).toContain("The workspace is clean: the run left runs/wandb/offline-run-");
  expect(tree(place.path)).toEqual([
    ...["metric_posterior.safetensors", "metric_trace.safetensors", "pretrained.json", "vae.safetensors"].map((name) => `runs/cache/pretrain-FINGERPRINT/${name}`),
    "runs/wandb/offline-run-TIME-ID/files/media/images/analysis/reconstruction_overview_0_HASH.png",
    "runs/wandb/offline-run-TIME-ID/files/media/images/analysis/reconstruction_overview_1_HASH.png",
    "runs/wandb/offline-run-TIME-ID/files/wandb-metadata.json",
    "runs/wandb/offline-run-TIME-ID/run-ID.wandb",
  ]);
}, TIMEOUT_MS);
