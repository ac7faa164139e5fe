// How good the learned features are: cosines with the exact and with the dataset's eigenvectors, and the duals' eigenvalues.
import type { OffsetSampling } from "@cleanloop/data";
import { transitionEigenvalues } from "@cleanloop/data";
import type { AlloObjective, ReferenceVectors } from "@cleanloop/models";
import { alignment, eigenvaluesFromDuals, nearGroups, subspaceAlignment } from "@cleanloop/models";
import type { Targets } from "./environment.ts";

/** Eigenvalues closer than this share of the larger one count as one group in `cosine_near_avg`. */
const NEAR_GAP = 0.01;

/** Names of the figures that the progress line and the result show. */
export const KEYS = {
  cosine: "cosine_group_avg",
  plainCosine: "cosine_sim_avg",
  datasetCosine: "cosine_dataset_group_avg",
  eigenvalueError: "eigenvalue_error_max",
} as const;

/** Compares features [n, d] and duals [d, d] with what is to be learned. */
export type Evaluate = (features: ArrayLike<number>, duals: ArrayLike<number>) => Record<string, number>;

/**
 * cosine_sim_<i> |cos| with the reference's eigenvector i, cosine_group_<i> the same up to a rotation inside equal eigenvalues,
 * cosine_near_avg up to one inside eigenvalues that differ by less than one percent, cosine_dataset_* against what the data
 * define; subspace_alignment whatever the order; eigenvalue_<i> the Laplacian's eigenvalues that the duals tell, with their
 * largest distance from the reference's and from those of the data. Of a symmetric walk also walk_eigenvalue_<i>, the walk's that
 * belong to them; of another one cosine_walk_*, against the walk's own eigenvectors, which are not what is learned.
 */
export function evaluator({ walk, reference, dataset, isSymmetric }: Targets, { graphScale }: AlloObjective, sampling: OffsetSampling): Evaluate {
  const d = reference.eigenvalues.length;
  const near: ReferenceVectors = { ...reference, groups: joinedGroups(reference.groups, nearGroups(reference.eigenvalues, NEAR_GAP)) };
  const walkScores = (features: ArrayLike<number>, eigenvalues: Float64Array): Record<string, number> => {
    if (isSymmetric) return numbered("walk_eigenvalue", transitionEigenvalues(eigenvalues, sampling));
    const { cosines, groupCosines } = alignment(features, walk);
    return { cosine_walk_avg: mean(cosines), cosine_walk_group_avg: mean(groupCosines) };
  };
  return (features, duals) => {
    const { cosines, groupCosines } = alignment(features, reference);
    const onData = alignment(features, dataset);
    const eigenvalues = eigenvaluesFromDuals(duals, d, graphScale);
    return {
      ...numbered("cosine_sim", cosines),
      [KEYS.plainCosine]: mean(cosines),
      ...numbered("cosine_group", groupCosines),
      [KEYS.cosine]: mean(groupCosines),
      cosine_near_avg: mean(alignment(features, near).groupCosines),
      cosine_dataset_avg: mean(onData.cosines),
      [KEYS.datasetCosine]: mean(onData.groupCosines),
      subspace_alignment: subspaceAlignment(features, reference),
      ...numbered("eigenvalue", eigenvalues),
      [KEYS.eigenvalueError]: largestDistance(eigenvalues, reference.eigenvalues),
      eigenvalue_dataset_error_max: largestDistance(eigenvalues, dataset.eigenvalues),
      ...walkScores(features, eigenvalues),
    };
  };
}

/** Groups of equal eigenvalues, joined where they are near each other; each of them stays whole. */
function joinedGroups(equal: readonly (readonly number[])[], near: readonly (readonly number[])[]): number[][] {
  const joined: number[][] = [];
  for (const group of equal) {
    const isNear = near.some((members) => members.includes(group[0]) && members.includes(group[0] - 1));
    if (isNear) joined.at(-1)!.push(...group);
    else joined.push([...group]);
  }
  return joined;
}

function numbered(name: string, values: Float64Array): Record<string, number> {
  return Object.fromEntries(Array.from(values, (value, index) => [`${name}_${index}`, value]));
}

function mean(values: Float64Array): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function largestDistance(a: Float64Array, b: Float64Array): number {
  return a.reduce((largest, value, index) => Math.max(largest, Math.abs(value - b[index])), 0);
}
