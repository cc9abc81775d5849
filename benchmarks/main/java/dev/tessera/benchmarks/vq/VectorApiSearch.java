package dev.tessera.benchmarks.vq;

import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorMask;
import jdk.incubator.vector.VectorOperators;
import jdk.incubator.vector.VectorSpecies;

/**
 * Nearest codes in Java with the Vector API: what one would write without native code. Scores are
 * {@code <x,c> - |c|^2 / 2} in fp32, the largest wins. Codes lie in panels [D, 4 vectors], so that
 * a lane is a code; 4 rows by 4 vectors of codes are summed up in registers, where 16 accumulators,
 * 4 loads and a broadcast fit AVX-512's 32 registers. Every lane keeps its best score and code;
 * lanes are compared once a row.
 */
final class VectorApiSearch {
  private static final VectorSpecies<Float> FLOATS = FloatVector.SPECIES_PREFERRED;
  private static final VectorSpecies<Integer> INTS = IntVector.SPECIES_PREFERRED;
  private static final int LANES = FLOATS.length();
  private static final int PANEL = 4 * LANES; // codes
  private static final int ROWS = 4; // at a time

  private final int d;
  private final int panels;
  private final float[] packed; // [panels, D, PANEL], zeros beyond K
  private final float[] offsets; // [panels, PANEL]: -|c|^2 / 2, and -infinity beyond K
  private final float[] best = new float[ROWS * LANES];
  private final int[] code = new int[ROWS * LANES];
  private final float[] scores = new float[ROWS * PANEL]; // of the last panel

  VectorApiSearch(float[] codes, int d) {
    int k = codes.length / d;
    this.d = d;
    this.panels = (k + PANEL - 1) / PANEL;
    this.packed = new float[panels * d * PANEL];
    this.offsets = new float[panels * PANEL];
    Arrays.fill(offsets, Float.NEGATIVE_INFINITY);
    for (int c = 0; c < k; c++) {
      double norm = 0;
      for (int i = 0; i < d; i++) {
        float value = codes[c * d + i];
        norm += (double) value * value;
        packed[(c / PANEL * d + i) * PANEL + c % PANEL] = value;
      }
      offsets[c] = (float) (-0.5 * norm);
    }
  }

  static int vectorBits() {
    return FLOATS.vectorBitSize();
  }

  /** The nearest code of each row of {@code x} [N,D]. */
  void nearest(float[] x, int[] codes) {
    int n = codes.length;
    for (int row = 0; row < n; row += ROWS) {
      Arrays.fill(best, Float.NEGATIVE_INFINITY);
      // The last rows are done again where fewer than four are left.
      int first = Math.max(0, Math.min(row, n - ROWS));
      int r1 = Math.min(first + 1, n - 1) * d;
      int r2 = Math.min(first + 2, n - 1) * d;
      int r3 = Math.min(first + 3, n - 1) * d;
      for (int p = 0; p < panels; p++) {
        panel(x, first * d, r1, r2, r3, p);
        for (int r = 0; r < ROWS; r++) {
          keep(r, p * PANEL);
        }
      }
      for (int r = 0; r < Math.min(ROWS, n - first); r++) {
        codes[first + r] = winner(r);
      }
    }
  }

  private void panel(float[] x, int r0, int r1, int r2, int r3, int p) {
    int o = p * PANEL;
    FloatVector o0 = FloatVector.fromArray(FLOATS, offsets, o);
    FloatVector o1 = FloatVector.fromArray(FLOATS, offsets, o + LANES);
    FloatVector o2 = FloatVector.fromArray(FLOATS, offsets, o + 2 * LANES);
    FloatVector o3 = FloatVector.fromArray(FLOATS, offsets, o + 3 * LANES);
    FloatVector a00 = o0;
    FloatVector a01 = o1;
    FloatVector a02 = o2;
    FloatVector a03 = o3;
    FloatVector a10 = o0;
    FloatVector a11 = o1;
    FloatVector a12 = o2;
    FloatVector a13 = o3;
    FloatVector a20 = o0;
    FloatVector a21 = o1;
    FloatVector a22 = o2;
    FloatVector a23 = o3;
    FloatVector a30 = o0;
    FloatVector a31 = o1;
    FloatVector a32 = o2;
    FloatVector a33 = o3;
    int at = p * d * PANEL;
    for (int i = 0; i < d; i++, at += PANEL) {
      FloatVector c0 = FloatVector.fromArray(FLOATS, packed, at);
      FloatVector c1 = FloatVector.fromArray(FLOATS, packed, at + LANES);
      FloatVector c2 = FloatVector.fromArray(FLOATS, packed, at + 2 * LANES);
      FloatVector c3 = FloatVector.fromArray(FLOATS, packed, at + 3 * LANES);
      FloatVector v = FloatVector.broadcast(FLOATS, x[r0 + i]);
      a00 = v.fma(c0, a00);
      a01 = v.fma(c1, a01);
      a02 = v.fma(c2, a02);
      a03 = v.fma(c3, a03);
      v = FloatVector.broadcast(FLOATS, x[r1 + i]);
      a10 = v.fma(c0, a10);
      a11 = v.fma(c1, a11);
      a12 = v.fma(c2, a12);
      a13 = v.fma(c3, a13);
      v = FloatVector.broadcast(FLOATS, x[r2 + i]);
      a20 = v.fma(c0, a20);
      a21 = v.fma(c1, a21);
      a22 = v.fma(c2, a22);
      a23 = v.fma(c3, a23);
      v = FloatVector.broadcast(FLOATS, x[r3 + i]);
      a30 = v.fma(c0, a30);
      a31 = v.fma(c1, a31);
      a32 = v.fma(c2, a32);
      a33 = v.fma(c3, a33);
    }
    a00.intoArray(scores, 0);
    a01.intoArray(scores, LANES);
    a02.intoArray(scores, 2 * LANES);
    a03.intoArray(scores, 3 * LANES);
    a10.intoArray(scores, PANEL);
    a11.intoArray(scores, PANEL + LANES);
    a12.intoArray(scores, PANEL + 2 * LANES);
    a13.intoArray(scores, PANEL + 3 * LANES);
    a20.intoArray(scores, 2 * PANEL);
    a21.intoArray(scores, 2 * PANEL + LANES);
    a22.intoArray(scores, 2 * PANEL + 2 * LANES);
    a23.intoArray(scores, 2 * PANEL + 3 * LANES);
    a30.intoArray(scores, 3 * PANEL);
    a31.intoArray(scores, 3 * PANEL + LANES);
    a32.intoArray(scores, 3 * PANEL + 2 * LANES);
    a33.intoArray(scores, 3 * PANEL + 3 * LANES);
  }

  // Strictly greater, in ascending order of codes: of equal scores in a lane the lowest code stays.
  private void keep(int row, int first) {
    int at = row * LANES;
    FloatVector score = FloatVector.fromArray(FLOATS, best, at);
    IntVector index = IntVector.fromArray(INTS, code, at);
    for (int c = 0; c < PANEL; c += LANES) {
      FloatVector s = FloatVector.fromArray(FLOATS, scores, row * PANEL + c);
      VectorMask<Float> wins = s.compare(VectorOperators.GT, score);
      score = score.blend(s, wins);
      index = index.blend(first + c, wins.cast(INTS));
    }
    score.intoArray(best, at);
    index.intoArray(code, at);
  }

  private int winner(int row) {
    int at = row * LANES;
    int found = code[at];
    float score = best[at];
    for (int lane = 1; lane < LANES; lane++) {
      int candidate = code[at + lane] + lane;
      float s = best[at + lane];
      if (s > score || (s == score && candidate < found)) {
        score = s;
        found = candidate;
      }
    }
    return found;
  }
}
