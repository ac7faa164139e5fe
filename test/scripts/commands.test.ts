// Every command: its examples are well formed, and --help needs none of the heavy modules.
import { describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import type { Flags } from "@cleanloop/cli";
import { parseFlags } from "@cleanloop/cli";
import { alloFlags } from "../../scripts/allo/flags.ts";
import { trainerFlags } from "../../scripts/rlvae/trainer_flags.ts";

const SCRIPTS = resolve(import.meta.dir, "..", "..", "scripts");
const commands = readdirSync(SCRIPTS).filter((name) => name.endsWith(".ts"));

/** Packages that are loaded as soon as a script is, following its relative imports; `await import` and types do not count. */
function packagesAtStart(file: string, seen = new Set<string>()): string[] {
  if (seen.has(file)) return [];
  seen.add(file);
  const imports = new Bun.Transpiler({ loader: "ts" }).scanImports(readFileSync(file, "utf8"));
  return imports.filter(({ kind }) => kind === "import-statement").flatMap(({ path }) => {
    if (!path.startsWith(".")) return [path];
    return path.endsWith(".ts") ? packagesAtStart(join(dirname(file), path), seen) : [];
  });
}

describe.each(commands)("%s", (name) => {
  test("loads nothing but lib/cli before its flags are checked", () => {
    const heavy = packagesAtStart(join(SCRIPTS, name)).filter((path) => !/^(node:|bun:|@cleanloop\/cli$)/.test(path));
    expect(heavy).toEqual([]);
  });

  test("begins with three commands that run it", () => {
    const lines = readFileSync(join(SCRIPTS, name), "utf8").split("\n").slice(0, 3);
    for (const line of lines) expect(line).toMatch(new RegExp(`^// (npx -y bun@[\\d.]+ ${name.replace(".ts", "")}|bun scripts/${name})( |$)`));
  });
});

test.each([
  ["train_cyclic_loop_comparison.ts", trainerFlags],
  ["run_clean_training.ts", trainerFlags],
  ["allo.ts", alloFlags],
] as const)("the first lines of %s are command lines it accepts", (name, flags) => {
  const lines = readFileSync(join(SCRIPTS, name), "utf8").split("\n").slice(0, 3);
  for (const line of lines) expect(() => parseFlags<Flags>(flags, line.split(" ").slice(3))).not.toThrow();
});
