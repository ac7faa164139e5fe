// One measurement of the RlVAE step:  bun test/bench/workloads/rlvae.ts <threads> <seconds>
// Drawn sprites and a made-up metric; the next batch is prepared while the step runs.
import { createTrainingSession } from "@cleanloop/compute";
import { fillBatch, loadSprites, Random } from "@cleanloop/data";
import { initialParameters, resolveObjective, rlvaeConfig, rlvaeLoss } from "@cleanloop/models";

const threads = Number(process.argv[2] ?? 1);
const seconds = Number(process.argv[3] ?? 8);
const batch = 8;

const random = new Random(0);
const config = rlvaeConfig();
const { frameCount, frameSize, latentSize } = config;
const centroidCount = 50;
const metric = {
  kind: "diagonal" as const, count: centroidCount, dimension: latentSize, temperature: 3, lambda: 0.01,
  centroids: random.normals(new Float32Array(centroidCount * latentSize)).map((value) => 0.9 * value),
  matrices: Float32Array.from({ length: centroidCount * latentSize }, () => 0.5 + random.uniform()),
};
const objective = resolveObjective("faithful");
const session = await createTrainingSession({
  loss: (params, inputs) => rlvaeLoss(params, { x: inputs.x, noise: inputs.noise }, { config, objective, metric }),
  params: initialParameters(config, random),
  inputs: { x: { shape: [batch, frameCount, frameSize] }, noise: { shape: [batch, latentSize] } },
  optimizer: { weightDecay: 1e-5, clipNorm: 1 },
  threads,
});

const data = loadSprites("synthetic", { trainCount: 256, validationCount: 1, seed: 0 }).train;
function stage(): void {
  fillBatch(data, Int32Array.from({ length: batch }, () => random.int(data.count)), session.inputs.x as Float32Array);
  random.normals(session.inputs.noise as Float32Array);
}

const warmUpSteps = 5;
const rates: number[] = [];
stage();
const started = performance.now();
let cpuStart = process.cpuUsage();
let measuredFrom = started;
for (let step = 0; performance.now() - started < seconds * 1000 || rates.length < 10; step++) {
  if (step === warmUpSteps) {
    cpuStart = process.cpuUsage();
    measuredFrom = performance.now();
  }
  const before = performance.now();
  const running = session.step({ learningRate: 3e-4 });
  stage();
  await running;
  if (step >= warmUpSteps) rates.push(1000 / (performance.now() - before));
}
const cpu = process.cpuUsage(cpuStart);
const cpuShare = (cpu.user + cpu.system) / 1e3 / (performance.now() - measuredFrom);
rates.sort((a, b) => a - b);
const { nodes, traceMs, compileMs } = session.stats;
console.log(
  `RLVAE cleanloop batch=${batch} threads=${threads} steps/s=${rates[rates.length >> 1].toFixed(2)} ` +
  `(median of ${rates.length}, max ${rates.at(-1)!.toFixed(2)}; ${cpuShare.toFixed(2)} cores busy; ` +
  `${nodes} operators, traced in ${traceMs.toFixed(0)} ms, compiled in ${compileMs.toFixed(0)} ms; ` +
  `peak RSS ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB)`,
);
await session.close();
