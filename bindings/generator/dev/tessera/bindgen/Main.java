package dev.tessera.bindgen;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;

/** {@code java Main.java HEADER PACKAGE OUTPUT}: writes the bindings of HEADER below OUTPUT. */
public final class Main {
  private Main() {}

  /**
   * Runs the generator.
   *
   * @param args header, Java package, folder for the sources; older sources in it are removed
   */
  public static void main(String[] args) throws IOException {
    if (args.length != 3) {
      System.err.println("usage: java Main.java HEADER PACKAGE OUTPUT");
      System.exit(2);
      return;
    }
    Path header = Path.of(args[0]);
    try {
      Map<String, String> files =
          generate(header.toString(), Files.readString(header), args[1], headerClass(header));
      write(files, Path.of(args[2]).resolve(args[1].replace('.', '/')));
      System.out.println(header.getFileName() + ": wrote " + files.size() + " Java files");
    } catch (HeaderException e) {
      System.err.println(e.getMessage());
      System.exit(1);
    }
  }

  /** The name jextract gives the header's class: {@code tessera.h} becomes {@code tessera_h}. */
  private static String headerClass(Path header) {
    return String.valueOf(header.getFileName()).replace('.', '_');
  }

  /**
   * The generated sources by file name.
   *
   * @param file the header's name in messages
   * @throws HeaderException on anything in the header that is not understood
   */
  static Map<String, String> generate(
      String file, String text, String packageName, String headerClass) throws HeaderException {
    Header header = Parser.parse(file, text);
    Map<String, String> files = new LinkedHashMap<>();
    files.put(headerClass + ".java", HeaderWriter.write(packageName, headerClass, header));
    files.put(headerClass + "$shared.java", SharedWriter.write(packageName, headerClass));
    for (Header.Struct struct : header.structs()) {
      files.put(struct.name() + ".java", StructWriter.write(packageName, headerClass, struct));
    }
    return files;
  }

  private static void write(Map<String, String> files, Path folder) throws IOException {
    Files.createDirectories(folder);
    try (Stream<Path> old = Files.list(folder)) {
      for (Path path : old.toList()) {
        if (!files.containsKey(String.valueOf(path.getFileName()))) {
          Files.delete(path);
        }
      }
    }
    for (Map.Entry<String, String> file : files.entrySet()) {
      Path path = folder.resolve(file.getKey());
      // An unchanged file keeps its time, so that nothing is compiled again for it.
      if (!Files.exists(path) || !Files.readString(path).equals(file.getValue())) {
        Files.writeString(path, file.getValue());
      }
    }
  }
}
