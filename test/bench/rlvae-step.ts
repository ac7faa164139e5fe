// The RlVAE training step (batch 8, forward, backward, clipping, Adam) against the same step in PyTorch.
import { fileURLToPath } from "node:url";
import type { BenchOptions } from "./index.ts";
import { findTorchPeer, median, spread, stepsPerSecond } from "./peer.ts";

export async function benchRlvaeStep({ rounds, seconds }: BenchOptions): Promise<void> {
  const peer = await findTorchPeer("rlvae_torch.py");
  if (typeof peer === "string") console.log(peer);
  const workload = fileURLToPath(new URL("./workloads/rlvae.ts", import.meta.url));
  console.log("rlvae-step: steps per second, batch 8, median (range) of the rounds");
  for (const threads of [1, 2]) {
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let round = 0; round < rounds; round++) {
      ours.push(await stepsPerSecond([process.execPath, workload, String(threads), String(seconds)], threads));
      if (typeof peer === "string") continue;
      const adam = Number.parseInt(peer.version, 10) >= 2 ? "fused" : "foreach";
      const command = [peer.python, peer.program, "--bench", String(seconds), "--threads", String(threads), "--adam", adam];
      theirs.push(await stepsPerSecond(command, threads));
    }
    const ratio = typeof peer === "string" ? "" : `   PyTorch ${peer.version} ${spread(theirs)}   ratio ${(median(ours) / median(theirs)).toFixed(2)}`;
    console.log(`${threads} thread(s)   cleanloop ${spread(ours)}${ratio}`);
  }
}
