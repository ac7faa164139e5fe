// Metric files and pre-training bundles: exact round trips, and one clear refusal per kind of damage.
import { afterAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { ndarray, writeSafetensors } from "@cleanloop/artifacts";
import type { Metric } from "@cleanloop/geometry";
import { loadMetric } from "../../scripts/rlvae/metric_file.ts";
import { findPython, runPython } from "../artifacts/support.ts";
import { readBundle, removeBundle, sweepDeadBundles, writeBundle, writeMetricFile } from "../../scripts/rlvae/pretrained_bundle.ts";

const place = mkdtempSync(join(tmpdir(), "cleanloop-metric-"));
afterAll(() => rmSync(place, { recursive: true }));

const metric: Metric = {
  kind: "diagonal", count: 2, dimension: 3, temperature: 1.7, lambda: 0.01,
  centroids: Float64Array.of(0.1, -0.2, 0.3, 1, 1.1, 1.2), matrices: Float64Array.of(0.5, 1, 1.5, 2, 0.25, 0.125),
};

describe("a metric file", () => {
  test("of ours is read back exactly", async () => {
    const path = join(place, "ours.safetensors");
    await writeMetricFile(path, metric);
    expect(loadMetric(path, 3, {})).toEqual(metric);
    expect(loadMetric(path, 3, { temperature: 3 }).temperature).toBe(3);
  });

  const python = findPython("torch");
  test.skipIf(!python)("of the original program (a torch dict of tensors and numbers) is read", () => {
    const path = join(place, "original.pt");
    const script =
      "import sys, torch\n" +
      "torch.save({'metric_centroids': torch.tensor([[0.5, -1.0], [2.0, 0.25]]), 'metric_vars': torch.diag_embed(torch.tensor([[1.0, 2.0], [4.0, 0.5]])), 'metric_temperature': 0.7, 'note': 'x'}, sys.argv[1])";
    runPython(python, script, path);
    expect(loadMetric(path, 2, {})).toEqual({
      kind: "diagonal", count: 2, dimension: 2, temperature: 0.7, lambda: 0.01,
      centroids: Float64Array.of(0.5, -1, 2, 0.25), matrices: Float64Array.of(1, 2, 4, 0.5),
    });
  });

  test("of another dimension, kind or content is refused", async () => {
    const path = join(place, "refused.safetensors");
    await writeMetricFile(path, metric);
    expect(() => loadMetric(path, 16, {})).toThrow("got a metric of 3 dimensions, wanted 16");
    expect(() => loadMetric(join(place, "x.npz"), 3, {})).toThrow("wanted .safetensors (ours) or .pt");
    expect(() => loadMetric(join(place, "absent.safetensors"), 3, {})).toThrow("does not exist");
    expect(() => loadMetric(join(place, "absent.pt"), 3, {})).toThrow("does not exist");
    truncateSync(path, 300);
    expect(() => loadMetric(path, 3, {})).toThrow();
  });

  test("whose matrix is not positive definite is refused with its number", async () => {
    const path = join(place, "indefinite.safetensors");
    const indefinite = { ...metric, matrices: Float64Array.of(1, 1, 1, 1, -0.5, 1) };
    await writeMetricFile(path, indefinite);
    expect(() => loadMetric(path, 3, {})).toThrow(/smallest eigenvalue of M_1 is -5\.000e-1/);
  });

  test("without matrices says which names it looked for", async () => {
    const path = join(place, "half.safetensors");
    await writeSafetensors(path, { centroids: ndarray([2, 3], Float32Array.of(1, 2, 3, 4, 5, 6)) });
    expect(() => loadMetric(path, 3, {})).toThrow("M_matrices");
  });
});

describe("a pre-training bundle", () => {
  const pretrained = {
    parameters: { "encoder.mean.bias": { shape: [3], data: Float32Array.of(0.1, 0.2, 0.3) } },
    metrics: { posterior: metric, trace: { ...metric, temperature: 2.5 } },
    report: { steps: 7 },
  };
  const fresh = async (name: string) => {
    const directory = join(place, name);
    await writeBundle(directory, pretrained);
    return directory;
  };

  test("is read back exactly and leaves nothing beside itself", async () => {
    const directory = await fresh("bundle");
    const { parameters, metrics, report } = readBundle(directory);
    expect({ parameters, metrics }).toEqual({ parameters: pretrained.parameters, metrics: pretrained.metrics });
    expect(report.steps).toBe(7);
    expect(readdirSync(place).filter((name) => name.startsWith(".tmp-"))).toEqual([]);
  });

  test("of a faster process is kept", async () => {
    const directory = await fresh("raced");
    await writeBundle(directory, { ...pretrained, report: { steps: 8 } });
    expect(readBundle(directory).report.steps).toBe(7);
  });

  test("with one changed byte, a missing file or a torn report is refused", async () => {
    const changed = await fresh("changed");
    const path = join(changed, "vae.safetensors");
    const bytes = readFileSync(path);
    bytes[bytes.length - 1] ^= 1;
    writeFileSync(path, bytes);
    expect(() => readBundle(changed)).toThrow("was changed or cut");

    const missing = await fresh("missing");
    rmSync(join(missing, "metric_trace.safetensors"));
    expect(() => readBundle(missing)).toThrow("metric_trace.safetensors is missing");

    const torn = await fresh("torn");
    truncateSync(join(torn, "pretrained.json"), 20);
    expect(() => readBundle(torn)).toThrow("is not JSON");
    expect(() => readBundle(place)).toThrow("is not a pre-training bundle");
  });

  test("is removed alone: with a file of somebody else in it nothing is", async () => {
    const directory = await fresh("removed");
    writeFileSync(join(directory, "notes.txt"), "mine");
    expect(() => removeBundle(directory)).toThrow("also holds notes.txt");
    expect(readdirSync(directory)).toHaveLength(5);
    rmSync(join(directory, "notes.txt"));
    removeBundle(directory);
    expect(existsSync(directory)).toBe(false);
  });

  test("that a killed process left half made is swept, that of a living one or of another host is not", async () => {
    const dead = Bun.spawn(["true"]);
    await dead.exited;
    const cache = join(place, "cache");
    const names = [`${hostname()}-${dead.pid}`, `${hostname()}-${process.pid}`, `elsewhere-${dead.pid}`].map((owner) => `.tmp-${owner}-0a1b2c3d`);
    for (const name of names) {
      mkdirSync(join(cache, name), { recursive: true });
      writeFileSync(join(cache, name, "vae.safetensors"), "half");
      writeFileSync(join(cache, name, ".tmp-1-0-pretrained.json"), "{");
    }
    sweepDeadBundles(cache);
    expect(readdirSync(cache).sort()).toEqual(names.slice(1).sort());
  });
});
