// Flag parsing: every accepted spelling, every refusal with its words.
import { describe, expect, test } from "bun:test";
import { defineFlags, givenFlags, parseFlags, UsageError, withDefaults } from "@cleanloop/cli";

const flags = defineFlags({
  loop_mode: { type: "enum", values: ["open", "closed"], required: true, description: "Loop." },
  n_epochs: { type: "integer", min: 1, default: 25, description: "Epochs." },
  learning_rate: { type: "number", above: 0, default: 3e-4, description: "Rate." },
  seed: { type: "integer", default: 0, description: "Seed." },
  run_name: { type: "string", description: "Name." },
  wandb_only: { type: "boolean", description: "Tracker only." },
  curvature: { type: "boolean", default: true, description: "Curvature." },
  tags: { type: "list", description: "Tags." },
});
const parse = (...words: string[]) => parseFlags(flags, ["--loop_mode=open", ...words]);
const message = (...words: string[]) => {
  try {
    parseFlags(flags, words);
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return (error as Error).message;
  }
  throw new Error(`accepted: ${words.join(" ")}`);
};

describe("accepted", () => {
  test.each(["--n_epochs 3", "--n-epochs 3", "--nEpochs 3", "--n_epochs=3", "--n-epochs=3", "--nEpochs=3"])("%s", (line) =>
    expect(parse(...line.split(" ")).n_epochs).toBe(3),
  );

  test("defaults fill what is not given, and only a flag without default is undefined", () => {
    const { run_name, ...rest } = parse();
    expect(run_name).toBeUndefined();
    expect(rest).toEqual({
      loop_mode: "open", n_epochs: 25, learning_rate: 3e-4, seed: 0, wandb_only: false, curvature: true, tags: [],
    });
  });

  test("on/off flags have a negative form in every spelling", () => {
    expect(parse("--wandbOnly").wandb_only).toBe(true);
    expect(parse("--no-wandb_only").wandb_only).toBe(false);
    expect(parse("--no-curvature").curvature).toBe(false);
    expect(parse("--wandb-only=false").wandb_only).toBe(false);
    expect(parse("--no-wandb-only").wandb_only).toBe(false);
  });

  test("negative and exponent numbers are values, not flags", () => {
    expect(parse("--seed", "-7").seed).toBe(-7);
    expect(parse("--learning_rate", "1e-3").learning_rate).toBe(0.001);
    expect(parse("--learning_rate", ".5").learning_rate).toBe(0.5);
  });

  test("values may hold equal signs, spaces, commas and leading dashes", () => {
    expect(parse("--run_name=a=b, c").run_name).toBe("a=b, c");
    expect(parse("--run_name=--no-wandb_only").run_name).toBe("--no-wandb_only");
    expect(parse("--run_name", "true").run_name).toBe("true");
  });

  test("a list may be repeated or separated by commas", () => {
    expect(parse("--tags", "a,b", "--tags", "c").tags).toEqual(["a", "b", "c"]);
  });

  test("givenFlags tells what was written from what is a default", () => {
    const words = ["--nEpochs=3", "--no-curvature", "--tags", "a,b", "--run-name", "x=--seed"];
    expect([...givenFlags(flags, words)].sort()).toEqual(["curvature", "n_epochs", "run_name", "tags"]);
  });

  test("withDefaults changes the default and nothing else", () => {
    const clean = withDefaults(flags, { wandb_only: true, n_epochs: 10 });
    expect(parseFlags(clean, ["--loop_mode", "closed"])).toMatchObject({ wandb_only: true, n_epochs: 10, seed: 0 });
    expect(parseFlags(clean, ["--loop_mode", "closed", "--no-wandb_only"]).wandb_only).toBe(false);
  });
});

describe("refused", () => {
  const open = "--loop_mode=open";
  test.each([
    [[open, "--n_epoch", "3"], "unknown flag --n_epoch; did you mean --n_epochs?"],
    [[open, "--wandb_olny"], "unknown flag --wandb_olny; did you mean --wandb_only?"],
    [[open, "--no-wandb-olny"], "unknown flag --no-wandb-olny; did you mean --no-wandb_only?"],
    [[open, "--learningrate", "1"], "unknown flag --learningrate; did you mean --learning_rate?"],
    [[open, "--banana"], "unknown flag --banana"],
    [[open, "-n_epochs", "3"], "unknown flag -n_epochs; did you mean --n_epochs?"],
    [[open, "--N_EPOCHS", "3"], "unknown flag --N_EPOCHS; did you mean --n_epochs?"],
    [[open, "--n_epochs"], "--n_epochs needs a value (a whole number of at least 1), but nothing followed"],
    [[open, "--n_epochs="], "--n_epochs needs a value (a whole number of at least 1), but nothing followed"],
    [[open, "--n_epochs", "--wandb_only"], "--n_epochs needs a value (a whole number of at least 1), but --wandb_only followed; for a value that begins with a dash write --n_epochs=--wandb_only"],
    [[open, "--n_epochs", "0"], '--n_epochs: got "0", wanted a whole number of at least 1'],
    [[open, "--n_epochs", "-4"], '--n_epochs: got "-4", wanted a whole number of at least 1'],
    [[open, "--n_epochs", "2.5"], '--n_epochs: got "2.5", wanted a whole number of at least 1'],
    [[open, "--n_epochs", "3e"], '--n_epochs: got "3e", wanted a whole number of at least 1'],
    [[open, "--n_epochs", "0x10"], '--n_epochs: got "0x10", wanted a whole number of at least 1'],
    [[open, "--learning_rate", "0"], '--learning_rate: got "0", wanted a number above 0'],
    [[open, "--learning_rate", "NaN"], '--learning_rate: got "NaN", wanted a number above 0'],
    [["--loop_mode", "opne"], '--loop_mode: got "opne", wanted one of open, closed; did you mean open?'],
    [[], "--loop_mode is required (one of open, closed)"],
    [[open, "--seed", "1", "--seed", "2"], "--seed is given twice; give it once"],
    [[open, "--wandb_only", "--no-wandb_only"], "--wandb_only is given twice; give it once"],
    [[open, "--no-n_epochs"], "--no-n_epochs: only on/off flags have a --no- form; --n_epochs takes a value"],
    [[open, "--wandb_only=yes"], "--wandb_only=yes: an on/off flag takes no value other than =true or =false"],
    [[open, "--wandb_only", "true"], '"true" follows --wandb_only, which takes no value; to switch it off write --no-wandb_only'],
    [[open, "banana"], '"banana" belongs to no flag; values follow a flag: --name value'],
    [[open, "n_epochs", "3"], '"n_epochs" belongs to no flag; did you mean --n_epochs?'],
    [[open, "--"], "unknown flag --"],
  ])("%j", (words: string[], wanted: string) => expect(message(...words)).toBe(wanted));

  test("a declaration that is not snake_case, or that collides, is a bug found at once", () => {
    expect(() => defineFlags({ nEpochs: { type: "boolean", description: "" } })).toThrow("not snake_case");
    expect(() => defineFlags({ a_1: { type: "boolean", description: "" }, a1: { type: "boolean", description: "" } })).toThrow('share the spelling "a1"');
  });
});
