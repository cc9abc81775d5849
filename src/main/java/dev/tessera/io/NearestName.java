package dev.tessera.io;

import java.util.Collection;
import java.util.Locale;
import java.util.TreeSet;

/** Finds what somebody probably meant by a name that does not exist. */
public final class NearestName {
  private static final int MAX_LENGTH = 64;

  private NearestName() {}

  /**
   * Text to put behind a complaint about {@code name}: {@code "; did you mean 'batch_size'?"} if
   * one of {@code known} is within two edits (or a third of its length), else {@code "; known are
   * ..."}, else nothing if none is known.
   */
  public static String hint(String name, Collection<String> known) {
    if (known.isEmpty()) {
      return "";
    }
    String nearest = "";
    int least = Integer.MAX_VALUE;
    for (String candidate : new TreeSet<>(known)) {
      int distance = distance(name, candidate);
      if (distance < least && distance <= Math.max(2, candidate.length() / 3)) {
        least = distance;
        nearest = candidate;
      }
    }
    if (least < Integer.MAX_VALUE) {
      return "; did you mean '" + nearest + "'?";
    }
    String all = String.join(", ", new TreeSet<>(known));
    return "; known are " + (all.length() > 400 ? all.substring(0, 400) + "..." : all);
  }

  /**
   * Insertions, deletions, replacements and swaps of neighbours between two names, without case.
   */
  private static int distance(String left, String right) {
    String a = left.toLowerCase(Locale.ROOT);
    String b = right.toLowerCase(Locale.ROOT);
    if (a.length() > MAX_LENGTH || b.length() > MAX_LENGTH) {
      return a.equals(b) ? 0 : MAX_LENGTH;
    }
    int[][] edits = new int[a.length() + 1][b.length() + 1];
    for (int i = 0; i <= a.length(); i++) {
      for (int j = 0; j <= b.length(); j++) {
        if (i == 0 || j == 0) {
          edits[i][j] = i + j;
          continue;
        }
        int replaced = edits[i - 1][j - 1] + (a.charAt(i - 1) == b.charAt(j - 1) ? 0 : 1);
        edits[i][j] = Math.min(replaced, 1 + Math.min(edits[i - 1][j], edits[i][j - 1]));
        if (i > 1
            && j > 1
            && a.charAt(i - 1) == b.charAt(j - 2)
            && a.charAt(i - 2) == b.charAt(j - 1)) {
          edits[i][j] = Math.min(edits[i][j], edits[i - 2][j - 2] + 1);
        }
      }
    }
    return edits[a.length()][b.length()];
  }
}
