// What of a run must not depend on interruptions: the last checkpoint and the exported arrays bit for bit, and the metrics
// without their timings.
import { openRun, readCheckpoint } from "@cleanloop/artifacts";

/** Differences between two runs of the same settings, in words; empty when they ended with the same bits. */
export function differences(got: string, wanted: string): string[] {
  const [a, b] = [essence(got), essence(wanted)];
  const found: string[] = [];
  if (JSON.stringify(a.metrics) !== JSON.stringify(b.metrics)) found.push("the metrics differ");
  if (JSON.stringify(a.position) !== JSON.stringify(b.position)) found.push("the position differs");
  if (Object.keys(a.tensors).join() !== Object.keys(b.tensors).join()) found.push("the checkpoints hold other tensors");
  if (JSON.stringify(a.arrays) !== JSON.stringify(b.arrays)) found.push("the exported arrays differ");
  for (const [name, { data }] of Object.entries(b.tensors)) {
    if (a.tensors[name] && !bytesOf(a.tensors[name].data).equals(bytesOf(data))) found.push(`${name} differs`);
  }
  return found;
}

function essence(directory: string) {
  const run = openRun(directory);
  const { tensors, state } = readCheckpoint(run.pointerPath("last") as string);
  const metrics = run.metrics().map((row) => Object.entries(row).filter(([key]) => !/^(performance\/|system\/|sps$)/.test(key)));
  const { config: _config, ...position } = state;
  const arrays = run.artifacts.flatMap(({ name, sha256 }) => (name.endsWith(".npy") ? [[name, sha256]] : [])).sort();
  return { tensors, position, metrics, arrays };
}

function bytesOf({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
