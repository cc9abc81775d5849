package format;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;

/**
 * {@code java -cp google-java-format-all-deps.jar tools/format/Main.java check|write ROOT}: checks
 * or mends the formatting of all sources below ROOT. Build outputs are left alone, so nothing
 * generated is looked at.
 */
public final class Main {
  private static final Set<String> SKIPPED = Set.of("target", ".git", "node_modules", "runs");

  private Main() {}

  public static void main(String[] args) throws IOException, InterruptedException {
    if (args.length != 2 || !(args[0].equals("check") || args[0].equals("write"))) {
      System.err.println("usage: Main.java check|write ROOT");
      System.exit(2);
    }
    boolean write = args[0].equals("write");
    Path root = Path.of(args[1]).toAbsolutePath().normalize();

    List<Path> off = new ArrayList<>(JavaFormat.differing(files(root, Set.of("java")), write));
    off.addAll(
        NativeFormat.differing(files(root, Set.of("c", "h", "cpp", "cu", "cuh", "inc")), write));

    Stream<String> names = off.stream().map(path -> "  " + root.relativize(path)).sorted();
    if (off.isEmpty()) {
      System.out.println("formatting: nothing to mend");
    } else if (write) {
      System.out.println("formatting: rewrote");
      names.forEach(System.out::println);
    } else {
      System.err.println("formatting: these files are off (mvn -N -Pformat verify mends them):");
      names.forEach(System.err::println);
      System.exit(1);
    }
  }

  private static List<Path> files(Path root, Set<String> extensions) throws IOException {
    List<Path> found = new ArrayList<>();
    Files.walkFileTree(
        root,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) {
            return SKIPPED.contains(folder.getFileName().toString())
                ? FileVisitResult.SKIP_SUBTREE
                : FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
            String name = file.getFileName().toString();
            if (extensions.contains(name.substring(name.lastIndexOf('.') + 1))) {
              found.add(file);
            }
            return FileVisitResult.CONTINUE;
          }
        });
    found.sort(null);
    return found;
  }
}
