// A training loop to be killed: creates or resumes the run named on its command line and never stops by itself.
import { createRun, ndarray, openRun, readCheckpoint, resumeRun, type Run, writeCheckpoint } from "@cleanloop/artifacts";
import { existsSync } from "node:fs";
import { join } from "node:path";

const [root, name] = process.argv.slice(2);
const path = join(root, "victims", name);
let run: Run;
let step = 0;
if (existsSync(path)) {
  run = resumeRun(path);
  const last = openRun(path).pointerPath("last");
  if (last) step = (readCheckpoint(last).state.step as number) + 1;
  run.dropMetricsAfter("step", step - 1);
} else {
  run = createRun({ root, group: "victims", name, config: { learning_rate: 0.1 }, command: process.argv });
}
console.log("ready");
for (; ; step++) {
  run.appendMetrics({ step, square: step * step, note: "ü".repeat(step % 50) });
  run.heartbeat({ step });
  const data = new Float32Array(1 + ((step * 7919) % 20_000)).fill(step);
  // A best now and then, so that pointers part and meet again; one name that is replaced every time.
  const pointers = step % 3 === 0 ? (["best", "last"] as const) : (["last"] as const);
  const tensors = { data: ndarray([data.length], data) };
  await writeCheckpoint(run, `models/step_${step}.safetensors`, { tensors, state: { step } }, { step, pointers });
  await run.writeArtifact("latest.txt", "array", String(step).repeat(1000));
  if (step % 5 === 0) await run.writeMetricsHistory();
  if (step % 5 === 4 && run.artifacts.some((entry) => entry.name === "metrics_history.json")) {
    run.removeArtifact("metrics_history.json");
  }
}
