// Starts a run.

import { join } from "node:path";

import { DisabledRun } from "./disabled-run.ts";
import { WandbError } from "./errors.ts";
import { OfflineRun } from "./offline-run.ts";
import type { InitOptions } from "./options.ts";
import { resolveOptions } from "./options.ts";
import type { Run } from "./run.ts";
import { createRunDirectory } from "./run-directory.ts";
import { TransactionLog } from "./transaction-log.ts";

/**
 * Starts a run and returns it; the run finishes by itself, with the process's exit code, when the process exits.
 * Throws `bad-option`, `online-unsupported` or `directory-unwritable`: after this call the tracker never throws.
 */
export function init(options: InitOptions): Run {
  if (options.mode === "disabled") return new DisabledRun(options);
  if (options.mode === "online") {
    throw new WandbError(
      "online-unsupported",
      "init: streaming to a server is not in this version. Record the run locally with --wandb_offline " +
        '(in code: mode "offline"); the official `wandb sync` uploads its directory later.',
    );
  }
  const resolved = resolveOptions(options);
  const startTime = new Date();
  const directory = createRunDirectory(resolved.dir, resolved.id, startTime);
  try {
    const log = TransactionLog.create(join(directory, `run-${resolved.id}.wandb`));
    return new OfflineRun(resolved, directory, log, startTime);
  } catch (error) {
    const why = (error as Error).message;
    const what = `init: cannot write to ${directory}: ${why}; free space or choose another \`dir\``;
    throw new WandbError("directory-unwritable", what, { cause: error });
  }
}
