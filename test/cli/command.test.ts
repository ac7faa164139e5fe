// Commands as a user runs them: help, version, exit codes, signals.
import { describe, expect, test } from "bun:test";
import { join } from "node:path";
import { defineFlags, underHeading } from "@cleanloop/cli";
import { renderHelp } from "../../lib/cli/help.ts";
import { styleFor } from "../../lib/cli/terminal.ts";

const ECHO = join(import.meta.dir, "fixtures", "echo.ts");
const start = (words: string[], env: Record<string, string> = {}) =>
  Bun.spawn([process.execPath, ECHO, ...words], { stdout: "pipe", stderr: "pipe", stdin: "ignore", env: { ...process.env, ...env } });

async function run(words: string[], env?: Record<string, string>) {
  const child = start(words, env);
  const [stdout, stderr, code] = await Promise.all([child.stdout.text(), child.stderr.text(), child.exited]);
  return { stdout, stderr, code };
}

describe("a command", () => {
  test("prints data on stdout and nothing on stderr", async () => {
    expect(await run(["--n-epochs", "3"])).toEqual({ stdout: '{"n_epochs":3,"mode":"print"}\n', stderr: "", code: 0 });
  });

  test("ends with 2 and one line for wrong usage", async () => {
    const wanted = "error: unknown flag --n_epoch; did you mean --n_epochs?\necho --help lists the flags.\n";
    expect(await run(["--n_epoch", "3"])).toEqual({ stdout: "", stderr: wanted, code: 2 });
  });

  test("shows a user's error without a stack, and with one on request", async () => {
    const wanted = "error: writeAtomic: /full is full; free some space\n";
    expect(await run(["--mode", "user-error"])).toEqual({ stdout: "", stderr: wanted, code: 1 });
    expect((await run(["--mode", "user-error"], { CLEANLOOP_DEBUG: "1" })).stderr).toContain("echo.ts:");
  });

  test("admits a bug as a bug", async () => {
    const { stderr, code } = await run(["--mode", "bug"]);
    expect(code).toBe(1);
    expect(stderr).toStartWith("error: TypeError: x is undefined\nThis is a bug in the command");
  });

  test("ends with 3 when it declines", async () => {
    expect(await run(["--mode", "refuse"])).toEqual({ stdout: "", stderr: "error: nothing to do\n", code: 3 });
  });

  test("--version and --help work beside anything else", async () => {
    expect(await run(["--version"])).toEqual({ stdout: "echo 1.2.3\n", stderr: "", code: 0 });
    const { stdout, stderr, code } = await run(["--banana", "--help"]);
    expect({ stderr, code }).toEqual({ stderr: "", code: 0 });
    expect(stdout).toMatchInlineSnapshot(`
      "Prints its flags as JSON.

      Usage  echo [flags]

      Examples
        bun echo.ts --n_epochs 3

      Flags
        --n_epochs <integer>              Passes over the data. (default 25)
        --mode <print|user-error|bug|refuse|wait|stubborn>
                                          What to do. (default print)

      Other
        --help                            Show this text and exit.
        --version                         Show the version and exit.

      Flags may be written --n_epochs, --n-epochs or --nEpochs; on/off flags have a --no- form.
      Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 130 interrupted.
      "
    `);
  });

  test.each([["SIGINT", 130], ["SIGTERM", 143], ["SIGHUP", 129]] as const)("%s lets the work finish its step", async (signal, code) => {
    const child = start(["--mode", "wait"]);
    const reader = child.stdout.getReader();
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("ready\n");
    child.kill(signal);
    expect(await child.exited).toBe(code);
    expect(new TextDecoder().decode((await reader.read()).value)).toBe("saved\n");
  });

  test("a second Ctrl-C ends work that does not listen", async () => {
    const child = start(["--mode", "stubborn"]);
    const [out, err] = [child.stdout.getReader(), child.stderr.getReader()];
    await out.read();
    child.kill("SIGINT");
    expect(new TextDecoder().decode((await err.read()).value)).toContain("once more to stop at once");
    child.kill("SIGINT");
    expect(await child.exited).toBe(130);
  });
});

test("help lists flags under their headings with defaults and ranges", () => {
  const flags = defineFlags({
    ...underHeading("Training", {
      loop_mode: { type: "enum", values: ["open", "closed"], required: true, description: "Whether the last latent is tied to the first." },
      threads: { type: "integer", min: 1, max: 64, default: 2, description: "Threads." },
    }),
    ...underHeading("Output", {
      wandb_only: { type: "boolean", default: true, description: "Keep nothing but the tracker's log." },
      data: { type: "string", valueName: "path|synthetic", default: "synthetic", description: "Where the sprite sequences come from." },
    }),
  });
  const plain = styleFor({ write: () => {} });
  expect(renderHelp({ name: "train", summary: "Trains.", examples: ["bun train.ts --loop_mode open"], flags }, plain, 90)).toMatchInlineSnapshot(`
    "Trains.

    Usage  train --loop_mode <open|closed> [flags]

    Examples
      bun train.ts --loop_mode open

    Training
      --loop_mode <open|closed>         Whether the last latent is tied to the first.
                                        (required)
      --threads <integer>               Threads. (default 2, 1 to 64)

    Output
      --wandb_only                      Keep nothing but the tracker's log. (on;
                                        --no-wandb_only switches it off)
      --data <path|synthetic>           Where the sprite sequences come from. (default
                                        synthetic)

    Other
      --help                            Show this text and exit.
      --version                         Show the version and exit.

    Flags may be written --n_epochs, --n-epochs or --nEpochs; on/off flags have a --no- form.
    Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused, 130 interrupted."
  `);
});
