// The output policy against the table of modes: what is written where.
import { describe, expect, test } from "bun:test";
import { outputPolicy, requireAvailable } from "../../scripts/shared/output_policy.ts";

const none = { wandb: true, wandb_only: false, disable_local_files: false, wandb_offline: false, keep_weights: false };
const only = { ...none, wandb_only: true };
const offline = { ...only, wandb_offline: true };

describe("mode, figures on disk, checkpoints on disk, run directory, tracker, figures in it, weights in it", () => {
  const rows: [string, typeof none, string][] = [
    ["no flags", none, "standard yes yes yes online yes no"],
    ["--disable_local_files", { ...none, disable_local_files: true }, "hybrid no yes yes online yes no"],
    ["--wandb_only", only, "wandb-only no no no online yes yes"],
    ["--wandb_only --wandb_offline", offline, "wandb-only-offline no no no offline yes no"],
    ["--wandb_offline", { ...none, wandb_offline: true }, "standard yes yes yes offline yes no"],
    ["--wandb_only --wandb_offline --keep_weights", { ...offline, keep_weights: true }, "wandb-only-offline no no no offline yes yes"],
    ["--wandb_only --disable_local_files", { ...only, disable_local_files: true }, "wandb-only no no no online yes yes"],
    ["--no-wandb", { ...none, wandb: false }, "standard yes yes yes disabled no no"],
  ];
  test.each(rows)("%s", (_, flags, wanted) => {
    const policy = outputPolicy(flags);
    const { mode, figuresOnDisk, checkpointsOnDisk, runDirectoryKept, tracker, figuresInTracker, weightsInTracker } = policy;
    const cells = [mode, figuresOnDisk, checkpointsOnDisk, runDirectoryKept, tracker, figuresInTracker, weightsInTracker];
    expect(cells.map((cell) => (cell === true ? "yes" : cell === false ? "no" : cell)).join(" ")).toBe(wanted);
  });
});

test("flags that would leave nothing are refused", () => {
  expect(() => outputPolicy({ ...only, wandb: false })).toThrow("would keep nothing of the run");
  expect(() => outputPolicy({ ...none, wandb: false, wandb_offline: true })).toThrow("no tracker to be offline");
});

test("a mode that needs a server is refused with the way out", () => {
  expect(() => requireAvailable(outputPolicy(none))).toThrow("--wandb_offline");
  expect(() => requireAvailable(outputPolicy(offline))).not.toThrow();
  expect(() => requireAvailable(outputPolicy({ ...none, wandb: false }))).not.toThrow();
});
