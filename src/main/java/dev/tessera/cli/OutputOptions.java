package dev.tessera.cli;

import dev.tessera.io.Json;
import java.io.PrintWriter;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** {@code --json}, which every command that prints figures takes. */
final class OutputOptions {
  @Option(
      names = "--json",
      description = "Print one JSON object on standard output, and nothing else there.")
  private boolean json;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec spec = CommandSpec.create();

  boolean json() {
    return json;
  }

  /** Standard output. */
  PrintWriter out() {
    return spec.commandLine().getOut();
  }

  /** Standard error: what is for people while figures go to standard output. */
  PrintWriter err() {
    return spec.commandLine().getErr();
  }

  /** Prints the result as JSON if asked to, or as text. */
  void print(Object result, Runnable text) {
    if (json) {
      out().println(Json.line(result));
    } else {
      text.run();
    }
    out().flush();
  }
}
