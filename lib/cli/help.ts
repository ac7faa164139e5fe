// The help text: usage, three examples, then every flag under its heading with default and range.
import type { Flag, Flags } from "./flags.ts";
import { wrapText } from "./text.ts";
import type { Style } from "./terminal.ts";

export interface HelpSubject {
  name: string;
  summary: string;
  /** Command lines that run as they stand. */
  examples: readonly string[];
  flags: Flags;
}

const FIRST_COLUMN_MAX = 34;

/** Help text of a command, `width` columns wide. */
export function renderHelp(subject: HelpSubject, style: Style, width = 110): string {
  const required = Object.entries(subject.flags).filter(([, flag]) => "required" in flag && flag.required);
  const usage = [subject.name, ...required.map(([name, flag]) => written(name, flag)), "[flags]"].join(" ");
  const lines = [subject.summary, "", `${style.bold("Usage")}  ${usage}`, "", style.bold("Examples")];
  lines.push(...subject.examples.map((example) => `  ${example}`));
  for (const [heading, flags] of byHeading(subject.flags)) {
    lines.push("", style.bold(heading), ...flags.flatMap(([name, flag]) => flagLines(name, flag, style, width)));
  }
  lines.push("", "Flags may be written --n_epochs, --n-epochs or --nEpochs; on/off flags have a --no- form.");
  lines.push("Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 130 interrupted.");
  return lines.join("\n");
}

function byHeading(flags: Flags): Map<string, [string, Flag][]> {
  const groups = new Map<string, [string, Flag][]>();
  for (const [name, flag] of Object.entries(flags)) {
    const heading = flag.heading ?? "Flags";
    groups.set(heading, [...(groups.get(heading) ?? []), [name, flag]]);
  }
  const builtIn: [string, Flag][] = [
    ["help", { type: "boolean", description: "Show this text and exit." }],
    ["version", { type: "boolean", description: "Show the version and exit." }],
  ];
  return groups.set("Other", [...(groups.get("Other") ?? []), ...builtIn]);
}

function flagLines(name: string, flag: Flag, style: Style, width: number): string[] {
  const first = `  ${written(name, flag)}`;
  const detail = [flag.description, note(name, flag)].filter(Boolean).join(" ");
  const body = wrapText(detail, width - FIRST_COLUMN_MAX - 2);
  const indent = " ".repeat(FIRST_COLUMN_MAX + 2);
  const fits = first.length <= FIRST_COLUMN_MAX;
  const head = style.cyan(first) + (fits ? " ".repeat(FIRST_COLUMN_MAX + 2 - first.length) + body[0] : "");
  return [head, ...body.slice(fits ? 1 : 0).map((line) => indent + line)];
}

function written(name: string, flag: Flag): string {
  if (flag.type === "boolean") return `--${name}`;
  const value = flag.type === "enum" ? flag.values.join("|") : ("valueName" in flag && flag.valueName) || flag.type;
  return `--${name} <${value}>`;
}

function note(name: string, flag: Flag): string {
  const notes: string[] = [];
  if ("required" in flag && flag.required) notes.push("required");
  if (flag.type === "boolean" && flag.default) notes.push(`on; --no-${name} switches it off`);
  if (flag.type !== "boolean" && flag.type !== "list" && flag.default !== undefined) notes.push(`default ${flag.default}`);
  if ((flag.type === "integer" || flag.type === "number") && flag.max !== undefined && flag.min !== undefined) {
    notes.push(`${flag.min} to ${flag.max}`);
  }
  return notes.length > 0 ? `(${notes.join(", ")})` : "";
}
