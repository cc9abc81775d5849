package dev.tessera.benchmarks.results;

import dev.tessera.benchmarks.harness.Disturbance;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * One case: the same work by all its contestants.
 *
 * @param name that chooses it
 * @param group that it belongs to
 * @param what was done, for people
 * @param n rows or images of a step, 1 of a call
 * @param k codes, or 0
 * @param d length of a code, or 0
 * @param threads of each contestant
 * @param data where rows are from; empty if there are none
 * @param unit of times: ms or ns
 * @param forks processes of each contestant, one after the other
 * @param rounds that alternate between contestants, over all forks
 * @param repeated rounds that did not count, since the machine was not quiet
 * @param disturbance what else the machine did in the rounds that count, or null where nobody
 *     watched
 * @param started when, in UTC
 * @param entries ours first
 */
public record CaseResult(
    String name,
    String group,
    String what,
    int n,
    int k,
    int d,
    int threads,
    String data,
    String unit,
    int forks,
    int rounds,
    int repeated,
    Disturbance.@Nullable Report disturbance,
    String started,
    List<Entry> entries) {
  /** 2NKD over the median time, in GFLOP/s; NaN where there are no codes. */
  public double gflops(Entry entry) {
    return k == 0 ? Double.NaN : 2.0 * n * k * d / (milliseconds(entry) * 1e6);
  }

  /** The median time in milliseconds. */
  public double milliseconds(Entry entry) {
    return entry.time().median() * (unit.equals("ns") ? 1e-6 : 1);
  }

  /** Whether others had the processors for more than a little of the time. */
  public boolean noisy() {
    return disturbance != null && !disturbance.quiet();
  }

  /** Ours. */
  public Entry ours() {
    return entries.getFirst();
  }
}
