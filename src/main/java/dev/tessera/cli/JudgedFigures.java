package dev.tessera.cli;

import dev.tessera.judge.Confusion;
import dev.tessera.judge.Judgement;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;

/**
 * {@code judged.json} of a prior, and what {@code eval samples --json} prints.
 *
 * @param run its folder
 * @param prior its folder
 * @param classifier what judged
 * @param draws how the samples were drawn
 * @param samples number of images drawn
 * @param recognised share of them that was taken for the class asked for; null without classes, as
 *     the three that follow
 * @param recognisedByClass the same of each class
 * @param confusion images asked for as class (row) and taken for class (column)
 * @param heldOutImages number of held-out images
 * @param heldOutRecognised share of the held-out images taken for what they are; null without
 *     labels
 * @param reconstructionsRecognised the same of their reconstructions
 * @param features dimensions of the classifier's features
 * @param frechetSamples squared Frechet distance of samples and held-out images
 * @param frechetReconstructions of reconstructions and held-out images
 * @param frechetHeldOut of some held-out images and the others
 * @param picture all samples
 */
record JudgedFigures(
    String run,
    String prior,
    Judge classifier,
    Draws draws,
    int samples,
    @Nullable Double recognised,
    @Nullable List<Double> recognisedByClass,
    @Nullable List<List<Integer>> confusion,
    int heldOutImages,
    @Nullable Double heldOutRecognised,
    @Nullable Double reconstructionsRecognised,
    int features,
    Judgement.Distance frechetSamples,
    Judgement.Distance frechetReconstructions,
    Judgement.Distance frechetHeldOut,
    String picture) {
  private static final int MISTAKES = 5;

  /** The classifier. */
  record Judge(String folder, String sha256, String data, int trainImages) {}

  /** How samples were drawn; {@code topK} is null for all. */
  record Draws(long seed, double temperature, @Nullable Long topK, double topP) {}

  static JudgedFigures of(
      String run, String prior, Judge judge, Draws draws, Judgement j, String picture) {
    Confusion asked = j.samples();
    return new JudgedFigures(
        run,
        prior,
        judge,
        draws,
        j.taken().length,
        share(asked),
        asked == null ? null : IntStream.range(0, asked.classes()).mapToObj(asked::share).toList(),
        asked == null ? null : asked.rows(),
        j.reconstructionsDistance().others(),
        share(j.heldOut()),
        share(j.reconstructions()),
        j.dimensions(),
        j.samplesDistance(),
        j.reconstructionsDistance(),
        j.heldOutDistance(),
        picture);
  }

  private static @Nullable Double share(@Nullable Confusion confusion) {
    return confusion == null ? null : confusion.share();
  }

  void print(PrintWriter out, Judgement judgement, Path file) {
    out.printf(
        Locale.ROOT,
        "%s judged by %s, which learned from %,d images of %s%n",
        prior,
        classifier.folder(),
        classifier.trainImages(),
        classifier.data());
    out.printf(
        Locale.ROOT,
        "%,d samples: seed %d, temperature %s, top-k %s, top-p %s%n%n",
        samples,
        draws.seed(),
        draws.temperature(),
        draws.topK() == null ? "all" : draws.topK(),
        draws.topP());
    printShares(out, judgement);
    out.printf(
        Locale.ROOT,
        "%nFrechet distance (squared; Heusel et al. 2017, eq. 6) of the classifier's %d features."
            + " This is not the FID of%nInception's features, and it depends on the numbers of"
            + " images.%n",
        features);
    out.printf(
        Locale.ROOT, "  samples          %10.3f   %s held-out images%n", args(frechetSamples));
    out.printf(
        Locale.ROOT,
        "  reconstructions  %10.3f   %s held-out images, their originals%n",
        args(frechetReconstructions));
    out.printf(
        Locale.ROOT,
        "  held-out images  %10.3f   %s others of them: what images of one kind give%n",
        args(frechetHeldOut));
    out.printf(Locale.ROOT, "%nsamples: %s%nfigures: %s%n", picture, file);
  }

  private void printShares(PrintWriter out, Judgement judgement) {
    Confusion asked = judgement.samples();
    if (asked == null) {
      out.printf(
          Locale.ROOT,
          "the prior was trained without --classes, so no class was asked for that could be"
              + " recognised%n");
    } else {
      out.printf(
          Locale.ROOT,
          "recognised as the class asked for: %.1f %% of %,d samples%n",
          100 * asked.share(),
          asked.images());
      for (int c = 0; c < asked.classes(); c++) {
        if (asked.images(c) > 0) {
          out.printf(
              Locale.ROOT,
              "  class %d: %5.1f %% of %,d%n",
              c,
              100 * asked.share(c),
              asked.images(c));
        }
      }
      if (asked.right() < asked.images()) {
        out.printf(
            Locale.ROOT,
            "  most often not: %s%n",
            asked.mistakes(MISTAKES).stream()
                .map(m -> m.actual() + " taken for " + m.taken() + " (" + m.count() + ")")
                .collect(Collectors.joining(", ")));
      }
    }
    if (heldOutRecognised != null && reconstructionsRecognised != null) {
      out.printf(
          Locale.ROOT,
          "beside it: %.2f %% of %,d held-out images, %.2f %% of their reconstructions%n",
          100 * heldOutRecognised,
          heldOutImages,
          100 * reconstructionsRecognised);
    }
  }

  private static Object[] args(Judgement.Distance d) {
    return new Object[] {
      d.squared(), String.format(Locale.ROOT, "%,d against %,d", d.images(), d.others())
    };
  }
}
