package format;

import com.google.googlejavaformat.java.Formatter;
import com.google.googlejavaformat.java.FormatterException;
import com.google.googlejavaformat.java.ImportOrderer;
import com.google.googlejavaformat.java.JavaFormatterOptions;
import com.google.googlejavaformat.java.RemoveUnusedImports;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;

/** Java sources, by google-java-format in its own style. */
final class JavaFormat {
  private JavaFormat() {}

  /** Files that are not formatted; they are rewritten if {@code write}. */
  static List<Path> differing(List<Path> files, boolean write) throws IOException {
    List<Path> off = new ArrayList<>();
    Formatter formatter = new Formatter();
    for (Path file : files) {
      String before = Files.readString(file);
      String after;
      try {
        after = RemoveUnusedImports.removeUnusedImports(formatter.formatSource(before));
        after = ImportOrderer.reorderImports(after, JavaFormatterOptions.Style.GOOGLE);
        after = formatter.formatSource(after);
      } catch (FormatterException e) {
        System.err.println(file + ": " + e.getMessage());
        off.add(file);
        continue;
      }
      if (!after.equals(before)) {
        off.add(file);
        if (write) {
          Files.writeString(file, after);
        }
      }
    }
    return off;
  }
}
