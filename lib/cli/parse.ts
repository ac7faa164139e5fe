// From the words of the command line to typed values: strict check, citty, then types and ranges.
import type { ArgsDef } from "citty";
import { parseArgs } from "citty";
import { UsageError } from "./errors.ts";
import type { Flag, FlagValues, Flags, IntegerFlag, NumberFlag } from "./flags.ts";
import { wantedValue } from "./flags.ts";
import { canonicalArguments } from "./strict.ts";
import { suggest } from "./suggest.ts";

/** Typed values of all flags. Throws UsageError, naming the flag, what was got, what was wanted. */
export function parseFlags<F extends Flags>(flags: F, argv: readonly string[]): FlagValues<F> {
  const words = canonicalArguments(argv, flags);
  const parsed = parseArgs(words, cittyArguments(flags));
  const values = Object.entries(flags).map(([name, flag]) => [name, typedValue(name, flag, parsed[name])]);
  return Object.fromEntries(values) as FlagValues<F>;
}

/** Names of the flags that the command line itself sets, as opposed to those that have their default. */
export function givenFlags<F extends Flags>(flags: F, argv: readonly string[]): Set<keyof F> {
  const names = canonicalArguments(argv, flags).map((word) => word.slice(2).replace(/=.*$/s, ""));
  return new Set(names.map((name) => (name in flags ? name : name.slice("no-".length))));
}

function cittyArguments(flags: Flags): ArgsDef {
  const described = Object.entries(flags).map(([name, flag]) => {
    const type = flag.type === "boolean" ? "boolean" : "string";
    return [name, { type, description: flag.description }] as const;
  });
  return Object.fromEntries(described);
}

function typedValue(name: string, flag: Flag, got: string | boolean | number | string[] | undefined): unknown {
  if (flag.type === "boolean") return got ?? flag.default ?? false;
  if (flag.type === "list") return typeof got === "string" ? got.split(",").filter(Boolean) : [...(flag.default ?? [])];
  if (got === undefined) {
    if (flag.required && flag.default === undefined) throw new UsageError(`--${name} is required (${wantedValue(flag)})`);
    return flag.default;
  }
  const text = String(got);
  if (flag.type === "string") return text;
  if (flag.type === "integer" || flag.type === "number") return checkedNumber(name, flag, text);
  if (flag.values.includes(text)) return text;
  const near = suggest(text, flag.values);
  throw new UsageError(`--${name}: got "${text}", wanted ${wantedValue(flag)}${near ? `; did you mean ${near}?` : ""}`);
}

function checkedNumber(name: string, flag: IntegerFlag | NumberFlag, text: string): number {
  const value = /^[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?$/i.test(text) ? Number(text) : Number.NaN;
  const isWhole = flag.type === "number" || Number.isSafeInteger(value);
  const inRange =
    value >= (flag.min ?? -Infinity) && value <= (flag.max ?? Infinity) && value > (flag.above ?? -Infinity);
  if (Number.isFinite(value) && isWhole && inRange) return value;
  throw new UsageError(`--${name}: got "${text}", wanted ${wantedValue(flag)}`);
}
