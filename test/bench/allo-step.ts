// The ALLO training step on room4, batches included, against the same step in PyTorch and, where there is one, in JAX.
import { fileURLToPath } from "node:url";
import type { BenchOptions } from "./index.ts";
import { findPython, findTorchPeer, median, numberIn, outputOf, spread, type TorchPeer } from "./peer.ts";

const fileBeside = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

interface Configuration {
  preset: "seed" | "paper";
  evaluation: "distinct" | "rows";
  threads: number;
}

/** One line per configuration: steps per second, the share that bare matrix products take, and ratios of medians. */
export async function benchAlloStep({ rounds, seconds }: BenchOptions): Promise<void> {
  const torch = await findTorchPeer("allo_torch.py");
  const jax = await findPython("jax");
  for (const peer of [torch, jax]) if (typeof peer === "string") console.log(peer);
  console.log("allo-step: steps per second on room4, median (range) of the rounds; JAX: best of 1 and 20 steps per call");
  for (const preset of ["seed", "paper"] as const) {
    for (const evaluation of ["rows", "distinct"] as const) {
      for (const threads of [1, 2]) {
        const configuration = { preset, evaluation, threads };
        const ours: number[] = [];
        const shares: number[] = [];
        const torchRates: number[] = [];
        const jaxRates: number[] = [];
        const torchSteps = typeof torch === "string" ? 0 : await stepsFor(torch, configuration, seconds);
        for (let round = 0; round < rounds; round++) {
          const own = await ownRate(configuration, seconds);
          ours.push(own.rate);
          shares.push(own.share);
          if (typeof torch !== "string") torchRates.push(await torchRate(torch, configuration, torchSteps));
          if (typeof jax !== "string") jaxRates.push(await jaxRate(jax.python, configuration, seconds));
        }
        const against = (name: string, rates: number[]) =>
          rates.length === 0 ? "" : `   ${name} ${spread(rates)} ratio ${(median(ours) / median(rates)).toFixed(2)}`;
        const versionOf = (peer: { version: string } | string) => (typeof peer === "string" ? "" : peer.version);
        const share = Math.round(100 * median(shares));
        console.log(
          `${preset} ${evaluation} ${threads} thread(s)   cleanloop ${spread(ours)} (matrix products ${share} %)` +
          against(`PyTorch ${versionOf(torch)}`, torchRates) + against(`JAX ${versionOf(jax)}`, jaxRates),
        );
      }
    }
  }
}

async function ownRate({ preset, evaluation, threads }: Configuration, seconds: number) {
  const workload = fileBeside("./workloads/allo.ts");
  const command = [process.execPath, workload, preset, evaluation, String(threads), String(seconds)];
  const output = await outputOf(command, threads);
  const share = /products\/step=([\d.]+)/.exec(output)?.[1] ?? "NaN";
  return { rate: numberIn(output, /steps\/s=([\d.]+)/, command), share: Number(share) };
}

/** The peer is told a number of steps; a few of them tell how many fill the time. */
async function stepsFor(torch: TorchPeer, configuration: Configuration, seconds: number): Promise<number> {
  const trialSteps = 20;
  return Math.max(trialSteps, Math.round(seconds * (await torchRate(torch, configuration, trialSteps))));
}

async function torchRate({ python, program }: TorchPeer, configuration: Configuration, steps: number): Promise<number> {
  const { preset, evaluation, threads } = configuration;
  const command = [python, program, "--preset", preset, "--threads", String(threads)];
  command.push("--steps", String(steps), "--log", String(steps));
  if (evaluation === "distinct") command.push("--dedup");
  return numberIn(await outputOf(command, threads), /([\d.]+)\/s /, command);
}

async function jaxRate(python: string, configuration: Configuration, seconds: number): Promise<number> {
  const { preset, evaluation, threads } = configuration;
  const command = [python, fileBeside("./peers/allo_jax.py"), "--preset", preset, "--mode", evaluation];
  command.push("--threads", String(threads), "--seconds", String(seconds / 2));
  const output = await outputOf(command, threads);
  const patterns = [/single steps\/s=([\d.]+)/, /scanned steps\/s=([\d.]+)/];
  return Math.max(...patterns.map((pattern) => numberIn(output, pattern, command)));
}
