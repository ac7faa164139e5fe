// The one error type of this package: what a user got wrong about data, with a code that scripts can switch on.

/** What kind of mistake a {@link DataError} reports. */
export type DataErrorCode =
  | "NOT_FOUND" // no such file or directory
  | "BAD_FILE" // unreadable, truncated, or not the format its name promises
  | "BAD_SHAPE" // readable, but the shape or dtype is not that of sprite sequences
  | "BAD_VALUES" // values that cannot be stored as bytes without loss
  | "NOT_ENOUGH" // more sequences asked for than there are
  | "NO_SPLIT" // identities cannot be told apart, so no honest split exists
  | "NOT_EMPTY" // the output directory already holds something
  | "BAD_ARGUMENT"; // a number or name outside its range

/** A mistake in the data or in what was asked of it; the message says what was got, what was wanted and the cure. */
export class DataError extends Error {
  override readonly name = "DataError";
  constructor(
    readonly code: DataErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}
