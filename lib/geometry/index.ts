// Riemannian metric numerics in float64: what this package offers.

export { MetricError } from "./errors.ts";
export type { MetricErrorCode } from "./errors.ts";
export type { Metric, RandomSource, UniformSource } from "./metric.ts";

export {
  conditionNumbers,
  gradientHalfLogDetInverse,
  inverseMetric,
  logDetMetric,
  metricEigenvalues,
  metricTensor,
} from "./metric-tensor.ts";
export type { Points } from "./metric-tensor.ts";
export { cholesky, inverseFromFactor, logDetFromFactor } from "./cholesky.ts";
export { symmetricEigen, symmetricEigenvalues } from "./symmetric-eigen.ts";
export type { SymmetricEigen } from "./symmetric-eigen.ts";
export { embedPoints, pca, projectPoints } from "./pca.ts";
export type { PrincipalComponents, Subspace } from "./pca.ts";
export { pullbackMetric } from "./pullback.ts";

export { createJetEvaluator } from "./metric-jet.ts";
export type { JetEvaluator, MetricJet } from "./metric-jet.ts";
export { christoffelOfJet, christoffelSymbols, metricGradient } from "./christoffel.ts";
export { brioschiCurvature, gaussianCurvatureOfJet, scalarCurvatureOfJet } from "./curvature.ts";
export type { SurfaceJet } from "./curvature.ts";
export { scalarCurvature } from "./scalar-curvature.ts";
export { differentiateOnGrid, gridCoordinates } from "./grid.ts";
export type { Grid } from "./grid.ts";
export { evaluatePlane, evaluateSurface, gridCurvature } from "./surface.ts";
export type { SurfaceField } from "./surface.ts";

export { geodesicField } from "./geodesic-field.ts";
export type { GeodesicField } from "./geodesic-field.ts";
export { geodesicBetween, geodesicsBetween, measurePath } from "./geodesic.ts";
export type { Geodesic, GeodesicOptions, PathMeasure } from "./geodesic.ts";
export { exponentialMap, shootGeodesic } from "./exponential-map.ts";
export type { GeodesicShot, ShootOptions } from "./exponential-map.ts";
export { integrate } from "./dormand-prince.ts";
export type { Derivative, IntegrateOptions } from "./dormand-prince.ts";
export { minimise } from "./lbfgs.ts";
export type { MinimiseOptions, Minimum, Objective } from "./lbfgs.ts";

export { leapfrog } from "./leapfrog.ts";
export type { Gradient } from "./leapfrog.ts";
export { hamiltonianMonteCarlo } from "./hmc.ts";
export type { HmcOptions, HmcSamples, LogDensity } from "./hmc.ts";
export { sampleRhvae, volumeDensity } from "./volume-density.ts";
export type { RhvaeOptions, VolumeDensityOptions } from "./volume-density.ts";
export { normalVolumeDensity, sampleBasic } from "./basic-sampler.ts";
export { sampleCentroidAware, sampleMixture } from "./centroid-samplers.ts";
export { sampleGeodesic } from "./geodesic-sampler.ts";
export type { GeodesicSamplerOptions } from "./geodesic-sampler.ts";

export { buildMetric } from "./metric-builder.ts";
export type { BuildMetricOptions, BuiltMetric, MetricInfo, Summary } from "./metric-builder.ts";
export { kMedoids } from "./k-medoids.ts";
export type { KMedoidsResult } from "./k-medoids.ts";
export { validateMetric } from "./validate-metric.ts";
export { metricFromTensors, metricToTensors } from "./metric-format.ts";
export type { MetricOverrides, NamedTensor, NamedTensors } from "./metric-format.ts";
