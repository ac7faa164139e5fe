// wandb-metadata.json: where and how the program was started, as W&B's overview page shows it.

import { availableParallelism, cpus, hostname, platform, release, totalmem, userInfo } from "node:os";

const SECRET_NAME = /key|token|secret|passw/i;
const BYTES_PER_GB = 1024 ** 3;

/** The fields of wandb-metadata.json that are known without asking another program. */
export function runMetadata(startTime: Date): Record<string, unknown> {
  const runtime = process.versions.bun === undefined ? `node ${process.versions.node}` : `bun ${process.versions.bun}`;
  return {
    os: `${platform()} ${release()}`,
    runtime,
    startedAt: startTime.toISOString(),
    program: process.argv[1],
    args: withoutSecrets(process.argv.slice(2)),
    executable: process.execPath,
    host: hostname(),
    username: userName(),
    cpu_count: cpus().length,
    cpu_count_logical: availableParallelism(),
    memory: { total: Math.round((totalmem() / BYTES_PER_GB) * 100) / 100 },
  };
}

/** Command-line arguments with the values of flags that sound like a secret replaced. */
export function withoutSecrets(args: readonly string[]): string[] {
  return args.map((arg, index) => {
    const [name, value] = splitFlag(arg);
    if (value !== undefined && SECRET_NAME.test(name)) return `${name}=***`;
    const [flag, flagValue] = splitFlag(args[index - 1] ?? "");
    const isValueOfSecret = flag.startsWith("-") && flagValue === undefined && SECRET_NAME.test(flag);
    return isValueOfSecret && !arg.startsWith("-") ? "***" : arg;
  });
}

function splitFlag(arg: string): [name: string, value: string | undefined] {
  const equals = arg.startsWith("-") ? arg.indexOf("=") : -1;
  return equals < 0 ? [arg, undefined] : [arg.slice(0, equals), arg.slice(equals + 1)];
}

function userName(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    // A container may run under a user that has no name.
    return undefined;
  }
}
