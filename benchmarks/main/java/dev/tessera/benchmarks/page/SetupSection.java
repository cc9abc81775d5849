package dev.tessera.benchmarks.page;

import dev.tessera.benchmarks.harness.Machine;
import dev.tessera.benchmarks.results.Results;
import dev.tessera.report.Markup;
import dev.tessera.report.Section;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;

/** The machine and the libraries. */
record SetupSection(Results results) implements Section {
  @Override
  public String title() {
    return "Setup";
  }

  @Override
  public String note() {
    return "Every library works in processes of its own, with an OpenMP runtime of its own.";
  }

  @Override
  public void writeTo(Markup out) {
    Machine m = results.machine();
    List<List<String>> rows = new ArrayList<>();
    rows.add(List.of("Tessera", "version", results.version()));
    rows.add(List.of("machine", "processor", m.cpu() + ", " + m.model()));
    rows.add(List.of("machine", "processors", Integer.toString(m.cpus())));
    rows.add(
        List.of(
            "machine",
            "clock",
            String.format(Locale.ROOT, "%.0f MHz, as the system says", m.mhz())));
    rows.add(List.of("machine", "instruction sets", String.join(" ", m.instructionSets())));
    rows.add(List.of("machine", "memory", m.memoryMib() + " MiB"));
    rows.add(List.of("machine", "system", m.kernel()));
    rows.add(List.of("machine", "Java", m.java()));
    results
        .libraries()
        .forEach(
            (library, facts) ->
                facts.forEach((name, value) -> rows.add(List.of(library, name, value))));
    DataTable.write(out, "Setup", List.of("of", "what", ""), rows);
  }
}
