package dev.tessera.bindings;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.GroupLayout;
import java.lang.foreign.MemoryLayout;
import java.lang.foreign.MemoryLayout.PathElement;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Sizes, offsets and constants are those of the C compiler, which is asked here and now. */
class StructLayoutTest {
  private static final Map<String, Long> fromC = new TreeMap<>();

  @BeforeAll
  static void askTheCompiler(@TempDir Path folder) throws Exception {
    StringBuilder source = new StringBuilder();
    source.append("#include <stddef.h>\n#include <stdio.h>\n#include \"tessera.h\"\n");
    source.append("#define P(name, value) printf(\"%s %lld\\n\", name, (long long)(value))\n");
    source.append("int main(void) {\n");
    for (Map.Entry<String, List<String>> struct : HeaderText.structs().entrySet()) {
      String name = struct.getKey();
      source.append("  P(\"%1$s\", sizeof(%1$s));\n".formatted(name));
      source.append("  P(\"%1$s alignment\", _Alignof(%1$s));\n".formatted(name));
      for (String field : struct.getValue()) {
        source.append("  P(\"%1$s.%2$s\", offsetof(%1$s, %2$s));\n".formatted(name, field));
        source.append(
            "  P(\"%1$s.%2$s size\", sizeof(((%1$s *)0)->%2$s));\n".formatted(name, field));
      }
    }
    for (String constant : HeaderText.constants()) {
      source.append("  P(\"%1$s\", %1$s);\n".formatted(constant));
    }
    source.append("  return 0;\n}\n");

    Path file = folder.resolve("layout.c");
    Path program = folder.resolve("layout");
    Files.writeString(file, source);
    String include = String.valueOf(HeaderText.FILE.getParent());
    Processes.run("cc", "-I", include, "-o", program.toString(), file.toString());
    for (String line : Processes.run(program.toString()).lines().toList()) {
      int space = line.lastIndexOf(' ');
      fromC.put(line.substring(0, space), Long.parseLong(line.substring(space + 1)));
    }
  }

  @Test
  void structsHaveTheCompilersSizesAndOffsets() throws Exception {
    Map<String, Long> expected = new TreeMap<>(fromC);
    expected.keySet().removeAll(HeaderText.constants());
    Map<String, Long> found = new TreeMap<>();
    for (String name : HeaderText.structs().keySet()) {
      Class<?> type = Class.forName("dev.tessera.bindings." + name);
      GroupLayout layout = (GroupLayout) type.getMethod("layout").invoke(null);
      found.put(name, (long) type.getMethod("sizeof").invoke(null));
      found.put(name + " alignment", layout.byteAlignment());
      for (MemoryLayout member : layout.memberLayouts()) {
        if (member.name().isPresent()) {
          String field = member.name().get();
          long offset = layout.byteOffset(PathElement.groupElement(field));
          assertEquals(offset, type.getMethod(field + "$offset").invoke(null));
          found.put(name + "." + field, offset);
          found.put(name + "." + field + " size", member.byteSize());
        }
      }
    }
    assertEquals(expected, found);
    assertTrue(found.size() > 100, "so few fields: " + found.size());
  }

  @Test
  void constantsHaveTheCompilersValues() throws Exception {
    for (String name : HeaderText.constants()) {
      int value = (int) tessera_h.class.getMethod(name).invoke(null);
      assertEquals(fromC.get(name), value, name);
    }
    assertTrue(HeaderText.constants().contains("TS_ABI_VERSION"));
  }
}
