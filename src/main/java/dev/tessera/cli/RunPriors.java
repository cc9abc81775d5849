package dev.tessera.cli;

import dev.tessera.io.MalformedFileException;
import dev.tessera.prior.PriorConfig;
import dev.tessera.prior.PriorFolder;
import dev.tessera.train.RunFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/** The priors of a run, and how their samples are laid out. */
final class RunPriors {
  private static final int COLUMNS = 8;
  private static final int MOST_CLASS_COLUMNS = 16;

  private RunPriors() {}

  /**
   * The folder of a prior of this name.
   *
   * @throws IllegalArgumentException if the name is no name of a folder
   */
  static PriorFolder folder(RunFolder run, String name) {
    if (!name.matches("[A-Za-z0-9][A-Za-z0-9._-]*")) {
      throw new IllegalArgumentException(
          "a prior's name has letters, digits, '.', '_' and '-', and '" + name + "' has others");
    }
    return new PriorFolder(run.path().resolve("priors").resolve(name));
  }

  /**
   * The prior of this name, or the only one of the run.
   *
   * @throws MalformedFileException if there is none, or several and no name
   */
  static PriorFolder find(RunFolder run, @Nullable String name) throws IOException {
    List<String> names = names(run);
    if (name == null && names.size() == 1) {
      return folder(run, names.getFirst());
    }
    if (names.isEmpty()) {
      throw new MalformedFileException(
          run.path(), "has no prior: train one with tessera prior " + run.path());
    }
    if (name == null || !names.contains(name)) {
      throw new MalformedFileException(
          run.path(),
          (name == null ? "has several priors" : "has no prior " + name)
              + "; there are "
              + String.join(", ", names)
              + ": say which");
    }
    return folder(run, name);
  }

  /**
   * Like {@link #find}, and checks that the prior is of the run as it is now.
   *
   * @throws MalformedFileException also if the run has been trained on since
   */
  static PriorFolder open(RunFolder run, @Nullable String name) throws IOException {
    PriorFolder prior = find(run, name);
    prior.open();
    if (!RunCodes.source(run, run.readInfo()).equals(prior.readInfo().source())) {
      throw new MalformedFileException(
          prior.path(),
          "was trained on other codes: the run has been trained on since; train a new prior");
    }
    return prior;
  }

  /** Names of the run's priors, sorted. */
  static List<String> names(RunFolder run) throws IOException {
    Path priors = run.path().resolve("priors");
    List<String> names = new ArrayList<>();
    if (Files.isDirectory(priors)) {
      try (Stream<Path> inside = Files.list(priors)) {
        inside
            .filter(path -> Files.exists(new PriorFolder(path).config()))
            .map(path -> String.valueOf(path.getFileName()))
            .sorted()
            .forEach(names::add);
      }
    }
    return names;
  }

  /** Columns of a picture of samples: one a class, if there are not too many. */
  static int columns(PriorConfig.Grid grid) {
    return grid.classes() > 1 && grid.classes() <= MOST_CLASS_COLUMNS ? grid.classes() : COLUMNS;
  }

  /** Classes of images: all the same, or all classes in turn; null for a prior without classes. */
  static int @Nullable [] classes(PriorConfig.Grid grid, int count, @Nullable Integer only) {
    if (grid.classes() == 0) {
      if (only != null) {
        throw new IllegalArgumentException(
            "the prior was trained without classes: leave --class out");
      }
      return null;
    }
    int[] classes = new int[count];
    for (int i = 0; i < count; i++) {
      classes[i] = only == null ? i % grid.classes() : only;
    }
    return classes;
  }
}
