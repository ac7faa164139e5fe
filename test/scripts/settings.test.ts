// What trainer flags mean, and which of them a resumed run may be given anew.
import { describe, expect, test } from "bun:test";
import { givenFlags, parseFlags } from "@cleanloop/cli";
import { resumedFlags, runSettings, trackerConfig } from "../../scripts/rlvae/settings.ts";
import { trainerFlags } from "../../scripts/rlvae/trainer_flags.ts";

const flagsOf = (...words: string[]) => parseFlags(trainerFlags, words);
const settingsOf = (...words: string[]) => runSettings(flagsOf("--loop_mode=open", ...words));
const resumeFrom = (state: "finished" | "failed" | "killed", nextEpoch: number, ...words: string[]) => {
  const flags = flagsOf("--loop_mode=closed", "--n_epochs=4", "--batch_size=8", "--learning_rate=0.001", "--target_val_total=3");
  return resumedFlags({ flags, state, position: nextEpoch }, flagsOf(...words), givenFlags(trainerFlags, words));
};
const resume = (nextEpoch: number, ...words: string[]) => resumeFrom("killed", nextEpoch, ...words);

describe("the objective of the flags", () => {
  test("is the fixed one: exact KL weight 1, no flow term, metric scaled to the posterior", () => {
    expect(settingsOf().objective).toMatchObject({
      posterior: "riemannian_metric", kl: "exact", klWeight: 1, flowWeight: 0, metricScaling: "posterior", metricTemperature: "nearest-neighbour",
    });
  });

  test("faithful is the original's: legacy KL weight 8, flow term 1, trace 16 and T = 3", () => {
    expect(settingsOf("--objective", "faithful").objective).toMatchObject({
      kl: "legacy", klWeight: 8, flowWeight: 1, metricScaling: "trace", metricTemperature: 3,
    });
  });

  test("each part can be overridden alone", () => {
    const words = ["--objective=faithful", "--kl=gaussian_prior", "--flow_weight=0.5", "--metric_temperature=2", "--cycle_penalty=7"];
    expect(settingsOf(...words).objective).toMatchObject({ kl: "gaussian_prior", klWeight: 8, flowWeight: 0.5, metricTemperature: 2, cyclePenalty: 7 });
    expect(settingsOf("--riemannian_beta=4").objective.klWeight).toBe(4);
    expect(settingsOf("--kl_weight=0.5").objective.klWeight).toBe(0.5);
    expect(settingsOf("--flow_direction=sequential").config.flowDirection).toBe("sequential");
  });

  test("a gaussian posterior has the gaussian KL with weight 1, whatever the riemannian beta", () => {
    expect(settingsOf("--posterior=gaussian", "--riemannian_beta=8").objective).toMatchObject({ kl: "gaussian", klWeight: 1 });
  });

  test("contradictions are refused", () => {
    expect(() => settingsOf("--kl_weight=1", "--riemannian_beta=8")).toThrow("are the same weight");
    expect(() => settingsOf("--posterior=gaussian", "--kl=legacy")).toThrow("wanted kl gaussian");
    expect(() => runSettings(flagsOf())).toThrow("--loop_mode is required");
  });
});

describe("a resumed run", () => {
  test("keeps its own settings, not the defaults of the command line", () => {
    expect(resume(2, "--resume=runs/a")).toMatchObject({ loop_mode: "closed", batch_size: 8, learning_rate: 0.001, n_epochs: 4, resume: "runs/a", target_val_total: 3 });
  });

  test("may be given more epochs and other outputs", () => {
    expect(resume(4, "--resume=runs/a", "--n_epochs=6", "--json", "--wandb_offline")).toMatchObject({ n_epochs: 6, json: true, wandb_offline: true, batch_size: 8 });
  });

  test("refuses another value of what it was trained with, and accepts the same", () => {
    expect(() => resume(2, "--resume=runs/a", "--batch_size=16")).toThrow("--batch_size 16: the run has 8");
    expect(() => resume(2, "--resume=runs/a", "--metric=x.pt")).toThrow("--metric x.pt: the run has no value");
    expect(resume(2, "--resume=runs/a", "--batch_size=8", "--loop_mode=closed").batch_size).toBe(8);
  });

  test("declines when it is finished and no epoch is left", () => {
    expect(() => resumeFrom("finished", 4, "--resume=runs/a")).toThrow("nothing to do: the run has its 4 epochs; raise --n_epochs");
    expect(resumeFrom("finished", 4, "--resume=runs/a", "--n_epochs=5").n_epochs).toBe(5);
  });

  test("goes on to its closing part when it was killed or failed behind its last epoch", () => {
    for (const state of ["killed", "failed"] as const) expect(resumeFrom(state, 4, "--resume=runs/a").n_epochs).toBe(4);
  });

  test("stays in its project when the number of epochs crosses the original's limit", () => {
    const first = runSettings(flagsOf("--loop_mode=open", "--n_epochs=50")).flags;
    expect(first.wandb_project).toBe("cyclic-loop-mode-comparison");
    const words = ["--resume=runs/a", "--n_epochs=51"];
    const merged = resumedFlags({ flags: first, state: "killed", position: 2 }, flagsOf(...words), givenFlags(trainerFlags, words));
    expect(runSettings(merged).flags.wandb_project).toBe("cyclic-loop-mode-comparison");
    expect(settingsOf("--n_epochs=51").flags.wandb_project).toBe("cyclic-loop-mode-extended");
  });
});

describe("the tracker's config", () => {
  test("holds every flag as it was resolved, under the names of the command line", () => {
    const settings = settingsOf("--threads=3", "--pretrain_steps=7");
    const { flags } = trackerConfig(settings, {});
    expect(Object.keys(flags as object).sort()).toEqual(Object.keys(trainerFlags).sort());
    expect(flags).toMatchObject({ data: "synthetic", engine: "onnx", device: "auto", threads: 3, pretrain_steps: 7 });
  });

  test("has a number for the temperature, or nothing while it depends on the metric", () => {
    expect(trackerConfig(settingsOf("--objective=faithful"), {}).temperature_fix).toBe(3);
    expect(trackerConfig(settingsOf(), {}).temperature_fix).toBeUndefined();
  });
});
