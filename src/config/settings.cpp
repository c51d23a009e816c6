// SPDX-License-Identifier: BSD-3-Clause
#include "config/settings.hpp"

namespace minidad {

void visit_settings(SettingsVisitor& v, Settings& s) {
  constexpr Range positive{.low = 1, .high = 2147483647.0};
  constexpr Range count{.low = 0, .high = 1e15};
  constexpr Range above_zero{.low = 0, .open_low = true};
  constexpr Range fraction{.low = 0, .high = 1};
  constexpr Range from_zero{.low = 0};
  constexpr Range below_one{.low = 0, .high = 0.999999};

  v.text("data.source", s.data.source, "where samples come from", data_source_names);
  v.text("data.train_images", s.data.train_images, "images: bytes in an IDX file, raw or gzip (idx); an array (npy)");
  v.text("data.train_labels", s.data.train_labels, "their labels (idx, npy)");
  v.text("data.test_images", s.data.test_images, "as train_images");
  v.text("data.test_labels", s.data.test_labels, "as train_labels");
  v.texts(
      "data.train_files", s.data.train_files,
      "files of samples, one after another (cifar10, cifar100, csv, hdf5, ts, text); text: none is Debian's jargon");
  v.texts("data.test_files", s.data.test_files, "as train_files; text: none is the end of the training text");
  v.integer(
      "data.classes", s.data.classes, {.low = 0, .high = 2147483647.0},
      "labels are 0 ... classes - 1; 0: what the source has (idx, cifar10, synthetic: 10, cifar100: 100, text: 256)");
  v.real("data.mean", s.data.mean, {}, "features are (x - mean) / deviation; x is byte / 255, or a number as it is");
  v.real("data.deviation", s.data.deviation, above_zero, "see mean");
  v.flag("data.standardise", s.data.standardise,
         "take mean and deviation of each channel from the training samples instead");
  v.integer("data.shift", s.data.shift, {.low = 0, .high = 65536},
            "pixels by which training images are moved at random, at most");
  v.flag("data.flip", s.data.flip, "mirror training images at random");
  v.integer("data.train_limit", s.data.train_limit, count, "use only the first so many training samples; 0: all");
  v.text("data.split", s.data.split,
         "how ranks share training samples; by all but iid, the global batch depends on the ranks", data_split_names);
  v.real("data.skew", s.data.skew, fraction, "share of each class that is dealt out sorted (skewed)");
  v.real("data.alpha", s.data.alpha, {.low = 1e-3, .high = 1e6}, "the smaller, the more unlike the ranks (dirichlet)");
  v.text("data.label_column", s.data.label_column, "where labels are (csv)", label_column_names);
  v.text("data.features_name", s.data.features_name, "dataset of the features (hdf5)");
  v.text("data.labels_name", s.data.labels_name, "dataset of the labels (hdf5)");
  v.integer("data.length", s.data.length, {.low = 0, .high = 1e9},
            "steps of all series, shorter ones beginning with zeros; 0: of the longest (ts)");
  v.integer("data.context", s.data.context, {.low = 1, .high = 1e6}, "bytes of a sample (text)");
  v.integer("data.stride", s.data.stride, {.low = 1, .high = 1e6}, "bytes from one training sample to the next (text)");
  v.real("data.test_fraction", s.data.test_fraction, {.low = 0, .high = 0.9},
         "of the text, at its end, if there are no test_files (text)");
  v.integer("data.features", s.data.features, positive, "width of a sample (synthetic)");
  v.integer("data.train_samples", s.data.train_samples, positive, "number of training samples (synthetic)");
  v.integer("data.test_samples", s.data.test_samples, positive, "number of test samples (synthetic)");

  v.text("model.name", s.model.name, "what network; layers: the one that model.layers describes", model_names);
  v.integers("model.hidden", s.model.hidden, positive, "widths of the hidden layers (mlp)");
  v.text("model.activation", s.model.activation, "of the hidden layers; the last layer is linear (mlp)",
         activation_names);
  v.integer("model.width", s.model.width, {.low = 0, .high = 65536},
            "channels of the first layer (cnn, resnet20), of the state (gru), of a token (vit, gpt); 0: the usual");
  v.integer("model.depth", s.model.depth, {.low = 0, .high = 1000},
            "convolutions (cnn), transformer blocks (vit, gpt); 0: the usual");
  v.integer("model.heads", s.model.heads, {.low = 1, .high = 65536}, "of attention (vit, gpt)");
  v.integer("model.patch", s.model.patch, {.low = 1, .high = 65536}, "pixels on a side of a token (vit)");
  v.real("model.dropout", s.model.dropout, {.low = 0, .high = 0.99},
         "before the last layer (cnn, gru), at the end of each branch (vit, gpt)");
  v.texts("model.layers", s.model.layers, "one layer a text, from the input to the classes (layers)");

  v.integer("training.epochs", s.training.epochs, {.low = 1, .high = 1e9}, "passes over the training samples");
  v.integer("training.batch", s.training.batch, positive, "rows of the global batch, all ranks together");
  v.integer("training.seed", s.training.seed, {.low = 0, .high = 9007199254740992.0},
            "of weights, shuffling and synthetic data");
  v.integer("training.check_replicas_every", s.training.check_replicas_every, count,
            "steps between comparisons of the ranks' parameters; 0: only at the end");
  v.integer("training.record_every", s.training.record_every, positive, "steps between entries of the time series");

  v.text("optimiser.method", s.optimiser.method, "how parameters follow the gradient", optimiser_names);
  v.real("optimiser.momentum", s.optimiser.momentum, below_one, "of the last steps; 0: none (sgd)");
  v.flag("optimiser.nesterov", s.optimiser.nesterov, "look ahead along the momentum (sgd)");
  v.real("optimiser.beta1", s.optimiser.beta1, below_one, "what stays of the mean gradient each step (adam, adamw)");
  v.real("optimiser.beta2", s.optimiser.beta2, below_one, "what stays of the mean square (adam, adamw)");
  // The square of a gradient below 1e-22 is zero in float: a smaller epsilon would blow such gradients up.
  v.real("optimiser.epsilon", s.optimiser.epsilon, {.low = 1e-20},
         "added to the root of the mean square (adam, adamw)");
  v.real("optimiser.weight_decay", s.optimiser.weight_decay, from_zero,
         "of all parameters: added to the gradient (sgd, adam), or taken off by itself (adamw)");
  v.real("optimiser.clip_norm", s.optimiser.clip_norm, from_zero,
         "the gradient of all parameters is shortened to that norm if it is longer; 0: never");

  v.real("schedule.rate", s.schedule.rate, from_zero, "base learning rate, for the mean loss over the global batch");
  v.text("schedule.kind", s.schedule.kind, "how the rate changes", schedule_names);
  v.real("schedule.warmup_epochs", s.schedule.warmup_epochs, from_zero, "linear rise to the base rate");
  v.real("schedule.step_epochs", s.schedule.step_epochs, above_zero, "epochs between drops (step)");
  v.real("schedule.step_factor", s.schedule.step_factor, above_zero, "of each drop (step)");
  v.real("schedule.final_fraction", s.schedule.final_fraction, fraction, "of the base rate at the end (cosine)");

  v.text("exchange.method", s.exchange.method, "what ranks send each other", exchange_names);
  v.flag("exchange.deterministic", s.exchange.deterministic,
         "the same weight bits for any number of ranks (dad, edad)");
  v.integer("exchange.row_block", s.exchange.row_block, positive,
            "rows of the global batch whose products are formed together (deterministic)");
  v.integer("exchange.bucket_kib", s.exchange.bucket_kib, count,
            "layers with smaller gradients share a message with the next (dsgd)");

  v.integer("low_rank.width", s.exchange.low_rank.width, {.low = 1, .high = 4096},
            "rows (rank_dad) or columns (powersgd, power_dad) a layer travels as; the most with epsilon");
  v.real("low_rank.epsilon", s.exchange.low_rank.epsilon, {.low = 0, .high = 1},
         "certified relative error a step may make in a layer; 0: fixed width (rank_dad, power_dad)");
  v.text("low_rank.solver", s.exchange.low_rank.solver, "how rows become few; author: for reproduction only (rank_dad)",
         solver_names);
  v.text("low_rank.pattern", s.exchange.low_rank.pattern, "who gets whose few rows (rank_dad)", pattern_names);
  v.integer("low_rank.sweeps", s.exchange.low_rank.sweeps, {.low = 1, .high = 1000},
            "power iterations a step (block, powersgd, power_dad) or a component (author)");
  v.integer("low_rank.oversampling", s.exchange.low_rank.oversampling, {.low = 0, .high = 4096},
            "columns iterated beyond those that travel (block)");
  v.flag("low_rank.warm_start", s.exchange.low_rank.warm_start,
         "begin where the last step ended (block, powersgd, power_dad)");
  v.flag("low_rank.drop_last", s.exchange.low_rank.drop_last, "lose the last component, as published (author)");
  v.integer("low_rank.feedback", s.exchange.low_rank.feedback, {.low = 0, .high = 4096},
            "rows of each layer's error that are kept; 0: none (rank_dad, power_dad)");
  v.integer("low_rank.feedback_period", s.exchange.low_rank.feedback_period, {.low = 1, .high = 4096},
            "steps between reductions of the error to that many rows");
  v.flag("low_rank.dense_feedback", s.exchange.low_rank.dense_feedback,
         "keep the whole error of each layer for the next step (powersgd)");
  v.real("low_rank.min_compression", s.exchange.low_rank.min_compression, from_zero,
         "layers that would shrink by less than this factor are summed exactly");
  v.integer("low_rank.start_step", s.exchange.low_rank.start_step, count, "exact steps before compression starts");

  v.integer("probe.every", s.probe.every, count,
            "steps between looks at each layer's gradient, from the first; 0: none");
  v.integer("probe.width", s.probe.width, {.low = 1, .high = 1024}, "of the truncation and the subspace looked at");
  v.flag("probe.per_class", s.probe.per_class, "spectra of the rows of each class too");

  v.text("comm.transfer", s.comm.transfer, "how device data reaches MPI: host copies, or device pointers",
         transfer_names);

  v.text("output.file", s.output.file, "HDF5 file of the run");
  v.flag("output.overwrite", s.output.overwrite, "replace an existing file");
  v.real("output.show_seconds", s.output.show_seconds, {.low = 0, .high = 1e6},
         "while a run goes on its records reach the file so often, for those who watch; 0: after epochs only");

  v.integer("checkpoint.every", s.checkpoint.every, count, "steps between checkpoints; 0: only those asked for");
  v.integer("checkpoint.keep", s.checkpoint.keep, positive, "so many checkpoints, the newest; older ones are deleted");
  v.text("checkpoint.folder", s.checkpoint.folder, "where they are; empty: beside output.file");

  v.text("failure.policy", s.failure.policy, "when training diverges: end, or go back to the newest checkpoint",
         policy_names);
  v.real("failure.explosion", s.training.explosion, from_zero,
         "a loss so many times that of the first step is a divergence; 0: only what is not finite");
  v.real("failure.rollback_rate", s.failure.rollback_rate, {.low = 0, .high = 1, .open_low = true},
         "what the learning rate is multiplied by (rollback)");
  v.integer("failure.rollbacks", s.failure.rollbacks, positive, "so many times at most (rollback)");
  v.real("failure.stall_seconds", s.failure.stall_seconds, from_zero,
         "a rank that keeps others waiting for so long ends the job; 0: never");
}

}  // namespace minidad
