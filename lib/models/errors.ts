// The one error type of this package: what is wrong with a configuration, an objective or a set of parameters.

/** What kind of mistake a {@link ModelError} reports. */
export type ModelErrorCode =
  | "BAD_CONFIG" // a size outside its range
  | "BAD_OBJECTIVE" // parts of the objective that exclude each other
  | "BAD_SHAPE" // a parameter of another shape than the configuration asks for
  | "MISSING_METRIC" // an objective that needs a metric, without one
  | "MISSING_PARAMETER"; // a parameter that the model reads and nobody gave

/** A mistake in what a model was given; the message says what was got, what was wanted and the cure. */
export class ModelError extends Error {
  override readonly name = "ModelError";
  constructor(
    readonly code: ModelErrorCode,
    message: string,
  ) {
    super(message);
  }
}
