// Benchmarks: ours and a peer alternately in one go, and the ratio of their medians.
//   bun run bench                              all of them
//   bun run bench rlvae-step --rounds 5        one of them, more rounds
//   bun run bench rlvae-step --seconds 4       shorter measurements
import { parseArgs } from "node:util";
import { benchRlvaeStep } from "./rlvae-step.ts";

export interface BenchOptions {
  /** How often ours and the peer take turns. */
  rounds: number;
  /** Length of one measurement. */
  seconds: number;
}

const benches: Record<string, (options: BenchOptions) => Promise<void>> = { "rlvae-step": benchRlvaeStep };

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: "string", default: "3" }, seconds: { type: "string", default: "8" } },
});
const names = positionals.length > 0 ? positionals : Object.keys(benches);
const unknown = names.find((name) => !(name in benches));
if (unknown !== undefined) {
  console.error(`no benchmark "${unknown}"; there are: ${Object.keys(benches).join(", ")}`);
  process.exit(2);
}
for (const name of names) await benches[name]({ rounds: Number(values.rounds), seconds: Number(values.seconds) });
