package dev.tessera.report;

import java.util.ArrayList;
import java.util.List;

/** Where a value lies along an axis, and the ticks that the axis shows. */
sealed interface Scale {
  /** A mark: its place from 0 to 1, and its label. */
  record Tick(double at, String label) {}

  /** Place of a value, from 0 at the low end to 1 at the high end; not finite if it has none. */
  double at(double value);

  /** The marks, ascending, at round values. */
  List<Tick> ticks();

  /** Values from {@code low} to {@code high}, evenly. */
  record Linear(double low, double high, int count) implements Scale {
    /** Checks the range. */
    public Linear {
      if (!(low < high) || !Double.isFinite(high - low)) {
        throw new IllegalArgumentException("an axis from " + low + " to " + high);
      }
    }

    /** The least range with round ends that holds both values, with about {@code count} ticks. */
    static Linear round(double min, double max, int count) {
      double low = min;
      double high = max;
      if (!(high - low > 1e-9 * Math.max(Math.abs(low), Math.abs(high)))) {
        double room = low == 0 ? 1 : Math.abs(low) / 10;
        low = low >= 0 ? Math.max(0, low - room) : low - room;
        high += room;
      }
      double step = step(low, high, count);
      return new Linear(step * Math.floor(low / step), step * Math.ceil(high / step), count);
    }

    @Override
    public double at(double value) {
      return (value - low) / (high - low);
    }

    @Override
    public List<Tick> ticks() {
      double step = step(low, high, count);
      double greatest = Math.max(Math.abs(low), Math.abs(high));
      int digits = 3 + (int) Math.ceil(Math.log10(greatest / step)); // tells neighbours apart
      List<Tick> ticks = new ArrayList<>();
      for (long i = (long) Math.ceil(low / step - 1e-6); i * step <= high + step * 1e-6; i++) {
        ticks.add(new Tick(at(i * step), Numbers.compact(i * step, digits)));
      }
      return ticks;
    }

    // 1, 2, 2.5 or 5 times a power of ten.
    private static double step(double low, double high, int count) {
      double rough = (high - low) / count;
      double power = Math.pow(10, Math.floor(Math.log10(rough)));
      for (double factor : new double[] {1, 2, 2.5, 5}) {
        if (factor * power >= rough * 0.9999) {
          return factor * power;
        }
      }
      return 10 * power;
    }
  }

  /** Values from {@code low} to {@code high}, above 0, by their logarithm. */
  record Log(double low, double high) implements Scale {
    private static final int MOST_TICKS = 6;

    /** Checks the range. */
    public Log {
      if (!(low > 0 && low < high) || !Double.isFinite(high)) {
        throw new IllegalArgumentException("a logarithmic axis from " + low + " to " + high);
      }
    }

    @Override
    public double at(double value) {
      return Math.log(value / low) / Math.log(high / low);
    }

    @Override
    public List<Tick> ticks() {
      List<Tick> ticks = decades(new double[] {1, 2, 5}, 1);
      if (ticks.size() > MOST_TICKS) {
        ticks = decades(new double[] {1}, 1);
      }
      for (int every = 2; ticks.size() > MOST_TICKS; every++) {
        ticks = decades(new double[] {1}, every);
      }
      return ticks;
    }

    private List<Tick> decades(double[] factors, int every) {
      List<Tick> ticks = new ArrayList<>();
      int first = (int) Math.floor(Math.log10(low));
      int last = (int) Math.ceil(Math.log10(high));
      for (int decade = first; decade <= last; decade++) {
        for (double factor : factors) {
          double value = Double.parseDouble(factor + "e" + decade);
          if (decade % every == 0 && value >= low && value <= high) {
            ticks.add(new Tick(at(value), Numbers.compact(value, 1)));
          }
        }
      }
      return ticks;
    }
  }
}
