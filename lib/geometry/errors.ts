// The one error type of this package: what is wrong with a metric or with the points it was asked about.

/** What kind of mistake a {@link MetricError} reports. */
export type MetricErrorCode =
  | "BAD_ARGUMENT" // a number outside its range
  | "BAD_SHAPE" // sizes that do not fit together
  | "MISSING_TENSOR" // a metric file without one of the tensors it needs
  | "NOT_CONVERGED" // an integration that used up its steps
  | "NOT_FINITE" // NaN or infinity among the values
  | "NOT_SYMMETRIC" // a matrix M_k that differs from its transpose
  | "NOT_POSITIVE_DEFINITE" // a matrix with an eigenvalue that is zero or negative
  | "TOO_FEW_POINTS"; // fewer distinct points than centroids

/** A mistake in a metric or its data; the message says what was got, what was wanted and the cure. */
export class MetricError extends Error {
  override readonly name = "MetricError";
  constructor(
    readonly code: MetricErrorCode,
    message: string,
  ) {
    super(message);
  }
}
