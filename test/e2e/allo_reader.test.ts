// Readers beside a whole training run: whatever they open, whenever they open it, is whole.
import { afterAll, expect, test } from "bun:test";
import { join } from "node:path";
import { readRunWhile, waitForRun } from "../artifacts/reader-loop.ts";
import { emptyWorkplace, startCommand } from "./harness.ts";

const TIMEOUT_MS = 60_000;
const place = emptyWorkplace();
afterAll(place.remove);

test("every artifact of a run in a tight loop, from before the first step until after the last: no torn file", async () => {
  const words = [
    "--env_type=GridMaze-19", "--preset=seed", "--hidden_dim=32", "--num_envs=10", "--num_gradient_steps=400", "--no-wandb",
    "--log_freq=5", "--plot_freq=10", "--save_freq=15",
  ];
  const child = startCommand("allo", words, place.path);
  const isWriting = () => child.exitCode === null;
  const path = await waitForRun(join(place.path, "runs", "GridMaze-19"), isWriting);
  let records = 0;
  const counts = await readRunWhile(path, isWriting, (name, value) => {
    if (name !== "metrics_history.json") return;
    const history = value as { gradient_step: number }[];
    expect(history.map(({ gradient_step }) => gradient_step)).toEqual(history.map((_, index) => Math.min(index * 5, 399)));
    expect(history.length).toBeGreaterThanOrEqual(records); // never goes back
    records = history.length;
  });
  expect(await child.exited).toBe(0);
  console.log(`reads beside the training: ${JSON.stringify(counts)}`);
  expect(records).toBe(81);
  for (const extension of [".npy", ".json", ".pkl", ".safetensors"]) expect(counts.byExtension[extension]).toBeGreaterThan(10);
}, TIMEOUT_MS);
