package dev.tessera.cuda;

import dev.tessera.bindings.NativeLibrary;
import dev.tessera.bindings.NativeLibraryException;
import java.lang.foreign.Arena;
import java.lang.foreign.SymbolLookup;
import java.util.Optional;
import jcuda.runtime.JCuda;

/** JCuda's native part, loaded once, and why it may be missing. */
final class JCudaLibrary {
  private static final String TEMPORARY = "java.io.tmpdir";
  private static final String WANTED =
      "(org.jcuda:jcuda and org.jcuda:jcuda-natives for linux-x86_64, of one version)";

  /** Loads at the first use. */
  private static final class Loaded {
    static final Optional<String> PROBLEM = load();
  }

  private JCudaLibrary() {}

  /** One sentence that says why JCuda cannot be used, or nothing if it can. */
  static Optional<String> problem() {
    return Loaded.PROBLEM;
  }

  // JCuda unpacks its library to the folder for temporary files, under a name that anybody can have
  // taken before, and loads what is there. So for that moment it is told a folder of our own.
  private static Optional<String> load() {
    String before = System.getProperty(TEMPORARY);
    try {
      System.setProperty(TEMPORARY, NativeLibrary.privateFolder("jcuda").toString());
      JCuda.initialize();
      JCuda.setExceptionsEnabled(false);
      return Optional.empty();
    } catch (NativeLibraryException e) {
      return Optional.of("JCuda cannot be unpacked: " + e.getMessage());
    } catch (NoClassDefFoundError e) {
      return Optional.of("JCuda is not on the class path " + WANTED);
    } catch (LinkageError e) {
      return Optional.of("JCuda does not load: " + reason(e) + " " + WANTED);
    } finally {
      if (before == null) {
        System.clearProperty(TEMPORARY);
      } else {
        System.setProperty(TEMPORARY, before);
      }
    }
  }

  // JCuda's message is a page of stack traces, of which the last exception is the reason.
  private static String reason(LinkageError e) {
    return String.valueOf(e.getMessage())
        .lines()
        .filter(line -> line.matches("(java|jcuda)\\.[\\w.]*(Error|Exception): .*"))
        .reduce((first, last) -> last)
        .map(line -> line.replaceFirst("^[\\w.]+: ", ""))
        .orElse(e.toString().lines().findFirst().orElse("no reason given"));
  }

  /** Whether the system's loader finds a library. */
  @SuppressWarnings("restricted")
  static boolean canBeLoaded(String library) {
    try (Arena arena = Arena.ofConfined()) {
      return SymbolLookup.libraryLookup(library, arena) != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }
}
