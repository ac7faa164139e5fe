// How the flags of a resumed run come together: its own, and the few that the command line may change.
import { UsageError } from "@cleanloop/cli";

/** What every command with --resume has. */
interface ResumeWords {
  resume?: string;
  json: boolean;
}

/**
 * The saved flags, with those that may change taken from the command line where they were written there. Throws UsageError when
 * another flag was written with another value.
 */
export function mergedFlags<Flags extends ResumeWords>(
  saved: Flags,
  words: { [K in keyof Flags]?: Flags[K] } & ResumeWords,
  { given, resumable }: { given: ReadonlySet<string>; resumable: readonly (keyof Flags)[] },
): Flags {
  const changed = Object.entries(words).filter(([name]) => given.has(name));
  for (const [name, value] of changed) {
    const before = saved[name as keyof Flags];
    if (name === "resume" || resumable.includes(name as keyof Flags) || String(before) === String(value)) continue;
    throw new UsageError(`--${name} ${value}: the run has ${before ?? "no value"}; a resumed run keeps its settings, so leave the flag out`);
  }
  return { ...saved, ...Object.fromEntries(changed), resume: words.resume, json: words.json };
}
