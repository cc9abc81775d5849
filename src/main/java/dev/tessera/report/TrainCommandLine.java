package dev.tessera.report;

import dev.tessera.model.VqVaeConfig;
import dev.tessera.model.VqVaeConfig.TrainingConfig;
import dev.tessera.train.RunFolder;
import dev.tessera.train.RunInfo;
import dev.tessera.train.RunInfo.DataInfo;
import java.util.ArrayList;
import java.util.List;
import java.util.regex.Pattern;

/** The command that repeats a run, for a POSIX shell. */
final class TrainCommandLine {
  private static final Pattern PLAIN =
      Pattern.compile("[A-Za-z0-9_./:@%+,=][-A-Za-z0-9_./:@%+,=]*");

  private TrainCommandLine() {}

  /**
   * By the configuration's name and options if these say all of it, otherwise by the run folder's
   * {@code config.json}.
   */
  static String of(RunFolder folder, VqVaeConfig config, RunInfo info) {
    List<String> words = new ArrayList<>(List.of("./tessera", "train"));
    if (VqVaeConfig.names().contains(config.name()) && optionsSayAll(config)) {
      addNamed(words, config);
    } else {
      words.add(argument(folder.config().toString()));
    }
    if (!info.data().source().equals(DataInfo.EMBEDDED)) {
      words.add("--data");
      words.add(argument(info.data().source()));
    }
    if (!info.device().equals("cpu")) {
      words.add("--device");
      words.add(argument(info.device()));
    }
    words.add("--seed");
    words.add(Long.toString(info.seed()));
    words.add("--threads");
    words.add(Integer.toString(info.threads()));
    return String.join(" ", words);
  }

  private static boolean optionsSayAll(VqVaeConfig config) {
    TrainingConfig t = config.training();
    VqVaeConfig named = VqVaeConfig.named(config.name());
    TrainingConfig same = named.training().withBatch(t.batch()).withLength(t.epochs(), t.steps());
    return named.withTraining(same).equals(config);
  }

  private static void addNamed(List<String> words, VqVaeConfig config) {
    words.add(config.name());
    TrainingConfig t = config.training();
    TrainingConfig usual = VqVaeConfig.named(config.name()).training();
    if (t.epochs() != usual.epochs() || t.steps() != usual.steps()) {
      words.add(t.epochs() > 0 ? "--epochs" : "--steps");
      words.add(Integer.toString(t.epochs() > 0 ? t.epochs() : t.steps()));
    }
    if (t.batch() != usual.batch()) {
      words.add("--batch");
      words.add(Integer.toString(t.batch()));
    }
  }

  /** A word as a shell reads it back; one that begins with a dash is not taken for an option. */
  static String argument(String word) {
    String safe = word.startsWith("-") ? "./" + word : word;
    return PLAIN.matcher(safe).matches() ? safe : "'" + safe.replace("'", "'\\''") + "'";
  }
}
