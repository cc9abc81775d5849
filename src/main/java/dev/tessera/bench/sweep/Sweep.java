package dev.tessera.bench.sweep;

import dev.tessera.bench.CodeCheck;
import dev.tessera.bench.Quartiles;
import dev.tessera.bench.VectorData;
import dev.tessera.bench.VectorSource;
import dev.tessera.bench.sweep.FamilyServer.Measured;
import dev.tessera.bench.sweep.FamilyServer.Opened;
import dev.tessera.bench.sweep.SweepResult.FamilyResult;
import dev.tessera.bench.sweep.SweepResult.ShapeResult;
import dev.tessera.device.Device;
import dev.tessera.io.HostArray;
import dev.tessera.io.Npy;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.Consumer;

/** Measures every family on every shape of a plan. */
public final class Sweep implements AutoCloseable {
  /**
   * The families that the library has on some processor, as in {@code native/cpu/vq/family.cpp}.
   */
  public static final List<String> FAMILIES =
      List.of("int8-vnni", "bf16-avx512", "fp32-avx512", "fp32-avx2", "portable");

  private static final double SECONDS_A_FAMILY = 1.5; // of measuring on one shape, and no longer
  private static final int LEAST = 3; // measurements, unless a single one takes that long
  private static final List<String> NAMES = List.of("rows.npy", "codes.npy", "out.npy");
  private static final double QUIET = 0.01; // see Rounds

  private final SweepPlan plan;
  private final Consumer<String> log;
  private final Path files; // rows, codes and answers
  private final FamilyProcess chosen;
  private final Map<String, FamilyProcess> families = new LinkedHashMap<>();
  private final List<String> unavailable = new ArrayList<>();

  /** Starts the processes. {@code log} takes lines for people. */
  public Sweep(SweepPlan plan, Consumer<String> log) throws IOException {
    this.plan = plan;
    this.log = log;
    this.files = Files.createTempDirectory("tessera-sweep-");
    files.toFile().deleteOnExit(); // after the files in it, also when the user interrupts
    for (String name : NAMES) {
      files.resolve(name).toFile().deleteOnExit();
    }
    this.chosen = new FamilyProcess(null, plan.threads());
    for (String family : FAMILIES) {
      families.put(family, new FamilyProcess(family, plan.threads()));
    }
  }

  /** Measures all shapes. */
  public SweepResult run(VectorSource source, String version) throws IOException {
    List<ShapeResult> shapes = new ArrayList<>();
    for (int d : plan.ds()) {
      for (int k : plan.ks()) {
        VectorData data = source.draw(plan.n(), k, d);
        ShapeResult shape = measure(data);
        shapes.add(shape);
        log.accept(line(shape));
      }
    }
    try (Device device = Device.open("cpu")) {
      Device.Info info = device.info();
      return new SweepResult(
          info.description(),
          info.instructionSets(),
          version,
          source.description(),
          plan.n(),
          plan.threads(),
          List.copyOf(unavailable),
          shapes,
          (int) shapes.stream().filter(ShapeResult::withinTolerance).count(),
          shapes.stream()
              .flatMap(s -> s.families().stream())
              .mapToLong(FamilyResult::mismatchesVsFloat64)
              .sum());
    }
  }

  // What was measured of one family on one shape.
  private record Samples(Opened opened, CodeCheck.Result codes, List<Measured> taken) {
    int wanted(int repeats) {
      double affordable = SECONDS_A_FAMILY / opened.seconds();
      return affordable < 1 ? 1 : (int) Math.min(repeats, Math.max(LEAST, affordable));
    }
  }

  private ShapeResult measure(VectorData data) throws IOException {
    Path rows = files.resolve("rows.npy");
    Path codes = files.resolve("codes.npy");
    Path out = files.resolve("out.npy");
    Npy.write(rows, HostArray.of(data.rows(), data.n(), data.d()));
    Npy.write(codes, HostArray.of(data.codes(), data.k(), data.d()));
    String choice = chosen.open(rows, codes, out).kernel();
    CodeCheck check = new CodeCheck(data, CodeCheck.ALL_ROWS_UP_TO);
    Map<String, Samples> samples = new LinkedHashMap<>();
    for (FamilyProcess family : List.copyOf(families.values())) {
      Opened opened = family.open(rows, codes, out);
      if (opened.unavailable() != null) {
        families.remove(family.name());
        unavailable.add(family.name());
        family.close();
        continue;
      }
      if (!opened.kernel().equals(family.name())) {
        throw new IllegalStateException(family.name() + " was forced, " + opened.kernel() + " ran");
      }
      samples.put(
          family.name(), new Samples(opened, check.compare(readCodes(out)), new ArrayList<>()));
    }
    List<Measured> products = new ArrayList<>(List.of(chosen.openProduct()));
    for (int round = 0; round < plan.repeats(); round++) {
      for (Map.Entry<String, Samples> entry : samples.entrySet()) {
        if (round < entry.getValue().wanted(plan.repeats())) {
          FamilyProcess family = families.get(entry.getKey());
          if (family != null) {
            entry.getValue().taken().add(family.measure());
          }
        }
      }
      if (round * products.getFirst().seconds() < SECONDS_A_FAMILY) {
        products.add(chosen.product());
      }
    }
    List<Measured> all = new ArrayList<>(products);
    samples.values().forEach(s -> all.addAll(s.taken()));
    double peak = Quartiles.of(all.stream().mapToDouble(Measured::peakGflops)).median();
    double product = median(products);
    return ShapeResult.of(
        data,
        choice,
        gflops(data, product),
        gflops(data, product) / peak,
        samples.values().iterator().next().codes().rowsChecked(),
        samples.entrySet().stream()
            .map(e -> result(e.getKey(), data, e.getValue(), peak))
            .toList());
  }

  private static FamilyResult result(String family, VectorData data, Samples samples, double peak) {
    double seconds = median(samples.taken());
    double gflops = gflops(data, seconds);
    return new FamilyResult(
        family,
        seconds,
        seconds / data.n() * 1e9,
        gflops,
        peak,
        gflops / peak,
        samples.opened().candidatesPerRow(),
        samples.opened().rescoredRows(),
        samples.opened().scannedRows(),
        samples.codes().mismatches(),
        samples.taken().size());
  }

  private static double gflops(VectorData data, double seconds) {
    return 2.0 * data.n() * data.k() * data.d() / seconds * 1e-9;
  }

  private static double median(List<Measured> all) {
    return Quartiles.of(quiet(all).stream().mapToDouble(Measured::seconds)).median();
  }

  // Those in which the thread kept its processor; if there is none, the one that lost the least.
  private static List<Measured> quiet(List<Measured> all) {
    List<Measured> quiet = all.stream().filter(m -> m.lost() <= QUIET).toList();
    return quiet.isEmpty()
        ? List.of(all.stream().min(Comparator.comparingDouble(Measured::lost)).orElseThrow())
        : quiet;
  }

  private static int[] readCodes(Path file) throws IOException {
    try (Arena arena = Arena.ofConfined()) {
      return Npy.read(file, arena).toInts();
    }
  }

  private static String line(ShapeResult shape) {
    return String.format(
        Locale.ROOT,
        "D %d, K %d: %s",
        shape.d(),
        shape.k(),
        String.join(
            ", ",
            shape.families().stream()
                .map(f -> String.format(Locale.ROOT, "%s %.2f", f.family(), f.ratioToFp32Peak()))
                .toList()));
  }

  /** Ends the processes and removes the temporary files. */
  @Override
  public void close() throws IOException {
    chosen.close();
    families.values().forEach(FamilyProcess::close);
    for (String name : NAMES) {
      Files.deleteIfExists(files.resolve(name));
    }
    Files.deleteIfExists(files);
  }
}
