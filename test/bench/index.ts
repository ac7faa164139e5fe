// Benchmarks: ours and a peer alternately in one go, and the ratio of their medians.
//   bun run bench                              all of them
//   bun run bench rlvae-step --rounds 5        one of them, more rounds
//   bun run bench rlvae-step --seconds 4       shorter measurements
import { parseArgs } from "node:util";
import { benchAlloStep } from "./allo-step.ts";
import { benchRlvaeStep } from "./rlvae-step.ts";

export interface BenchOptions {
  /** How often ours and the peer take turns. */
  rounds: number;
  /** Length of one measurement. */
  seconds: number;
}

const benches: Record<string, (options: BenchOptions) => Promise<void>> = {
  "rlvae-step": benchRlvaeStep,
  "allo-step": benchAlloStep,
};

const fail = (message: string): never => {
  console.error(`bench: ${message}`);
  process.exit(2);
};

/** Flags and names; anything else is refused. */
function readArguments(): { names: string[]; options: BenchOptions } {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "8" } },
  });
  const unknown = positionals.find((name) => !(name in benches));
  if (unknown !== undefined) fail(`no benchmark "${unknown}"; there are: ${Object.keys(benches).join(", ")}`);
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)];
  if (!Number.isInteger(rounds) || rounds < 1) fail(`--rounds ${values.rounds}: must be a whole number from 1`);
  if (!(seconds > 0)) fail(`--seconds ${values.seconds}: must be a number above 0`);
  return { names: positionals.length > 0 ? positionals : Object.keys(benches), options: { rounds, seconds } };
}

let given: ReturnType<typeof readArguments>;
try {
  given = readArguments();
} catch (error) {
  given = fail((error as Error).message); // what parseArgs says of a flag it does not know
}
for (const name of given.names) await benches[name](given.options);
