package dev.tessera.benchmarks.train;

import dev.tessera.benchmarks.harness.Agreement;
import dev.tessera.benchmarks.harness.Interleaved;
import dev.tessera.benchmarks.harness.TaskProcess;
import dev.tessera.benchmarks.train.TrainReport.Speed;
import java.io.IOException;
import java.nio.file.Path;
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
    TaskProcess ours, @Nullable TaskProcess peer, int threads, Interleaved.Plan plan, Path folder) {

  /**
   * Compares and times one case.
   *
   * @throws DisagreementException if the two do not compute the same
   */
  public TrainReport.Case measure(StepCase test) throws IOException {
    Path inputs = folder.resolve(test.name() + "-inputs.safetensors");
    ours.writeInputs(test.name(), inputs);
    String form = ours.open(test.name(), inputs, threads);
    if (peer == null) {
      return alone(test, form);
    }
    String peerForm = peer.open(test.name(), inputs, threads);
    List<Agreement.Difference> differences = check(test, peer);
    Interleaved.Comparison times = Interleaved.compare(ours, peer, plan);
    ours.closeTask();
    peer.closeTask();
    return new TrainReport.Case(
        test.name(),
        test.batch(),
        Speed.of(ours.name(), form, test.batch(), times.ours()),
        Speed.of(peer.name(), peerForm, test.batch(), times.theirs()),
        times.ratio(),
        differences,
        times.repeated(),
        times.disturbance());
  }

  private TrainReport.Case alone(StepCase test, String form) {
    Interleaved.Alone alone = Interleaved.alone(ours, plan);
    ours.closeTask();
    Speed speed = Speed.of(ours.name(), form, test.batch(), alone.times());
    return new TrainReport.Case(
        test.name(),
        test.batch(),
        speed,
        null,
        null,
        List.of(),
        alone.repeated(),
        alone.disturbance());
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
