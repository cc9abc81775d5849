package dev.tessera.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.Arrays;
import java.util.List;

/** What a command line came to: its exit code, standard output and standard error. */
record Outcome(int code, String out, String err) {
  /** Runs the command line in this process. */
  static Outcome tessera(Object... arguments) {
    StringWriter out = new StringWriter();
    StringWriter err = new StringWriter();
    String[] words = Arrays.stream(arguments).map(Object::toString).toArray(String[]::new);
    int code = Main.run(new PrintWriter(out, true), new PrintWriter(err, true), words);
    return new Outcome(code, out.toString(), err.toString());
  }

  /** Exit code 2, one line on standard error that has all of {@code words}, no stack trace. */
  static void refused(List<String> words, Object... arguments) {
    Outcome outcome = tessera(arguments);
    String what = Arrays.toString(arguments) + ": " + outcome.err();
    assertEquals(2, outcome.code(), what);
    assertEquals(1, outcome.err().lines().count(), what);
    assertTrue(outcome.err().startsWith("tessera: "), what);
    assertEquals("", outcome.out(), what);
    for (String word : words) {
      assertTrue(outcome.err().contains(word), word + " is not in " + what);
    }
  }
}
