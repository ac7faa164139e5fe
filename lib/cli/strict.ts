// The strictness citty lacks: every word of the command line must be a declared flag or the value of one.
// citty takes `--n_epoch 3` for an unknown switch and a positional and trains with the default; here it is an error.
import { UsageError } from "./errors.ts";
import type { Flag, Flags } from "./flags.ts";
import { spellings, wantedValue } from "./flags.ts";
import { suggest } from "./suggest.ts";

const isNumberLike = (word: string) => /^-\.?\d/.test(word);
const isFlagLike = (word: string) => word.startsWith("-") && word !== "-" && !isNumberLike(word);

/**
 * Checks `argv` against the declared flags and returns it in one canonical form: `--name=value`, `--name` or
 * `--no-name` for booleans, in snake_case, each flag at most once (a list joined by commas).
 * Throws UsageError for unknown, misspelt, doubled or valueless flags and for words that belong to no flag.
 */
export function canonicalArguments(argv: readonly string[], flags: Flags): string[] {
  const known = spellings(flags);
  const seen = new Map<string, string>();
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i];
    if (!isFlagLike(word)) throw strayWord(word, argv[i - 1], flags, known);
    const equals = word.indexOf("=");
    const spelling = equals < 0 ? word : word.slice(0, equals);
    const attached = equals < 0 ? undefined : word.slice(equals + 1);
    const { name, negated } = lookUp(spelling, flags, known);
    const flag = flags[name];
    let value = attached;
    if (flag.type === "boolean") {
      value = booleanWord(spelling, attached, negated);
    } else if (value === undefined) {
      value = argv[++i];
      if (value === undefined || isFlagLike(value)) throw missingValue(spelling, flag, value);
    }
    if (value === "") throw missingValue(spelling, flag, undefined);
    const before = seen.get(name);
    if (before !== undefined && flag.type !== "list") throw new UsageError(`--${name} is given twice; give it once`);
    seen.set(name, before === undefined ? value : `${before},${value}`);
  }
  return [...seen].map(([name, value]) => {
    if (flags[name].type === "boolean") return value === "true" ? `--${name}` : `--no-${name}`;
    return `--${name}=${value}`;
  });
}

function lookUp(spelling: string, flags: Flags, known: Map<string, string>): { name: string; negated: boolean } {
  const word = spelling.replace(/^--?/, "");
  const isLong = spelling.startsWith("--");
  const name = known.get(word);
  if (isLong && name !== undefined) return { name, negated: false };
  const positive = isLong && word.startsWith("no-") ? known.get(word.slice(3)) : undefined;
  if (positive !== undefined) {
    if (flags[positive].type === "boolean") return { name: positive, negated: true };
    throw new UsageError(`${spelling}: only on/off flags have a --no- form; --${positive} takes a value`);
  }
  throw new UsageError(`unknown flag ${spelling}${didYouMean(word, flags, known)}`);
}

function didYouMean(word: string, flags: Flags, known: Map<string, string>): string {
  const negations = Object.keys(flags).flatMap((name) => (flags[name].type === "boolean" ? [`no-${name}`] : []));
  const near = suggest(word, [...known.keys(), ...negations]);
  return near === undefined ? "" : `; did you mean --${known.get(near) ?? near}?`;
}

function booleanWord(spelling: string, attached: string | undefined, negated: boolean): string {
  if (attached === undefined) return String(!negated);
  if (negated || (attached !== "true" && attached !== "false")) {
    throw new UsageError(`${spelling}=${attached}: an on/off flag takes no value other than =true or =false`);
  }
  return attached;
}

function missingValue(spelling: string, flag: Flag, next: string | undefined): UsageError {
  const after = next === undefined ? "nothing followed" : `${next} followed`;
  const cure = next === undefined ? "" : `; for a value that begins with a dash write ${spelling}=${next}`;
  return new UsageError(`${spelling} needs a value (${wantedValue(flag)}), but ${after}${cure}`);
}

function strayWord(word: string, before: string | undefined, flags: Flags, known: Map<string, string>): UsageError {
  const name = before === undefined ? undefined : known.get(before.replace(/^--(no-)?/, ""));
  if (name !== undefined && flags[name].type === "boolean") {
    return new UsageError(`"${word}" follows --${name}, which takes no value; to switch it off write --no-${name}`);
  }
  const near = suggest(word, [...known.keys()]);
  const cure = near === undefined ? "values follow a flag: --name value" : `did you mean --${known.get(near)}?`;
  return new UsageError(`"${word}" belongs to no flag; ${cure}`);
}
