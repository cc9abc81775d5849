package dev.tessera.bench.sweep;

import dev.tessera.bench.FileVectors;
import dev.tessera.bench.Fp32Peak;
import dev.tessera.bench.Op;
import dev.tessera.bench.OpTensors;
import dev.tessera.bench.Rounds;
import dev.tessera.bench.Sgemm;
import dev.tessera.bench.Stopwatch;
import dev.tessera.bench.VectorData;
import dev.tessera.device.Device;
import dev.tessera.device.DeviceUnavailableException;
import dev.tessera.device.Stream;
import dev.tessera.io.HostArray;
import dev.tessera.io.Json;
import dev.tessera.io.Npy;
import dev.tessera.vq.SearchStatistics;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/**
 * The child's side: reads one request a line from standard input and answers it with one line of
 * JSON on standard output. Fields are separated by tabs.
 *
 * <pre>
 * open ROWS.npy CODES.npy OUT.npy   searches once and writes the codes; an {@link Opened}
 * sgemm                             prepares the matrix product of that shape too
 * measure                           the search beside the fp32 peak; a {@link Measured}
 * product                           the product beside the peak; a {@link Measured}
 * </pre>
 */
public final class FamilyServer {
  private final Device device = Device.open("cpu");
  private final Stream stream;
  private @Nullable VectorData data;
  private @Nullable OpTensors tensors;
  private @Nullable Stopwatch search;
  private @Nullable Sgemm sgemm;
  private @Nullable Stopwatch product;

  /**
   * A search that was opened.
   *
   * @param unavailable why this processor cannot run the family; else null, and the rest is there
   * @param failure what else went wrong, or null
   * @param kernel the family that ran
   * @param candidatesPerRow codes left after all screening
   * @param rescoredRows rows decided in float64
   * @param scannedRows rows that took a full float64 scan
   * @param seconds of a call, roughly
   */
  record Opened(
      @Nullable String unavailable,
      @Nullable String failure,
      String kernel,
      double candidatesPerRow,
      long rescoredRows,
      long scannedRows,
      double seconds) {
    private static Opened unavailable(String why) {
      return new Opened(why, null, "", 0, 0, 0, 0);
    }
  }

  /**
   * A measurement.
   *
   * @param failure what went wrong, or null
   * @param seconds of a call
   * @param peakGflops fp32 peak of the stream's threads, measured just before
   * @param lost share of the seconds in which the thread had no processor
   */
  record Measured(@Nullable String failure, double seconds, double peakGflops, double lost) {}

  private FamilyServer(int threads) {
    this.stream = device.openStream(threads);
  }

  /** Serves until standard input ends; the only argument is the number of threads. */
  public static void main(String[] arguments) throws IOException {
    new FamilyServer(Integer.parseInt(arguments[0])).serve();
  }

  private void serve() throws IOException {
    PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    BufferedReader in =
        new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line = in.readLine(); line != null; line = in.readLine()) {
      String[] request = line.split("\t", -1);
      out.println(Json.line(answer(request)));
    }
    closeSearch();
    stream.close();
    device.close();
  }

  private Object answer(String[] request) {
    boolean opens = request[0].equals("open");
    try {
      return switch (request[0]) {
        case "open" -> open(Path.of(request[1]), Path.of(request[2]), Path.of(request[3]));
        case "sgemm" -> prepareProduct();
        case "measure" -> measure(Objects.requireNonNull(search));
        case "product" -> measure(Objects.requireNonNull(product));
        default -> throw new IllegalArgumentException("no request: " + request[0]);
      };
    } catch (DeviceUnavailableException e) {
      return Opened.unavailable(String.valueOf(e.getMessage()));
    } catch (IOException | RuntimeException e) {
      String what = String.valueOf(e);
      return opens ? new Opened(null, what, "", 0, 0, 0, 0) : new Measured(what, 0, 0, 0);
    }
  }

  private Opened open(Path rows, Path codes, Path out) throws IOException {
    closeSearch();
    VectorData read = FileVectors.readAll(rows, codes);
    OpTensors opened = new OpTensors(stream, read);
    data = read;
    tensors = opened;
    SearchStatistics.take(stream);
    opened.run(Op.ASSIGN);
    SearchStatistics statistics = SearchStatistics.take(stream);
    Npy.write(out, HostArray.of(opened.codes(), read.n()));
    Stopwatch watch = new Stopwatch(stream.threads(), () -> opened.run(Op.ASSIGN));
    search = watch;
    return new Opened(
        null,
        null,
        statistics.kernel(),
        (double) statistics.candidates() / statistics.rows(),
        statistics.rescoredRows(),
        statistics.scannedRows(),
        watch.estimate());
  }

  private Measured prepareProduct() {
    Sgemm opened = new Sgemm(stream, Objects.requireNonNull(data));
    sgemm = opened;
    Stopwatch watch = new Stopwatch(stream.threads(), opened::run);
    product = watch;
    return measure(watch);
  }

  private Measured measure(Stopwatch watch) {
    Rounds round =
        Rounds.measure(1, List.of(() -> Fp32Peak.measure(stream, Fp32Peak.WIDEST), watch::measure));
    return new Measured(null, round.of(1).median(), round.of(0).median(), round.lost(1));
  }

  private void closeSearch() {
    if (sgemm != null) {
      sgemm.close();
      sgemm = null;
    }
    if (tensors != null) {
      tensors.close();
      tensors = null;
    }
  }
}
