package dev.tessera.cli;

import dev.tessera.device.Device;
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
  @Mixin private OutputOptions output = new OutputOptions();

  private record Entry(
      String name,
      boolean available,
      String detail,
      @Nullable String instructionSets,
      @Nullable Integer maxThreads,
      @Nullable Long memoryBytes) {}

  private record Listing(List<Entry> devices) {}

  @Override
  public Integer call() {
    List<Entry> entries = new ArrayList<>();
    for (Device.Backend backend : Device.backends()) {
      if (backend.devices() == 0) {
        entries.add(new Entry(backend.name(), false, backend.detail(), null, null, null));
      }
      for (int i = 0; i < backend.devices(); i++) {
        entries.add(describe(backend.name().equals("cuda") ? "cuda:" + i : backend.name()));
      }
    }
    output.print(new Listing(entries), () -> entries.forEach(this::print));
    return 0;
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
          info.memoryBytes());
    }
  }

  private void print(Entry e) {
    if (!e.available()) {
      output.out().printf("%-14s not available: %s%n", e.name(), e.detail());
      return;
    }
    output
        .out()
        .printf(
            Locale.ROOT,
            "%-14s %s, %d threads, %.1f GiB, %s%n",
            e.name(),
            e.detail(),
            e.maxThreads(),
            (e.memoryBytes() == null ? 0 : e.memoryBytes()) / 1073741824.0,
            e.instructionSets());
  }
}
