package dev.tessera.judge;

import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;

/**
 * How often each class was taken for each. The class that an image is of stands first, the class
 * that it was taken for second.
 */
public final class Confusion {
  private final int classes;
  private final int[][] counts;

  private Confusion(int classes) {
    this.classes = classes;
    this.counts = new int[classes][classes];
  }

  /**
   * Counts pairs.
   *
   * @param classes number of classes, at least 1
   * @param actual the class of each image, from 0 to classes - 1
   * @param taken what each was taken for, likewise
   * @throws IllegalArgumentException if the lengths differ, or a class is out of range
   */
  public static Confusion of(int classes, int[] actual, int[] taken) {
    if (actual.length != taken.length) {
      throw new IllegalArgumentException(
          taken.length + " classes named for " + actual.length + " images");
    }
    Confusion confusion = new Confusion(classes);
    for (int i = 0; i < actual.length; i++) {
      confusion.counts[confusion.inRange(actual[i])][confusion.inRange(taken[i])]++;
    }
    return confusion;
  }

  private int inRange(int c) {
    if (c < 0 || c >= classes) {
      throw new IllegalArgumentException(
          "class " + c + " must be from 0 to " + (classes - 1) + " here");
    }
    return c;
  }

  /** Number of classes. */
  public int classes() {
    return classes;
  }

  /** Images of class {@code actual} that were taken for {@code taken}. */
  public int count(int actual, int taken) {
    return counts[inRange(actual)][inRange(taken)];
  }

  /** Images of a class. */
  public int images(int actual) {
    int sum = 0;
    for (int n : counts[inRange(actual)]) {
      sum += n;
    }
    return sum;
  }

  /** All images. */
  public int images() {
    int sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += images(c);
    }
    return sum;
  }

  /** Images taken for what they are. */
  public int right() {
    int sum = 0;
    for (int c = 0; c < classes; c++) {
      sum += counts[c][c];
    }
    return sum;
  }

  /** Share of all images that were taken for what they are; NaN without images. */
  public double share() {
    return (double) right() / images();
  }

  /** Share of a class's images that were taken for what they are; NaN without any. */
  public double share(int actual) {
    return (double) count(actual, actual) / images(actual);
  }

  /** A mistake, and how often it was made. */
  public record Mistake(int actual, int taken, int count) {}

  /** The {@code most} commonest mistakes, commonest first; of equal ones the lower classes. */
  public List<Mistake> mistakes(int most) {
    List<Mistake> all = new ArrayList<>();
    for (int a = 0; a < classes; a++) {
      for (int t = 0; t < classes; t++) {
        if (a != t && counts[a][t] > 0) {
          all.add(new Mistake(a, t, counts[a][t]));
        }
      }
    }
    all.sort(Comparator.comparingInt(Mistake::count).reversed()); // stable: classes ascend
    return List.copyOf(all.subList(0, Math.min(most, all.size())));
  }

  /** All counts, a row for each class that images are of. */
  public List<List<Integer>> rows() {
    List<List<Integer>> rows = new ArrayList<>();
    for (int[] row : counts) {
      rows.add(java.util.Arrays.stream(row).boxed().toList());
    }
    return rows;
  }
}
