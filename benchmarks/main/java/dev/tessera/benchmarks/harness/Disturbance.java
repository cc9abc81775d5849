package dev.tessera.benchmarks.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;

/**
 * Watches how much of the processors others used while something was measured: busy time of the
 * whole machine without that of the measured processes.
 */
public final class Disturbance {
  private static final double TICKS_PER_SECOND = 100; // USER_HZ on x86-64

  private final List<TaskProcess> measured;
  private final Ticks before;
  private final double ownBefore;
  private final long begin = System.nanoTime();

  private record Ticks(double busy, double stolen) {}

  /**
   * Processors in use, 1 being one processor all the time.
   *
   * @param others other processes of this machine
   * @param stolen taken by the hypervisor for other machines
   */
  public record Report(double others, double stolen) {
    /** What was seen on average. */
    public static Report average(List<Report> reports) {
      return new Report(
          reports.stream().mapToDouble(Report::others).average().orElse(0),
          reports.stream().mapToDouble(Report::stolen).average().orElse(0));
    }

    /** Whether the figures can be trusted: less than a twentieth of a processor went elsewhere. */
    public boolean quiet() {
      return others + stolen < 0.05;
    }
  }

  /** Begins to watch. */
  public Disturbance(List<TaskProcess> measured) {
    this.measured = List.copyOf(measured);
    this.before = ticks();
    this.ownBefore = own();
  }

  /** What was seen since. */
  public Report report() {
    double seconds = (System.nanoTime() - begin) / 1e9;
    Ticks now = ticks();
    double others = (now.busy - before.busy - (own() - ownBefore)) / seconds;
    return new Report(Math.max(0, others), (now.stolen - before.stolen) / seconds);
  }

  // This process and the measured ones, in seconds.
  private double own() {
    Duration all = ProcessHandle.current().info().totalCpuDuration().orElse(Duration.ZERO);
    for (TaskProcess process : measured) {
      all = all.plus(process.cpuTime());
    }
    return all.toNanos() / 1e9;
  }

  // The first line of /proc/stat: cpu user nice system idle iowait irq softirq steal ...
  private static Ticks ticks() {
    try {
      String[] f = Files.readAllLines(Path.of("/proc/stat")).getFirst().split(" +", -1);
      double busy = 0;
      for (int i : new int[] {1, 2, 3, 6, 7}) {
        busy += Double.parseDouble(f[i]);
      }
      return new Ticks(busy / TICKS_PER_SECOND, Double.parseDouble(f[8]) / TICKS_PER_SECOND);
    } catch (IOException | NumberFormatException e) {
      return new Ticks(0, 0);
    }
  }
}
