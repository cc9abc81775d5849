package dev.tessera.bindings;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The header as plain text, searched by pattern: a second opinion that shares no code with us. */
final class HeaderText {
  static final Path FILE = Path.of(System.getProperty("tessera.test.header", ""));

  private static final Pattern FUNCTION =
      Pattern.compile("^\\w[\\w *]*?\\b(ts_\\w+)\\(", Pattern.MULTILINE);
  private static final Pattern STRUCT =
      Pattern.compile("typedef struct (\\w+) \\{(.*?)\\} \\1;", Pattern.DOTALL);
  private static final Pattern CONSTANT = Pattern.compile("\\b(TS_[A-Z0-9_]+)\\s*=\\s*-?\\d+");
  private static final Pattern MACRO = Pattern.compile("^#define (TS_\\w+) ", Pattern.MULTILINE);

  private HeaderText() {}

  private static String text() throws IOException {
    return Files.readString(FILE).replaceAll("(?s)/\\*.*?\\*/", " ");
  }

  /** Names of all functions. */
  static Set<String> functions() throws IOException {
    return new TreeSet<>(matches(FUNCTION));
  }

  /** Names of all enum constants and macros. */
  static Set<String> constants() throws IOException {
    Set<String> names = new TreeSet<>(matches(CONSTANT));
    names.addAll(matches(MACRO));
    return names;
  }

  /** The structs with the names of their fields. */
  static Map<String, List<String>> structs() throws IOException {
    Map<String, List<String>> structs = new LinkedHashMap<>();
    Matcher matcher = STRUCT.matcher(text());
    while (matcher.find()) {
      List<String> fields = new ArrayList<>();
      for (String declaration : matcher.group(2).strip().split(";", -1)) {
        for (String name : declaration.strip().split(",", -1)) {
          String last = name.replaceAll("\\[.*", "").strip().replaceAll(".*[\\s*]", "");
          if (!last.isEmpty()) {
            fields.add(last);
          }
        }
      }
      structs.put(matcher.group(1), fields);
    }
    return structs;
  }

  private static List<String> matches(Pattern pattern) throws IOException {
    return pattern.matcher(text()).results().map(result -> result.group(1)).toList();
  }
}
