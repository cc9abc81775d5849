package dev.tessera.benchmarks.results;

import dev.tessera.benchmarks.harness.Machine;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * All that a run, or several runs of a part each, found on one machine.
 *
 * @param version of Tessera
 * @param plan how it was measured, for people
 * @param machine as it was at the last run
 * @param limits of a core, at the last run
 * @param libraries versions and settings, by library
 * @param cases in the order of their groups
 */
public record Results(
    String version,
    String plan,
    Machine machine,
    Limits limits,
    Map<String, Map<String, String>> libraries,
    List<CaseResult> cases) {

  /**
   * These results with those of a later run: a case measured again replaces the earlier one, in its
   * place.
   *
   * @throws IllegalArgumentException if they are of different machines
   */
  public Results with(Results later) {
    if (!machine.sameAs(later.machine)) {
      throw new IllegalArgumentException(
          "the results there are of another machine ("
              + machine.cpu()
              + ", "
              + machine.cpus()
              + " cpus): choose another file by --out");
    }
    Map<String, Map<String, String>> all = new LinkedHashMap<>(libraries);
    all.putAll(later.libraries);
    Map<String, CaseResult> merged = new LinkedHashMap<>();
    cases.forEach(c -> merged.put(c.name(), c));
    later.cases.forEach(c -> merged.put(c.name(), c));
    return new Results(
        later.version,
        later.plan,
        later.machine,
        later.limits,
        all,
        new ArrayList<>(merged.values()));
  }
}
