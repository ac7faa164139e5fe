// Command lines that refuse what they do not understand: strict flags, help, exit codes, progress, tables.

export type { CommandContext, CommandDefinition } from "./command.ts";
export { defineCommand, execute, runCommand } from "./command.ts";

export type { BooleanFlag, EnumFlag, Flag, Flags, FlagValue, FlagValues, IntegerFlag, ListFlag, NumberFlag, StringFlag } from "./flags.ts";
export { defineFlags, underHeading, withDefaults } from "./flags.ts";
export { givenFlags, parseFlags } from "./parse.ts";

export { FailedError, RefusedError, UsageError } from "./errors.ts";
export type { StopSignal } from "./exit-codes.ts";
export { EXIT, signalExitCode, StopRequest, stopSignalOf } from "./exit-codes.ts";

export type { ConfirmOptions } from "./confirm.ts";
export { confirm } from "./confirm.ts";
export type { ProgressOptions } from "./progress.ts";
export { Progress } from "./progress.ts";
export type { Cell } from "./table.ts";
export { renderTable } from "./table.ts";
export type { Style, TextStream } from "./terminal.ts";
export { hasColor, styleFor } from "./terminal.ts";
export { formatBytes, formatDuration, formatNumber } from "./text.ts";
