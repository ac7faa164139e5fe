// Run names: <loop or environment>__<experiment>__<number>__<seed>__<unix seconds>, CleanRL's scheme with a run number.
import { maxNameLength } from "./artifact-name.ts";
import { ArtifactError } from "./errors.ts";

export interface RunNameParts {
  /** Loop mode or environment, such as "open" or "GridRoom-16". */
  label: string;
  experiment: string;
  number: number;
  seed: number;
  /** Start of the run. */
  unixSeconds: number;
}

/** One part of a name: safe as a file name everywhere, and free of the separator. */
const wordPattern = /^[A-Za-z0-9][A-Za-z0-9.+-]*(?:_[A-Za-z0-9.+-]+)*$/;
const namePattern = /^(.+?)__(.+)__(\d+)__(\d+)__(\d+)$/;

/** Joins the parts; throws `invalid-argument` for a part that cannot be told apart again or is unsafe in a path, or too long a name. */
export function runName(parts: RunNameParts): string {
  for (const part of ["label", "experiment"] as const) {
    if (!wordPattern.test(parts[part])) {
      throw new ArtifactError(
        "invalid-argument",
        `runName: got ${part} "${parts[part]}", wanted letters, digits and . + - with single _ between them.`,
      );
    }
  }
  for (const part of ["number", "seed", "unixSeconds"] as const) {
    if (!Number.isSafeInteger(parts[part]) || parts[part] < 0) {
      throw new ArtifactError("invalid-argument", `runName: got ${part} ${parts[part]}, wanted a whole number from 0.`);
    }
  }
  const name = [parts.label, parts.experiment, parts.number, parts.seed, parts.unixSeconds].join("__");
  if (name.length > maxNameLength) {
    throw new ArtifactError("invalid-argument", `runName: got a name of ${name.length} characters, wanted at most ${maxNameLength}; shorten the experiment.`);
  }
  return name;
}

/** The parts of a run name, or null when it is not one. */
export function parseRunName(name: string): RunNameParts | null {
  const match = namePattern.exec(name);
  if (!match || !wordPattern.test(match[1]) || !wordPattern.test(match[2])) return null;
  const [number, seed, unixSeconds] = match.slice(3).map(Number);
  return { label: match[1], experiment: match[2], number, seed, unixSeconds };
}
