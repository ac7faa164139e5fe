// Writes and replaces the files of an ALLO run as fast as it can, for the readers of reader.test.ts.
import { createRun } from "@cleanloop/artifacts";
import { AlloArtifacts } from "../../scripts/allo/artifacts.ts";

const [root, steps] = process.argv.slice(2);
const [stateCount, featureCount] = [271, 10];
const full = (length: number, value: number) => new Float32Array(length).fill(value);

const run = createRun({ root, group: "room4", name: "room4__allo__0__42__1", config: { seed: 42 }, command: process.argv });
const artifacts = new AlloArtifacts(run, { stateCount, featureCount });

/** Every file says in each of its values when it was written. */
const writeSetting = (step: number) => {
  const spectrum = { eigenvalues: full(featureCount, step), eigenvectors: full(stateCount * featureCount, step) };
  return artifacts.writeSetting({
    world: {
      layout: { width: step, height: step },
      canonicalStates: new Int32Array(stateCount).fill(step),
      doors: Array.from({ length: 5 }, (_, action) => ({ from: 1, action, to: 2, reverseAction: 3 })),
      reversibleMoveCount: step,
    },
    geometricGamma: step,
    groundTruth: spectrum,
    dataset: spectrum,
    coordinates: full(stateCount * 2, step),
    samplingDistribution: full(stateCount, step),
  });
};

await writeSetting(0);
for (let step = 1; step <= Number(steps); step++) {
  for (let row = 0; row < 3; row++) run.appendMetrics({ gradient_step: step, allo: step, note: "x".repeat((step * 37) % 200) });
  const features = full(stateCount * featureCount, step);
  await artifacts.writeFeatures(step % 10, features);
  await artifacts.writeFinalFeatures(step, features);
  if (step % 10 === 0) await writeSetting(step);
  if (step % 25 === 0) await artifacts.rewind(3);
}
run.finish("finished", { exitCode: 0 });
