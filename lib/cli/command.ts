// Runs a command: flags are checked before anything heavy is loaded, errors become one line and an exit code,
// and the first Ctrl-C asks the work to stop in order (the second one ends the process).
import { describeError, exitCodeOf, UsageError } from "./errors.ts";
import type { StopSignal } from "./exit-codes.ts";
import { EXIT, signalExitCode, STOP_SIGNALS, StopRequest } from "./exit-codes.ts";
import type { FlagValues, Flags } from "./flags.ts";
import { renderHelp } from "./help.ts";
import { givenFlags, parseFlags } from "./parse.ts";
import { styleFor } from "./terminal.ts";

export interface CommandContext<F extends Flags> {
  flags: FlagValues<F>;
  /** The flags that the user wrote; the others have their default. */
  given: ReadonlySet<keyof F>;
  /** Aborted at the first SIGINT, SIGTERM or SIGHUP: finish the step, save, close, return. */
  signal: AbortSignal;
  /** Writes one line of data to stdout. Everything else belongs on stderr. */
  print(line: string): void;
}

export interface CommandDefinition<F extends Flags> {
  name: string;
  version: string;
  summary: string;
  examples: readonly string[];
  flags: F;
  /**
   * The work; heavy modules are imported in here. Returns nothing when it ran to its end or was stopped by `signal`
   * (the exit code follows from that), or the exit code.
   */
  run(context: CommandContext<F>): Promise<number | void>;
}

/** Declares a command; the returned object carries the types of its flags. */
export function defineCommand<F extends Flags>(definition: CommandDefinition<F>): CommandDefinition<F> {
  return definition;
}

/** Runs the command with the words of this process's command line, then ends the process with its exit code. */
export async function runCommand<F extends Flags>(command: CommandDefinition<F>): Promise<never> {
  const code = await execute(command, process.argv.slice(2));
  await Promise.all([process.stdout, process.stderr].map(drained));
  process.exit(code);
}

/** Runs the command with `argv` and returns the exit code; never throws. */
export async function execute<F extends Flags>(command: CommandDefinition<F>, argv: readonly string[]): Promise<number> {
  if (argv.includes("--help") || argv.includes("-h")) {
    process.stdout.write(`${renderHelp(command, styleFor(process.stdout))}\n`);
    return EXIT.done;
  }
  if (argv.includes("--version")) {
    process.stdout.write(`${command.name} ${command.version}\n`);
    return EXIT.done;
  }
  const stop = watchSignals();
  try {
    const flags = parseFlags(command.flags, argv);
    const given = givenFlags(command.flags, argv);
    const print = (line: string) => void process.stdout.write(`${line}\n`);
    const code = await command.run({ flags, given, signal: stop.signal, print });
    return code ?? (stop.received ? signalExitCode(stop.received) : EXIT.done);
  } catch (error) {
    if (stop.received && isAbort(error)) return signalExitCode(stop.received);
    const cure = error instanceof UsageError ? `\n${command.name} --help lists the flags.` : "";
    process.stderr.write(`${describeError(error, Boolean(process.env.CLEANLOOP_DEBUG))}${cure}\n`);
    return exitCodeOf(error);
  } finally {
    stop.release();
  }
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}

function watchSignals() {
  const controller = new AbortController();
  const names = Object.keys(STOP_SIGNALS) as StopSignal[];
  const handlers = names.map((name) => {
    const handler = () => {
      if (state.received) process.exit(signalExitCode(name));
      state.received = name;
      process.stderr.write(`\n${name}: finishing this step, saving and closing; once more to stop at once\n`);
      controller.abort(new StopRequest(name));
    };
    process.on(name, handler);
    return { name, handler };
  });
  const state = {
    signal: controller.signal,
    received: undefined as StopSignal | undefined,
    release: () => handlers.forEach(({ name, handler }) => process.off(name, handler)),
  };
  return state;
}

function drained(stream: NodeJS.WriteStream): Promise<void> {
  return new Promise((resolve) => stream.write("", () => resolve()));
}
