// How flags are declared: once, in snake_case, with type, range, default and the sentence that becomes the help text.
import { camelCase, kebabCase } from "./spelling.ts";

interface Described {
  /** One sentence for the help text. */
  description: string;
  /** Heading under which the help text lists the flag. */
  heading?: string;
}

interface Ranged {
  min?: number;
  max?: number;
  /** Exclusive lower bound, for quantities such as a learning rate. */
  above?: number;
}

export interface IntegerFlag extends Described, Ranged {
  type: "integer";
  default?: number;
  required?: boolean;
}

export interface NumberFlag extends Described, Ranged {
  type: "number";
  default?: number;
  required?: boolean;
}

export interface StringFlag extends Described {
  type: "string";
  default?: string;
  required?: boolean;
  /** What to show in place of the value in the help text, e.g. "path". */
  valueName?: string;
}

export interface EnumFlag extends Described {
  type: "enum";
  values: readonly string[];
  default?: string;
  required?: boolean;
}

/** `--flag` and `--no-flag`; off unless the default says otherwise. */
export interface BooleanFlag extends Described {
  type: "boolean";
  default?: boolean;
}

/** `--flag a,b` and `--flag a --flag b` are the same; empty unless the default says otherwise. */
export interface ListFlag extends Described {
  type: "list";
  default?: readonly string[];
  valueName?: string;
}

export type Flag = IntegerFlag | NumberFlag | StringFlag | EnumFlag | BooleanFlag | ListFlag;
export type Flags = Readonly<Record<string, Flag>>;

type Present<F> = F extends { default: unknown } | { required: true } ? never : undefined;

/** The value a declared flag has after parsing: undefined only when it has neither a default nor is required. */
export type FlagValue<F extends Flag> = F extends BooleanFlag
  ? boolean
  : F extends ListFlag
    ? string[]
    : F extends EnumFlag
      ? F["values"][number] | Present<F>
      : F extends IntegerFlag | NumberFlag
        ? number | Present<F>
        : string | Present<F>;

export type FlagValues<F extends Flags> = { [K in keyof F]: FlagValue<F[K]> };

/** Declares flags; the returned object carries their types. Throws when a name is not snake_case or two spellings clash. */
export function defineFlags<const F extends Flags>(flags: F): F {
  spellings(flags);
  return flags;
}

/** The same flags, listed under a heading in the help text. */
export function underHeading<const F extends Flags>(heading: string, flags: F): F {
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, { ...flag, heading }])) as unknown as F;
}

/** The same flags with other defaults, for a command that is another one with its own habits. */
export function withDefaults<F extends Flags>(flags: F, defaults: { [K in keyof F]?: FlagValue<F[K]> }): F {
  const changed = Object.entries(flags).map(([name, flag]) =>
    name in defaults ? [name, { ...flag, default: defaults[name] }] : [name, flag],
  );
  return Object.fromEntries(changed) as F;
}

/** Every accepted spelling (snake_case, kebab-case, camelCase) to the declared name. */
export function spellings(flags: Flags): Map<string, string> {
  const known = new Map<string, string>();
  for (const name of Object.keys(flags)) {
    if (!/^[a-z][a-z0-9]*(_[A-Za-z0-9]+)*$/.test(name)) {
      throw new TypeError(`defineFlags: "${name}" is not snake_case`);
    }
    for (const spelling of new Set([name, kebabCase(name), camelCase(name)])) {
      const owner = known.get(spelling);
      if (owner !== undefined) throw new TypeError(`defineFlags: "${name}" and "${owner}" share the spelling "${spelling}"`);
      known.set(spelling, name);
    }
  }
  return known;
}

/** What a flag accepts, in words: "a whole number of at least 1". */
export function wantedValue(flag: Flag): string {
  if (flag.type === "enum") return `one of ${flag.values.join(", ")}`;
  if (flag.type !== "integer" && flag.type !== "number") return `a ${flag.type}`;
  const noun = flag.type === "integer" ? "a whole number" : "a number";
  if (flag.min !== undefined && flag.max !== undefined) return `${noun} from ${flag.min} to ${flag.max}`;
  const lower = flag.above !== undefined ? ` above ${flag.above}` : flag.min !== undefined ? ` of at least ${flag.min}` : "";
  const upper = flag.max !== undefined ? `${lower ? " and" : ""} of at most ${flag.max}` : "";
  return noun + lower + upper;
}
