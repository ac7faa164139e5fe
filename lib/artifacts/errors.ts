// Every way a file or a run directory can be bad, as one typed error with a closed set of codes.

/** The codes of {@link ArtifactError}, each with the sentence that FORMAT.md repeats. */
export const artifactErrorCodes = {
  // Files and disks.
  "not-found": "the file or directory does not exist",
  exists: "the file or directory is already there",
  "not-a-directory": "a file is where a directory should be",
  "no-space": "the disk is full or the quota is used up",
  "no-permission": "the operating system refuses the access",
  "read-only": "the file system is mounted read-only",
  "file-too-large": "the file passes a size limit of the file system or of the process",
  io: "another failure of the operating system",
  // Arguments.
  "invalid-argument": "a value handed to this package is not usable",
  "wrong-array": "an array has another dtype or shape than the caller needs",
  // Array files in general.
  "not-this-format": "the first bytes belong to another format",
  "unsupported-version": "the format version is unknown",
  "bad-header": "the header cannot be read",
  truncated: "the file ends too early",
  "trailing-bytes": "the file goes on after its end",
  "big-endian": "the values are stored big-endian",
  "object-array": "the array holds Python objects",
  "unsupported-dtype": "the dtype exists but has no typed array here",
  "fortran-order": "the array is stored column by column and cannot be read by rows",
  // safetensors.
  "header-too-small": "the file is shorter than the 8 bytes of the header length",
  "header-too-large": "the header claims more than 100 MB",
  "header-length": "the header is longer than the file",
  "header-start": "the header does not begin with {",
  "header-utf8": "the header is not UTF-8",
  "header-json": "the header is not a JSON object",
  "duplicate-key": "a name occurs twice",
  "bad-metadata": "__metadata__ is not an object of strings",
  "tensor-info": "a tensor lacks dtype, shape or data_offsets, or they have the wrong type",
  "unknown-dtype": "the dtype is not one of the format",
  "shape-overflow": "the shape has more elements than can be counted",
  "size-mismatch": "dtype times shape is not the number of bytes given",
  "bad-offsets": "the byte ranges overlap, leave a hole or run backwards",
  "incomplete-buffer": "the byte ranges do not cover the whole buffer",
  "tensor-not-found": "no tensor has this name",
  // zip, pickle and torch.
  "bad-zip": "the zip directory is damaged or uses an unsupported feature",
  "bad-checksum": "the bytes do not match their checksum",
  "bad-pickle": "the pickle stream is malformed",
  "pickle-opcode": "the pickle uses an opcode that this reader refuses",
  "pickle-global": "the pickle asks for a Python name that is not on the allowed list",
  "legacy-torch": "the file is in the torch format from before 1.6",
  "bad-torch": "the torch archive is inconsistent",
  // Run directories.
  "not-a-run": "the directory is not a run directory",
  "still-running": "another process owns the run",
  closed: "the run has been finished or discarded",
} as const;

export type ArtifactErrorCode = keyof typeof artifactErrorCodes;

/** A file or run directory that cannot be used; `code` is for programs, `message` for people. */
export class ArtifactError extends Error {
  override readonly name = "ArtifactError";
  readonly code: ArtifactErrorCode;

  constructor(code: ArtifactErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** What the operating system's error numbers mean to a user, and what helps. */
const systemErrors: Record<string, [ArtifactErrorCode, string]> = {
  ENOENT: ["not-found", "it does not exist. Check the path"],
  EEXIST: ["exists", "it is already there. Choose another name or remove it"],
  ENOTEMPTY: ["exists", "it is already there. Choose another name or remove it"],
  ENOSPC: ["no-space", "the disk is full. Free some space or choose another directory"],
  EDQUOT: ["no-space", "the disk quota is used up. Free some space or choose another directory"],
  EACCES: ["no-permission", "permission denied. Check the owner and mode of the directory"],
  EPERM: ["no-permission", "the operation is not permitted. Check the owner and mode of the directory"],
  EROFS: ["read-only", "the file system is read-only. Choose another directory"],
  EFBIG: ["file-too-large", "it passes the largest file size allowed. Check `ulimit -f` and the file system"],
  EISDIR: ["io", "it is a directory. Name a file"],
  ENOTDIR: ["not-a-directory", "a part of the path is a file, not a directory. Check the path"],
  ENAMETOOLONG: ["invalid-argument", "a name in it is too long. Choose a shorter one"],
};

/** Turns a failure of the operating system into an {@link ArtifactError} that names path, event and cure. */
export function systemError(action: string, path: string, cause: unknown): ArtifactError {
  if (cause instanceof ArtifactError) return cause;
  const known = systemErrors[(cause as NodeJS.ErrnoException)?.code ?? ""];
  if (known) return new ArtifactError(known[0], `cannot ${action} ${path}: ${known[1]}.`, { cause });
  const reason = cause instanceof Error ? cause.message : String(cause);
  return new ArtifactError("io", `cannot ${action} ${path}: ${reason}.`, { cause });
}
