package dev.tessera.benchmarks.train;

import dev.tessera.benchmarks.harness.Agreement;
import dev.tessera.benchmarks.harness.Contest;
import dev.tessera.benchmarks.harness.RoundPlan;
import dev.tessera.benchmarks.harness.TaskProcess;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import org.jspecify.annotations.Nullable;

/**
 * Takes the cases one by one: both libraries start from the same weights and batches, their outputs
 * are compared, and only then is anything timed.
 *
 * @param ours our process
 * @param peer the peer's, or null to time ours alone
 * @param threads of each
 * @param plan how long to measure
 * @param folder for files between the processes
 */
public record TrainComparison(
    TaskProcess ours, @Nullable TaskProcess peer, int threads, RoundPlan plan, Path folder) {

  /**
   * What one process of each library found.
   *
   * @param libraries their names, ours first
   * @param forms how they do the task
   * @param agreement the outputs that were compared
   * @param samples that were timed
   */
  public record Fork(
      List<String> libraries,
      List<String> forms,
      List<Agreement.Difference> agreement,
      Contest.Samples samples) {}

  /**
   * Compares and times one case.
   *
   * @param check whether to compare outputs: once for a case, since all processes of a library
   *     compute the same
   * @throws DisagreementException if the two do not compute the same
   */
  public Fork measure(StepCase test, boolean check) throws IOException {
    Path inputs = folder.resolve(test.name() + "-inputs.safetensors");
    ours.writeInputs(test.name(), inputs);
    List<TaskProcess> both = peer == null ? List.of(ours) : List.of(ours, peer);
    List<String> forms = new ArrayList<>();
    for (TaskProcess process : both) {
      forms.add(process.open(test.name(), inputs, threads));
    }
    List<Agreement.Difference> differences = peer == null || !check ? List.of() : check(test, peer);
    Contest.Samples samples = Contest.measure(both, plan);
    both.forEach(TaskProcess::closeTask);
    return new Fork(both.stream().map(TaskProcess::name).toList(), forms, differences, samples);
  }

  private List<Agreement.Difference> check(StepCase test, TaskProcess other) throws IOException {
    Path a = folder.resolve(test.name() + "-ours.safetensors");
    Path b = folder.resolve(test.name() + "-peer.safetensors");
    ours.writeOutputs(a);
    other.writeOutputs(b);
    List<Agreement.Difference> differences = Agreement.between(a, b, test::bound);
    for (Agreement.Difference d : differences) {
      if (!d.ok()) {
        throw new DisagreementException(
            String.format(
                Locale.ROOT,
                "%s: the two do not compute the same, so nothing was timed: %s differs by %.2e, more than %.0e",
                test.name(),
                d.name(),
                d.error(),
                d.bound()));
      }
    }
    return differences;
  }

  /** The libraries' outputs differ by more than rounding. */
  public static final class DisagreementException extends RuntimeException {
    private static final long serialVersionUID = 1;

    DisagreementException(String message) {
      super(message);
    }
  }
}
