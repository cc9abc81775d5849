package dev.tessera.cli;

import dev.tessera.cuda.CudaGpus;
import dev.tessera.device.Device;
import dev.tessera.device.TesseraException;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/** {@code tessera devices}: what there is to run on, and why the rest is not there. */
@Command(
    name = "devices",
    description = "Lists the devices of this machine, and why others cannot be had.",
    mixinStandardHelpOptions = true)
final class DevicesCommand implements Callable<Integer> {
  private static final String CUDA = "cuda";

  @Mixin private OutputOptions output = new OutputOptions();

  /**
   * One line of the listing.
   *
   * @param detail what the device is; of a backend without devices, why it has none
   * @param problem why a device that is there cannot be used
   */
  private record Entry(
      String name,
      boolean available,
      String detail,
      @Nullable String instructionSets,
      @Nullable Integer maxThreads,
      @Nullable Long memoryBytes,
      @Nullable String problem) {}

  private record Listing(List<Entry> devices) {}

  @Override
  public Integer call() {
    List<Entry> entries = new ArrayList<>();
    for (Device.Backend backend : Device.backends()) {
      if (backend.name().equals(CUDA)) {
        addGpus(entries, backend);
      } else if (backend.devices() == 0) {
        entries.add(missing(backend.name(), backend.detail()));
      } else {
        entries.add(describe(backend.name()));
      }
    }
    output.print(new Listing(entries), () -> entries.forEach(this::print));
    return 0;
  }

  // JCuda sees GPUs also where our own plug-in is not built.
  private static void addGpus(List<Entry> entries, Device.Backend backend) {
    CudaGpus.Listing found = CudaGpus.list();
    for (CudaGpus.Gpu gpu : found.gpus()) {
      String name = CUDA + ":" + gpu.ordinal();
      String problem = backend.devices() == 0 ? backend.detail() : problem(describe(name));
      entries.add(
          new Entry(
              name,
              problem == null,
              gpu.name(),
              "compute capability " + gpu.major() + "." + gpu.minor(),
              0,
              gpu.memoryBytes(),
              problem));
    }
    if (found.gpus().isEmpty()) {
      for (int i = 0; i < backend.devices(); i++) { // there are, but JCuda is not
        entries.add(describe(CUDA + ":" + i));
      }
      if (backend.devices() == 0) {
        entries.add(missing(CUDA, found.missing().orElse(backend.detail())));
      }
    }
  }

  // Why a GPU cannot be used: it is too old, or another program has taken it.
  private static @Nullable String problem(Entry described) {
    return described.available() ? null : described.detail();
  }

  private static Entry missing(String backend, String why) {
    return new Entry(backend, false, why, null, null, null, null);
  }

  private static Entry describe(String name) {
    try (Device device = Device.open(name)) {
      Device.Info info = device.info();
      return new Entry(
          name,
          true,
          info.description(),
          info.instructionSets(),
          info.maxThreads(),
          info.memoryBytes(),
          null);
    } catch (TesseraException e) {
      return missing(name, String.valueOf(e.getMessage()));
    }
  }

  private void print(Entry e) {
    if (e.memoryBytes() == null) {
      output.out().printf("%-14s not available: %s%n", e.name(), e.detail());
      return;
    }
    boolean gpu = e.maxThreads() == null || e.maxThreads() == 0;
    output
        .out()
        .printf(
            Locale.ROOT,
            "%-14s %s, %s%.1f GiB, %s%s%n",
            e.name(),
            e.detail(),
            gpu ? "" : e.maxThreads() + " threads, ",
            e.memoryBytes() / 1073741824.0,
            e.instructionSets(),
            e.problem() == null ? "" : "; not available: " + e.problem());
  }
}
