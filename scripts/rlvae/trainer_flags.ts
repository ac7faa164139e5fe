// The flags of the RlVAE trainer: declared once, with the sentences that --help shows.
import type { FlagValues } from "@cleanloop/cli";
import { defineFlags, underHeading } from "@cleanloop/cli";
import { machineFlags, outputFlags, RESUMABLE_SHARED_FLAGS, trackerFlags } from "../shared/output_flags.ts";

export const trainerFlags = defineFlags({
  ...underHeading("Training", {
    loop_mode: { type: "enum", values: ["open", "closed"], description: "open ties nothing; closed decodes the last frame from the first latent and penalises the gap. Required, unless --resume." },
    cycle_penalty: { type: "number", min: 0, default: 1, description: "Weight of the loop penalty (closed loop only)." },
    n_epochs: { type: "integer", min: 1, default: 25, description: "Passes over the training sequences." },
    batch_size: { type: "integer", min: 1, default: 16, description: "Sequences per step; the last incomplete batch of an epoch is dropped." },
    learning_rate: { type: "number", above: 0, default: 3e-4, description: "Adam's first learning rate; it falls by 0.8 when the validation loss stalls for 8 epochs." },
    weight_averaging: { type: "number", min: 0, max: 0.99999, default: 0.998, description: "Decay per step of the running average of the weights that is validated, saved as best and exported; 0 uses the last step's weights." },
    seed: { type: "integer", min: 0, default: 42, description: "Everything random follows from it." },
    target_val_total: { type: "number", description: "Makes the run a gate: exit 1 when the best validation total is above this." },
  }),
  ...underHeading("Data", {
    data: { type: "string", valueName: "path|synthetic", default: "synthetic", description: "A directory made by prepare_sprites, a .npy file [N,8,3,64,64], or generated sprites." },
    n_train_samples: { type: "integer", min: 1, default: 3000, description: "Training sequences, taken from the front." },
    n_val_samples: { type: "integer", min: 1, default: 600, description: "Validation sequences: identities that training never sees." },
  }),
  ...underHeading("Objective", {
    objective: { type: "enum", values: ["fixed", "faithful"], default: "fixed", description: "fixed: exact KL weight 1, no flow term, metric scaled to the posterior. faithful: the original's legacy KL weight 8, flow term 1, trace-16 metric. The flags below override one part each." },
    posterior: { type: "enum", values: ["riemannian_metric", "gaussian", "iaf"], default: "riemannian_metric", description: "How z0 is drawn around the encoder's mean." },
    kl: { type: "enum", values: ["legacy", "exact", "gaussian_prior"], description: "The KL of the riemannian_metric posterior." },
    kl_weight: { type: "number", min: 0, description: "Weight of the KL." },
    riemannian_beta: { type: "number", min: 0, description: "The original's name for --kl_weight with the riemannian_metric posterior." },
    flow_weight: { type: "number", min: 0, description: "Weight of -mean log|det| of the flows." },
    flow_direction: { type: "enum", values: ["one_pass", "sequential"], default: "one_pass", description: "Direction of the IAF chain; sequential is the original's and about 16 times slower." },
  }),
  ...underHeading("Metric and pre-training", {
    metric: { type: "string", valueName: "file", description: "A metric file (.safetensors, .pt); without it one is built by pre-training and cached under the output directory." },
    metric_scaling: { type: "enum", values: ["posterior", "trace"], description: "Scale of the metric's matrices; follows from the objective." },
    metric_temperature: { type: "number", above: 0, description: "T of the metric's kernels; follows from the objective." },
    pretrained: { type: "string", valueName: "directory", description: "A bundle made by pretrain_vae, instead of the cache." },
    pretrain_steps: { type: "integer", min: 1, default: 4000, description: "Steps of the vanilla VAE that gives encoder, decoder and metric their start." },
  }),
  ...machineFlags,
  ...underHeading("Output", {
    output_dir: { type: "string", valueName: "directory", default: "runs", description: "Everything a run writes lies in here." },
    resume: { type: "string", valueName: "run", description: "Continue this run directory with its own settings, bit for bit unless --threads, --engine or --device change; besides them only --n_epochs, where the data lie and the output flags may." },
    visualization_frequency: { type: "integer", min: 1, default: 5, description: "Export figure data every so many epochs, and always at the last." },
    sequence_viz_count: { type: "integer", min: 1, default: 8, description: "Sequences in the exported reconstructions." },
    html_latent_space: { type: "boolean", description: "Accepted for old command lines: pages are drawn from the exported data by the figures' command, which is not in this version." },
    disable_curvature_during_training: { type: "boolean", description: "Accepted for old command lines: training never computes curvature." },
  }),
  ...outputFlags,
  ...trackerFlags,
  wandb_project: { ...trackerFlags.wandb_project, description: "Project; cyclic-loop-mode-comparison, or -extended above 50 epochs." },
});

export type TrainerFlags = FlagValues<typeof trainerFlags>;

/** Flags that a resumed run may be given anew: how far it goes, and where its data lie (their fingerprint is checked). */
export const RESUMABLE_FLAGS: readonly (keyof TrainerFlags)[] = [...RESUMABLE_SHARED_FLAGS, "n_epochs", "target_val_total", "data", "output_dir"];
