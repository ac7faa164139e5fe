// What can go wrong, as one class with a closed set of codes.

/** Every way in which this package refuses input or reports damage. */
export type WandbErrorCode =
  // Options and values handed in by the caller.
  | "bad-option"
  | "online-unsupported"
  | "directory-unwritable"
  | "bad-media"
  | "bad-artifact"
  | "bad-value"
  | "bad-step"
  | "bad-file"
  // A run that could not go on writing.
  | "tracker-failed"
  // Bytes of a transaction log.
  | "bad-ident"
  | "bad-version"
  | "bad-crc"
  | "bad-length"
  | "bad-chunk-type"
  | "bad-padding"
  | "bad-fragment"
  | "truncated"
  // Bytes of one record.
  | "bad-protobuf"
  | "bad-json";

/** An error whose `code` is stable enough to branch on; the message names the cure. */
export class WandbError extends Error {
  override readonly name = "WandbError";

  constructor(
    readonly code: WandbErrorCode,
    message: string,
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** Damage found in the bytes of a transaction log; `offset` counts from the start of the file. */
export class LogError extends WandbError {
  constructor(
    code: WandbErrorCode,
    readonly offset: number,
    message: string,
  ) {
    super(code, `${message} at byte ${offset}`);
  }
}
