// A pre-training bundle on disk: encoder, decoder and both metrics as safetensors, and one JSON file that vouches for them.
import { createHash, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import type { JsonObject } from "@cleanloop/artifacts";
import { expectArray, ndarray, readSafetensors, systemError, writeAtomic, writeSafetensors } from "@cleanloop/artifacts";
import type { HostTensor } from "@cleanloop/compute";
import type { Metric } from "@cleanloop/geometry";
import { metricFromTensors, metricToTensors } from "@cleanloop/geometry";

export const METRIC_SCALINGS = ["posterior", "trace"] as const;
export type MetricScaling = (typeof METRIC_SCALINGS)[number];

export interface Pretrained {
  /** Encoder and decoder by parameter name. */
  parameters: Record<string, HostTensor>;
  metrics: Record<MetricScaling, Metric>;
  /** Settings, losses and statistics, for people. */
  report: JsonObject;
}

/** A bundle that is missing, damaged or not one. */
export class BundleError extends Error {
  override readonly name = "BundleError";
  constructor(
    readonly code: "bundle-missing" | "bundle-damaged",
    message: string,
  ) {
    super(message);
  }
}

const REPORT_FILE = "pretrained.json";
const PARAMETERS_FILE = "vae.safetensors";
const metricFile = (scaling: MetricScaling) => `metric_${scaling}.safetensors`;
const TENSOR_FILES = [PARAMETERS_FILE, ...METRIC_SCALINGS.map(metricFile)];
/** A bundle under construction: host and process in the name tell others whether anybody still works on it. */
const TEMPORARY_NAME = /^\.tmp-(.+)-(\d+)-[0-9a-f]{8}$/;

/**
 * Writes a bundle as a new directory that appears whole or not at all. When another process was faster, its bundle stays:
 * equal settings make equal bundles. What killed writers left beside it is removed.
 */
export async function writeBundle(directory: string, { parameters, metrics, report }: Pretrained): Promise<void> {
  sweepDeadBundles(dirname(directory));
  const temporary = join(dirname(directory), `.tmp-${hostname()}-${process.pid}-${randomBytes(4).toString("hex")}`);
  try {
    mkdirSync(temporary, { recursive: true });
  } catch (cause) {
    throw systemError("create", temporary, cause);
  }
  try {
    const arrays = Object.entries(parameters).map(([name, { shape, data }]) => [name, ndarray(shape, data)]);
    const sha256: Record<string, string> = {};
    sha256[PARAMETERS_FILE] = (await writeSafetensors(join(temporary, PARAMETERS_FILE), Object.fromEntries(arrays))).sha256;
    for (const scaling of METRIC_SCALINGS) {
      const written = await writeMetricFile(join(temporary, metricFile(scaling)), metrics[scaling]);
      sha256[metricFile(scaling)] = written.sha256;
    }
    await writeAtomic(join(temporary, REPORT_FILE), `${JSON.stringify({ ...report, sha256 }, null, 2)}\n`);
    if (!existsSync(join(directory, REPORT_FILE))) renameSync(temporary, directory);
  } catch (cause) {
    if (!existsSync(join(directory, REPORT_FILE))) throw systemError("write", directory, cause);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}

/** Reads a bundle and checks every byte of it. Throws BundleError when it is missing or damaged. */
export function readBundle(directory: string): Pretrained {
  const path = join(directory, REPORT_FILE);
  if (!existsSync(path)) {
    throw new BundleError("bundle-missing", `${directory} is not a pre-training bundle (no ${REPORT_FILE}); make one with pretrain_vae --out`);
  }
  let report: JsonObject & { sha256?: Record<string, string> };
  try {
    report = JSON.parse(readFileSync(path, "utf8"));
  } catch {
    throw new BundleError("bundle-damaged", `${path} is not JSON; remove the directory and make the bundle again`);
  }
  for (const name of TENSOR_FILES) checkFile(join(directory, name), report.sha256?.[name]);
  const { tensors } = readSafetensors(join(directory, PARAMETERS_FILE));
  const parameters = [...tensors].map(([name, array]) => {
    const { shape, data } = expectArray(array, { dtype: "float32" }, `${PARAMETERS_FILE}, ${name}`);
    return [name, { shape, data }];
  });
  return {
    parameters: Object.fromEntries(parameters),
    metrics: { posterior: readMetricFile(join(directory, metricFile("posterior"))), trace: readMetricFile(join(directory, metricFile("trace"))) },
    report,
  };
}

/**
 * Removes a bundle's files and then its directory. Throws BundleError when something else lies in there, which is left alone
 * with all that is not a bundle's.
 */
export function removeBundle(directory: string): void {
  const names = existsSync(directory) ? readdirSync(directory) : [];
  const others = names.filter((name) => ![REPORT_FILE, ...TENSOR_FILES].includes(name) && !name.startsWith(".tmp-"));
  if (others.length > 0) {
    throw new BundleError("bundle-damaged", `${directory} has to make way for a new bundle, but also holds ${others.join(", ")}; move that away`);
  }
  // The report goes first: what is left by a kill is no bundle to anybody.
  for (const name of [REPORT_FILE, ...names]) rmSync(join(directory, name), { force: true });
  try {
    rmdirSync(directory);
  } catch (cause) {
    if (existsSync(directory)) throw systemError("remove", directory, cause); // else another command was faster
  }
}

/** Removes the bundles under construction in `directory` whose process on this host is gone. */
export function sweepDeadBundles(directory: string): void {
  if (!existsSync(directory)) return;
  for (const name of readdirSync(directory)) {
    const [, host, pid] = TEMPORARY_NAME.exec(name) ?? [];
    if (host !== hostname() || isRunning(Number(pid))) continue;
    try {
      removeBundle(join(directory, name));
    } catch (error) {
      if (!(error instanceof BundleError)) throw error; // with files of others in it, it is theirs to remove
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM"; // somebody else's
  }
}

/** Writes a metric as a safetensors file that --metric reads back exactly. */
export function writeMetricFile(path: string, metric: Metric) {
  return writeSafetensors(path, metricArrays(metric));
}

/** A metric as named arrays, the content of a metric file. */
export function metricArrays(metric: Metric) {
  const tensors = Object.entries(metricToTensors(metric));
  return Object.fromEntries(tensors.map(([name, { shape, data }]) => [name, ndarray(shape, data)]));
}

function readMetricFile(path: string): Metric {
  return metricFromTensors(Object.fromEntries(readSafetensors(path).tensors) as Parameters<typeof metricFromTensors>[0]);
}

function checkFile(path: string, sha256: string | undefined): void {
  if (!existsSync(path)) throw new BundleError("bundle-damaged", `${path} is missing; remove the directory and make the bundle again`);
  const got = createHash("sha256").update(readFileSync(path)).digest("hex");
  if (got !== sha256) {
    throw new BundleError("bundle-damaged", `${path} was changed or cut after it was written; remove the directory and make the bundle again`);
  }
}
