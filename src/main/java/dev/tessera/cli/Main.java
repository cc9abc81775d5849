package dev.tessera.cli;

import dev.tessera.bindings.NativeLibraryException;
import dev.tessera.device.TesseraException;
import dev.tessera.train.DivergedException;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.PrintStream;
import java.io.PrintWriter;
import java.io.UncheckedIOException;
import java.nio.file.AccessDeniedException;
import java.nio.file.NoSuchFileException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code tessera}. */
@Command(
    name = "tessera",
    description = "Trains and runs vector-quantised autoencoders (VQ-VAE).",
    mixinStandardHelpOptions = true,
    versionProvider = Version.class,
    subcommands = {
      TrainCommand.class,
      EvalCommand.class,
      EncodeCommand.class,
      DecodeCommand.class,
      PriorCommand.class,
      SampleCommand.class,
      TrainClassifierCommand.class,
      BenchCommand.class,
      DevicesCommand.class
    })
public final class Main implements Runnable {
  /** Wrong input, or something that cannot be had here. */
  static final int USAGE = 2;

  @Spec private CommandSpec spec = CommandSpec.create();

  /** Runs the command line and exits with its status. */
  public static void main(String[] arguments) {
    System.exit(run(writer(System.out), writer(System.err), arguments));
  }

  private static PrintWriter writer(PrintStream stream) {
    return new PrintWriter(stream, true, stream.charset());
  }

  /** Runs one command: 0 if it did, 2 for wrong input, 1 if training diverged or Tessera failed. */
  static int run(PrintWriter out, PrintWriter err, String... arguments) {
    CommandLine line = new CommandLine(new Main());
    line.setOut(out);
    line.setErr(err);
    line.setCaseInsensitiveEnumValuesAllowed(true);
    line.setParameterExceptionHandler(Main::wrongUsage);
    line.setExecutionExceptionHandler((e, command, parsed) -> failed(command, e));
    return line.execute(arguments);
  }

  @Override
  public void run() {
    spec.commandLine().usage(spec.commandLine().getOut());
  }

  private static int wrongUsage(ParameterException e, String[] arguments) {
    CommandLine command = e.getCommandLine();
    String name = command.getCommandSpec().qualifiedName();
    command.getErr().println("tessera: " + oneLine(e) + " (see " + name + " --help)");
    return USAGE;
  }

  private static int failed(CommandLine command, Exception e) {
    PrintWriter err = command.getErr();
    if (e instanceof DivergedException) {
      err.println("tessera: " + oneLine(e));
      return 1;
    }
    if (e instanceof IllegalArgumentException
        || e instanceof IOException
        || e instanceof UncheckedIOException
        || e instanceof NativeLibraryException
        || e instanceof TesseraException) {
      err.println("tessera: " + oneLine(e));
      return USAGE;
    }
    err.println("tessera: a fault of Tessera's own, please report it with what follows");
    e.printStackTrace(err);
    return 1;
  }

  private static String oneLine(Throwable e) {
    if (e instanceof UncheckedIOException unchecked && unchecked.getCause() != null) {
      return oneLine(unchecked.getCause());
    }
    String message = e.getMessage() == null ? e.getClass().getSimpleName() : e.getMessage();
    if (e instanceof NoSuchFileException) { // its message is the bare name
      message = "there is no file " + message;
    } else if (e instanceof AccessDeniedException) {
      message = "no permission for " + message;
    } else if (e instanceof FileNotFoundException) {
      message = e.getMessage();
    }
    return String.valueOf(message).replaceAll("\\s*\\R\\s*", " ");
  }
}
