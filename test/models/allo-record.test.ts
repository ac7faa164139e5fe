// Records of the metrics history against sums written out by hand and the original's keys; eigenvalues told by duals.

import { describe, expect, test } from "bun:test";
import { laplacianEigenvalue, transitionEigenvalue } from "@cleanloop/data";
import {
  ALLO_PRESETS, alloRecord, eigenvaluesFromDuals, type AlloObjective, type AlloObservation,
} from "@cleanloop/models";

const seed = ALLO_PRESETS.seed.objective;
const paper = ALLO_PRESETS.paper.objective;

/** Two features; every number its own, so that no two sums agree by chance. */
const observation: AlloObservation = {
  duals: [-2, 0, 0.5, -1.2],
  barrier: 0.4,
  error: [0.3, 0, -0.7, 0.11],
  secondError: [0.2, 0, 0.6, -0.05],
  graph: [0.013, 0.27],
  perturbation: [0, 0.004],
  errorIntegral: [1, 0, 2, -3],
  networkGradNorm: 1.5,
};
const recordOf = (objective: AlloObjective, changes: Partial<AlloObservation> = {}) =>
  alloRecord({ ...observation, ...changes }, objective);
function expectRecord(record: Record<string, number>, wanted: Record<string, number>): void {
  for (const [name, value] of Object.entries(wanted)) {
    expect([name, record[name].toFixed(10)]).toEqual([name, value.toFixed(10)]);
  }
}

describe("alloRecord", () => {
  test("one-sided constraints, every sum by hand", () => {
    const graph = 0.013 + 0.27 + 0.004;
    const dual = -2 * 0.3 + 0.5 * -0.7 + -1.2 * 0.11;
    const penalty = 2 * (0.3 * 0.2 + -0.7 * 0.6 + 0.11 * -0.05); // negative, so its negated term does not mirror it
    expectRecord(recordOf(seed), {
      graph_loss: graph, dual_loss: dual, dual_loss_neg: -dual, barrier_loss: 0.4 * penalty, barrier_coef: 0.4,
      lagrangian: graph + dual + 0.4 * penalty,
      allo: graph + 0.4 * (penalty - Math.abs(penalty)),
      approx_eigenvalue_sum: 1.6,
      distance_to_constraint_manifold: 0.09 + 0.49 + 0.0121,
      distance_to_origin: 1.3 + 1.11,
      total_error: 1.11, total_norm_error: 0.41, total_two_component_error: 1.11,
      grad_norm: Math.sqrt(1.5 ** 2 + 0.09 + 0.49 + 0.0121 + penalty ** 2),
      dual_0: -2, dual_1: -1.2, dual_1_0: 0.5, graph_perturbation_0: 0, graph_perturbation_1: 0.004,
    });
  });

  test("two-sided constraints: errors averaged, penalties multiplied", () => {
    const dual = -2 * 0.25 + 0.5 * -0.05 + -1.2 * 0.03;
    const penalty = 0.3 * 0.2 + -0.7 * 0.6 + 0.11 * -0.05;
    expectRecord(recordOf(paper), {
      approx_eigenvalue_sum: 0.8, // the duals are -4 lambda at the equilibrium when the graph term has the scale 1
      dual_loss: dual, barrier_loss: 0.4 * penalty, lagrangian: 0.287 + dual + 0.4 * penalty,
      grad_norm: Math.sqrt(1.5 ** 2 + 0.25 ** 2 + 0.05 ** 2 + 0.03 ** 2 + penalty ** 2),
    });
  });

  test("the integral moves duals and what they log, the Lagrangian not", () => {
    const objective = { ...seed, dualRate: 0.02, integralRate: 0.01 };
    const dual = -2 * 0.3 + 0.5 * -0.7 + -1.2 * 0.11;
    const withIntegral = -2 * (0.3 + 0.5) + 0.5 * (-0.7 + 1) + -1.2 * (0.11 - 1.5);
    const penalty = 2 * (0.06 - 0.42 - 0.0055);
    const gradNorm = Math.sqrt(1.5 ** 2 + 0.8 ** 2 + 0.3 ** 2 + 1.39 ** 2 + penalty ** 2);
    expectRecord(recordOf(objective), { dual_loss: dual, dual_loss_neg: -withIntegral, grad_norm: gradNorm });

    const integralAlone = -2 * 1 + 0.5 * 2 + -1.2 * -3;
    expectRecord(recordOf({ ...seed, dualRate: 0, integralRate: 0.01 }), { dual_loss: dual, dual_loss_neg: -integralAlone });
    expectRecord(recordOf({ ...seed, dualRate: 0, integralRate: 0 }), { dual_loss: dual, dual_loss_neg: 0 });
  });

  test("the gate takes a row out of dual and barrier terms, not out of the errors", () => {
    expectRecord(recordOf({ ...seed, gateThreshold: 0.3 }), {
      dual_loss: -0.6, barrier_loss: 0.4 * 2 * 0.06, total_error: 1.11, distance_to_constraint_manifold: 0.5921,
    });
    expectRecord(recordOf({ ...seed, gateThreshold: 0.31 }), { dual_loss: -2 * 0.3 + 0.5 * -0.7 + -1.2 * 0.11 });
  });

  test("errors of the first two columns", () => {
    const d = 3;
    const error = [1, 0, 0, 2, 4, 0, 8, 16, 32];
    const square = Array.from({ length: d * d }, () => 0);
    const row = [0, 0, 0];
    const zeros = { duals: square, secondError: square, errorIntegral: square, graph: row, perturbation: row };
    expectRecord(recordOf(seed, { ...zeros, error }), { total_error: 63, total_norm_error: 37, total_two_component_error: 31 });
  });
});

describe("the keys of a record", () => {
  const keysFor = (d: number) => {
    const [row, square] = [d, d * d].map((length) => Array.from({ length }, () => 0));
    const errors = { error: square, secondError: square, errorIntegral: square };
    const zeros = { duals: square, ...errors, graph: row, perturbation: row };
    return Object.keys(recordOf(seed, zeros));
  };
  const ORIGINAL = [
    "allo", "approx_eigenvalue_sum", "barrier_coef", "barrier_loss", "distance_to_constraint_manifold", "distance_to_origin",
    "dual_0", "dual_1", "dual_1_0", "dual_2", "dual_2_0", "dual_2_1", "dual_3", "dual_3_0", "dual_3_1", "dual_4", "dual_4_0",
    "dual_4_1", "dual_5", "dual_5_0", "dual_5_1", "dual_6", "dual_6_0", "dual_6_1", "dual_7", "dual_7_0", "dual_7_1", "dual_8",
    "dual_8_0", "dual_8_1", "dual_9", "dual_9_0", "dual_9_1", "dual_loss", "dual_loss_neg", "grad_norm", "graph_loss",
    "graph_perturbation_0", "graph_perturbation_1", "graph_perturbation_2", "graph_perturbation_3", "graph_perturbation_4",
    "graph_perturbation_5", "graph_perturbation_6", "graph_perturbation_7", "graph_perturbation_8", "graph_perturbation_9",
    "total_error", "total_norm_error", "total_two_component_error",
  ];

  test("ten features: the original's 52 but gradient_step and sps, in its order, and the honest total", () => {
    expect(ORIGINAL.length).toBe(52 - 2);
    expect(keysFor(10).filter((key) => key !== "lagrangian")).toEqual(ORIGINAL);
    expect(keysFor(10).length).toBe(51);
  });

  test("no more than eleven features have their duals in it", () => {
    const duals = keysFor(13).filter((key) => /^dual_\d/.test(key));
    expect(duals).toContain("dual_10_1");
    expect(duals.filter((key) => /^dual_1[12]/.test(key))).toEqual([]);
    expect(keysFor(13)).toContain("graph_perturbation_12");
  });
});

describe("T21: eigenvalues from duals", () => {
  const room4 = [1, 0.9942741, 0.9932109, 0.9859608, 0.9288151, 0.9119956, -0.3, -0.84676];

  test.each([0.2, 0.9])("-2 (1 - x) / (1 - g x), duals of long episodes, give the walk's x back, g = %p", (gamma) => {
    const d = room4.length;
    const duals = Array.from({ length: d * d }, (_, at) => {
      const x = room4[Math.floor(at / d)];
      return at % (d + 1) === 0 ? (-2 * (1 - x)) / (1 - gamma * x) : 0.01;
    });
    const estimates = eigenvaluesFromDuals(duals, d, seed.graphScale);
    const fromTwiceTheGraph = eigenvaluesFromDuals(duals.map((dual) => 2 * dual), d, paper.graphScale);
    estimates.forEach((estimate, i) => {
      expect(Math.abs(transitionEigenvalue(estimate, { gamma, horizon: Infinity }) - room4[i])).toBeLessThan(1e-12);
      expect(fromTwiceTheGraph[i]).toBe(estimate);
      // the original inverts the law of offsets from zero on
      const half = duals[i * (d + 1)] / 2;
      if (room4[i] < 0.95) expect(Math.abs((gamma + half) / (gamma * (1 + half)) - room4[i])).toBeGreaterThan(5e-3);
    });
  });

  test("and of episodes of 50 transitions", () => {
    const sampling = { gamma: 0.9, horizon: 50 };
    // published table of the operator that is sampled in room4
    for (const [x, laplacian] of [[0.9942741, 0.0397381], [0.9288151, 0.3537897], [0.8792184, 0.4934866]]) {
      const [estimate] = eigenvaluesFromDuals([-4 * laplacian], 1, paper.graphScale);
      expect(Math.abs(transitionEigenvalue(estimate, sampling) - x)).toBeLessThan(1e-6);
      expect(transitionEigenvalue(laplacianEigenvalue(x, sampling), sampling)).toBeCloseTo(x, 12);
    }
  });
});
