// The files of an ALLO run: names, shapes and keys of the original program, so that its own plotting scripts read them.
import type { ArtifactEntry, JsonObject, NdArray, Run } from "@cleanloop/artifacts";
import { ArtifactError, encodeJson, encodeNpy, encodePickle, ndarray, pyFloat, pyTuple } from "@cleanloop/artifacts";
import type { GridLayout, Gridworld } from "@cleanloop/data";
import { doorMarkers } from "@cleanloop/data";

/** The world that the n states live in. */
export type AlloWorld = Pick<Gridworld, "canonicalStates" | "doors" | "reversibleMoveCount"> & { readonly layout: Pick<GridLayout, "width" | "height"> };

export interface AlloSpectrum {
  /** [d] */
  readonly eigenvalues: ArrayLike<number>;
  /** [n, d], unit columns. */
  readonly eigenvectors: ArrayLike<number>;
}

/** What is known before the first step. */
export interface AlloSetting {
  readonly world: AlloWorld;
  /** Of the law by which pairs are drawn. */
  readonly geometricGamma: number;
  /** Of the walk: eigenvalues fall from 1. */
  readonly groundTruth: AlloSpectrum;
  /** Of the Laplacian that the collected transitions define: eigenvalues rise from 0. */
  readonly dataset: AlloSpectrum;
  /** [n, 2] network inputs. */
  readonly coordinates: ArrayLike<number>;
  /** [n] how often the constraint batches hold each state; sums to 1. */
  readonly samplingDistribution: ArrayLike<number>;
  /** What our own plots need beyond the original's keys, for viz_metadata.json alone. */
  readonly details?: JsonObject;
}

/** The artifacts of one kind belong together: readers select by it. */
export const KINDS = { setting: "setting", spectrum: "spectrum", features: "features", model: "model" } as const;
const STEP_KEY = "gradient_step";
const FINAL_FILE = "final_learned_eigenvectors.npy";

/** Where the features after `step` updates lie. */
export function featuresFileName(step: number): string {
  return `learned_eigenvectors_step_${step}.npy`;
}

/** Writes the files of one run; each appears whole, and the metrics of a step are on the disk before its features. */
export class AlloArtifacts {
  readonly #run: Run;
  readonly #stateCount: number;
  readonly #featureCount: number;

  /** For n states and d features. */
  constructor(run: Run, { stateCount, featureCount }: { stateCount: number; featureCount: number }) {
    this.#run = run;
    this.#stateCount = stateCount;
    this.#featureCount = featureCount;
  }

  /**
   * Writes what is known before the first step, metrics_history.json with the rows so far, and the folders that plots and
   * models go to. Throws ArtifactError: `wrong-array` for values that do not fill their shape, or why it cannot be written.
   */
  async writeSetting(setting: AlloSetting): Promise<void> {
    const [n, d] = [this.#stateCount, this.#featureCount];
    const { world, groundTruth, dataset } = setting;
    const arrays: [name: string, kind: string, shape: number[], values: ArrayLike<number>][] = [
      ["gt_eigenvalues.npy", KINDS.spectrum, [d], groundTruth.eigenvalues],
      ["gt_eigenvectors.npy", KINDS.spectrum, [n, d], groundTruth.eigenvectors],
      ["dataset_eigenvalues.npy", KINDS.spectrum, [d], dataset.eigenvalues],
      ["dataset_eigenvectors.npy", KINDS.spectrum, [n, d], dataset.eigenvectors],
      ["state_coords.npy", KINDS.setting, [n, 2], setting.coordinates],
      ["sampling_distribution.npy", KINDS.setting, [n], setting.samplingDistribution],
    ];
    const files = arrays.map(([name, kind, shape, values]) => [name, kind, encodeNpy(float32(name, shape, values))] as const);

    for (const folder of ["plots", "models"]) this.#run.makeFolder(folder);
    if (world.doors.length > 0) await this.#run.writeArtifact("door_config.pkl", KINDS.setting, encodeDoorConfig(world));
    await this.#run.writeArtifact("viz_metadata.pkl", KINDS.setting, encodeVizPickle(setting, d));
    await this.#run.writeArtifact("viz_metadata.json", KINDS.setting, encodeVizJson(setting, d));
    for (const [name, kind, bytes] of files) await this.#run.writeArtifact(name, kind, bytes);
    await this.#run.writeMetricsHistory("records");
  }

  /** Writes the network's output on all states, [n, d], after `step` updates; metrics_history.json comes up to date. */
  writeFeatures(step: number, features: ArrayLike<number>): Promise<void> {
    return this.#writeFeatures(featuresFileName(step), step, features);
  }

  /** {@link writeFeatures} under the name that means the end of training. */
  writeFinalFeatures(step: number, features: ArrayLike<number>): Promise<void> {
    return this.#writeFeatures(FINAL_FILE, step, features);
  }

  /**
   * Forgets the metrics and the features of later steps than `step`, which features were final, and the trained models: a run
   * resumed there makes them again.
   */
  async rewind(step: number): Promise<void> {
    this.#run.dropMetricsAfter(STEP_KEY, step);
    const isOutdated = ({ name, kind, step: madeAt }: ArtifactEntry) =>
      name === FINAL_FILE || kind === KINDS.model || (kind === KINDS.features && Number(madeAt) > step);
    for (const { name } of this.#run.artifacts.filter(isOutdated)) this.#run.removeArtifact(name);
    await this.#run.writeMetricsHistory("records");
  }

  async #writeFeatures(name: string, step: number, features: ArrayLike<number>): Promise<void> {
    // Encoded before anything waits: training may go on changing its array.
    const bytes = encodeNpy(float32(name, [this.#stateCount, this.#featureCount], features));
    await this.#run.writeMetricsHistory("records");
    await this.#run.writeArtifact(name, KINDS.features, bytes, { step });
  }
}

function float32(name: string, shape: readonly number[], values: ArrayLike<number>): NdArray<"float32"> {
  const wanted = shape.reduce((product, size) => product * size, 1);
  if (values.length !== wanted) {
    throw new ArtifactError(
      "wrong-array",
      `${name}: got ${values.length} values, wanted ${wanted} for shape (${shape.join(", ")}).`,
    );
  }
  return ndarray(shape, Float32Array.from(values));
}

function encodeDoorConfig({ doors, reversibleMoveCount, canonicalStates }: AlloWorld): Uint8Array {
  return encodePickle({
    doors: doors.map(({ from, action, to, reverseAction }) => pyTuple(from, action, to, reverseAction)),
    num_doors: doors.length,
    total_reversible: reversibleMoveCount,
    canonical_states: ndarray([canonicalStates.length], canonicalStates),
  });
}

function encodeVizPickle({ world, geometricGamma }: AlloSetting, featureCount: number): Uint8Array {
  const { canonicalStates, layout } = world;
  return encodePickle({
    canonical_states: ndarray([canonicalStates.length], canonicalStates),
    grid_width: layout.width,
    grid_height: layout.height,
    door_markers: new Map(doorMarkers(world).map(({ cell, action, toCell }) => [pyTuple(cell, action), toCell])),
    num_eigenvectors: featureCount,
    geometric_gamma: pyFloat(geometricGamma),
  });
}

/** The same as JSON, where a door marker is the list [cell, action, cell behind the door]. */
function encodeVizJson({ world, geometricGamma, details }: AlloSetting, featureCount: number): string {
  const { canonicalStates, layout } = world;
  const metadata = {
    canonical_states: [...canonicalStates],
    grid_width: layout.width,
    grid_height: layout.height,
    door_markers: doorMarkers(world).map(({ cell, action, toCell }) => [cell, action, toCell]),
    num_eigenvectors: featureCount,
    geometric_gamma: geometricGamma,
    details: details ?? {},
  };
  return `${encodeJson(metadata)}\n`;
}
