// The one error type of this package: what a user got wrong about data, with a code that scripts can switch on.

/** What kind of mistake a {@link DataError} reports. */
export type DataErrorCode =
  | "not-found" // no such file or directory
  | "bad-file" // unreadable, truncated, or not the format its name promises
  | "bad-layout" // a gridworld with an unknown tile, without a free cell, or with a door into a wall
  | "bad-shape" // readable, but the shape or dtype is not that of sprite sequences
  | "bad-values" // values that cannot be stored as bytes without loss
  | "exists" // a file that this package did not write is where it would write
  | "not-enough" // more sequences, doors or eigenvectors asked for than there are
  | "too-large" // more states than dense matrices are made for
  | "no-split" // identities cannot be told apart, so no honest split exists
  | "invalid-argument"; // a number or name outside its range

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
