package dev.tessera.benchmarks.harness;

import dev.tessera.io.HostArray;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;

/**
 * A library for tests, in a process of its own: a step sleeps for as many milliseconds as its name,
 * and holds {@link #STEP_BYTES} meanwhile.
 */
final class EchoTasks implements TaskFactory {
  static final long STEP_BYTES = 8 << 20;
  static final long NEEDED_BYTES = 1 << 20;

  private EchoTasks() {}

  public static void main(String[] args) throws IOException {
    TaskServer.serve(new EchoTasks());
  }

  @Override
  public Task open(String name, Path inputs, int threads) {
    long millis = Long.parseLong(name);
    System.out.println("a library that prints");
    return new Task() {
      @Override
      public Map<String, HostArray> outputs() {
        return Map.of("millis", HostArray.of(new double[] {millis}, 1));
      }

      @Override
      public void step() {
        try (Arena arena = Arena.ofConfined()) {
          arena.allocate(STEP_BYTES);
          Thread.sleep(millis);
        } catch (InterruptedException e) {
          throw new IllegalStateException(e);
        }
      }

      @Override
      public long neededBytes() {
        return NEEDED_BYTES;
      }

      @Override
      public String form() {
        return "sleeps with " + threads + " threads";
      }

      @Override
      public void close() {}
    };
  }

  @Override
  public SequencedMap<String, String> describe() {
    SequencedMap<String, String> facts = new LinkedHashMap<>();
    facts.put("version", "1\n2");
    facts.put("formula", "a=b");
    return facts;
  }
}
