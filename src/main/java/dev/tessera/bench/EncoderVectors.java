package dev.tessera.bench;

import dev.tessera.data.Philox;
import dev.tessera.nn.RandomStreams;
import java.io.IOException;
import java.nio.file.Path;
import java.util.function.Consumer;

/**
 * Outputs of a trained encoder, no vector twice, in random order. With the K of the run the codes
 * are the run's own; others are k-means of outputs that are not among the rows.
 *
 * @param cache where runs are kept
 * @param version of Tessera, for the runs' records
 * @param epochs of training
 * @param seed of the choice of rows, and of k-means
 * @param log takes lines for people: training takes a minute
 */
public record EncoderVectors(
    Path cache, String version, int epochs, long seed, Consumer<String> log)
    implements VectorSource {
  private static final int EPOCHS = 10;

  /** Vectors of runs in the user's cache folder. */
  public static EncoderVectors inUserCache(String version, long seed, Consumer<String> log) {
    return new EncoderVectors(TrainedRun.cache(), version, EPOCHS, seed, log);
  }

  @Override
  public String description() {
    return "outputs of encoders trained on digits, no vector twice; codes of "
        + TrainedRun.CODES
        + " by training, of others by k-means of other outputs";
  }

  @Override
  public VectorData draw(int n, int k, int d) throws IOException {
    boolean own = k == TrainedRun.CODES;
    int wanted = Math.addExact(n, own ? 0 : TrainingRows.wanted(k));
    TrainedRun run = new TrainedRun(cache, d, epochs, version, log);
    run.train();
    try (EncoderOutputs outputs = new EncoderOutputs(run, seed)) {
      DistinctRows distinct = outputs.collect(wanted);
      int[] order = new int[distinct.count()];
      for (int i = 0; i < order.length; i++) {
        order[i] = i;
      }
      new Philox(seed, RandomStreams.BENCHMARK, 5).shuffle(order);
      float[] all = distinct.toArray();
      float[] rows = Rows.pick(all, d, order, 0, n);
      String from =
          "outputs of the encoder of run "
              + run.folder().path().getFileName()
              + ", no vector twice"
              + outputs.note();
      if (own) {
        return new VectorData(rows, outputs.codes(), d, from + "; the run's own codes");
      }
      float[] others = Rows.pick(all, d, order, n, wanted - n);
      return new VectorData(
          rows,
          TrainingRows.centres(others, d, k, seed),
          d,
          from + "; codes by k-means of " + (wanted - n) + " other outputs");
    }
  }
}
