package dev.tessera.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;

/** Header, library and bindings have the same functions. */
class HeaderSymbolsTest {
  private static void assertSame(String where, Set<String> found) throws Exception {
    Set<String> missing = new TreeSet<>(HeaderText.functions());
    missing.removeAll(found);
    Set<String> extra = new TreeSet<>(found);
    extra.removeAll(HeaderText.functions());
    assertEquals(Set.of(), missing, "in the header, but not in the " + where);
    assertEquals(Set.of(), extra, "in the " + where + ", but not in the header");
    assertFalse(found.isEmpty());
  }

  @Test
  void libraryExportsExactlyTheFunctionsOfTheHeader() throws Exception {
    String table =
        Processes.run("nm", "-D", "--defined-only", System.getProperty("tessera.test.library", ""));
    Set<String> exported =
        table
            .lines()
            .map(line -> line.replaceAll(".* ", ""))
            .filter(name -> name.startsWith("ts_"))
            .collect(Collectors.toCollection(TreeSet::new));
    assertSame("library", exported);
  }

  @Test
  void bindingsHaveExactlyTheFunctionsOfTheHeader() throws Exception {
    Set<String> bound =
        Arrays.stream(tessera_h.class.getMethods())
            .map(Method::getName)
            .filter(name -> name.startsWith("ts_") && name.endsWith("$handle"))
            .map(name -> name.replace("$handle", ""))
            .collect(Collectors.toCollection(TreeSet::new));
    assertSame("bindings", bound);
  }

  @Test
  void everyFunctionIsFoundAndLinked() throws Exception {
    NativeLibrary.load();
    for (String name : HeaderText.functions()) {
      tessera_h.class.getMethod(name + "$handle").invoke(null);
    }
  }
}
