package dev.tessera.vq;

import dev.tessera.bindings.tessera_h;
import dev.tessera.bindings.ts_vq_stats;
import dev.tessera.device.NativeCall;
import dev.tessera.device.Stream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;

/**
 * What the nearest-code searches of one stream did since the last reset: {@code ts_vq_stats}.
 *
 * @param rows rows searched
 * @param candidates codes left after all screening, summed over rows
 * @param rescoredRows rows with more than one code left, decided in float64
 * @param scannedRows rows whose bounds were useless, decided by a full float64 scan
 * @param histogram rows by number of codes left, the last bin for all above
 * @param kernel the kernel family that ran last; empty if none did
 */
public record SearchStatistics(
    long rows,
    long candidates,
    long rescoredRows,
    long scannedRows,
    List<Long> histogram,
    String kernel) {

  /** Reads a stream's statistics, and sets them to zero. */
  public static SearchStatistics take(Stream stream) {
    try (Arena arena = Arena.ofConfined();
        NativeCall call = stream.call()) {
      MemorySegment stats = ts_vq_stats.allocate(arena);
      ts_vq_stats.struct_size(stats, (int) ts_vq_stats.sizeof());
      call.check(tessera_h.ts_vq_statistics(call.stream(), 1, stats));
      long[] bins = ts_vq_stats.histogram(stats).toArray(ValueLayout.JAVA_LONG);
      return new SearchStatistics(
          ts_vq_stats.rows(stats),
          ts_vq_stats.candidates(stats),
          ts_vq_stats.rescored_rows(stats),
          ts_vq_stats.scanned_rows(stats),
          Arrays.stream(bins).boxed().toList(),
          name(ts_vq_stats.kernel(stats)));
    }
  }

  // The zero-terminated name in an array of chars.
  private static String name(MemorySegment chars) {
    String all = new String(chars.toArray(ValueLayout.JAVA_BYTE), StandardCharsets.US_ASCII);
    int end = all.indexOf('\0');
    return end < 0 ? all : all.substring(0, end);
  }
}
