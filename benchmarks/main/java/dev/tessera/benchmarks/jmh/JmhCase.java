package dev.tessera.benchmarks.jmh;

import dev.tessera.benchmarks.calls.Downcall;
import dev.tessera.benchmarks.tokens.TokenizerThroughput;
import dev.tessera.benchmarks.vq.AssignLatency;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * JMH methods that stand side by side in one case.
 *
 * @param name that chooses it, begins with the group
 * @param group it belongs to
 * @param what is done, for people
 * @param type the class with the methods
 * @param methods by what they are called in the table, ours first
 * @param parameters values of {@code @Param} fields
 * @param k codes of a search of one row, 0 if it is none
 * @param d length of a row, or 0
 * @param threads that call
 */
public record JmhCase(
    String name,
    String group,
    String what,
    Class<?> type,
    Map<String, String> methods,
    Map<String, String> parameters,
    int k,
    int d,
    int threads) {
  private static final int D = 64;
  private static final String CALLS = "calls";

  /** All of them. */
  public static List<JmhCase> all() {
    return List.of(
        new JmhCase(
            CALLS + "/add-one",
            CALLS,
            "a call whose body is x + 1",
            Downcall.class,
            ordered(
                "FFM, plain", "plain",
                "FFM, critical", "critical",
                "JNI", "jni",
                "Java method", "java",
                "C from C", "fromC"),
            Map.of(),
            0,
            0,
            1),
        new JmhCase(
            CALLS + "/sum-64",
            CALLS,
            "sum of 64 floats",
            Downcall.class,
            ordered(
                "FFM, plain", "sumPlain",
                "FFM, critical", "sumCritical",
                "JNI", "sumJni",
                "Java loop", "sumJava"),
            Map.of(),
            0,
            0,
            1),
        latency(512),
        latency(1024),
        tokens("mnist"),
        tokens("sonnet-cifar10"));
  }

  /** Whether single calls are timed. */
  boolean ofCalls() {
    return group.equals(CALLS);
  }

  private static JmhCase latency(int k) {
    return new JmhCase(
        "latency/k" + k,
        "latency",
        "one vector to its code, through the Java API",
        AssignLatency.class,
        ordered("tessera", "assignOne"),
        Map.of("codes", Integer.toString(k)),
        k,
        D,
        1);
  }

  private static JmhCase tokens(String configuration) {
    return new JmhCase(
        "tokens/" + configuration,
        "tokens",
        "one image, of 32 a call",
        TokenizerThroughput.class,
        ordered(
            "encode, 1 thread", "encodeBy1",
            "encode, 2 threads", "encodeBy2",
            "decode, 1 thread", "decodeBy1",
            "decode, 2 threads", "decodeBy2"),
        Map.of("configuration", configuration),
        0,
        0,
        2);
  }

  private static Map<String, String> ordered(String... labelsAndMethods) {
    Map<String, String> methods = new LinkedHashMap<>();
    for (int i = 0; i < labelsAndMethods.length; i += 2) {
      methods.put(labelsAndMethods[i], labelsAndMethods[i + 1]);
    }
    return methods;
  }
}
