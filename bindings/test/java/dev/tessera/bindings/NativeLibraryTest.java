package dev.tessera.bindings;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Where the library comes from, and what is said when it does not come. */
class NativeLibraryTest {
  private static final Path BUILT = Path.of(System.getProperty("tessera.test.library", ""));

  @TempDir Path temporary;

  private String loadFrom(String classPath, String... options) throws Exception {
    List<String> all = new ArrayList<>(List.of("-Dtessera.cache.dir=" + temporary.resolve("c")));
    all.addAll(List.of(options));
    return Processes.output(Processes.loadLibrary(classPath, all));
  }

  private String load(String... options) throws Exception {
    return loadFrom(Processes.classPath(), options);
  }

  private List<String> cached() throws IOException {
    try (Stream<Path> files = Files.walk(temporary.resolve("c"))) {
      return files.map(path -> path.getFileName().toString()).toList();
    }
  }

  private static void assertContains(String text, String... parts) {
    for (String part : parts) {
      assertTrue(text.contains(part), () -> "no '" + part + "' in:\n" + text);
    }
  }

  @Test
  void unpacksItFromTheJarWithoutTheLayers() throws Exception {
    String output = load();
    assertContains(
        output, "loaded " + temporary, "libtessera.so abi " + tessera_h.TS_ABI_VERSION());
    assertTrue(cached().contains("libgomp.so.1"), cached().toString());
    assertFalse(cached().contains("libdnnl.so.3"), cached().toString());
  }

  @Test
  void layersComeWhenTheyAreAskedFor() throws Exception {
    assertContains(load("-Dlayers=true"), "loaded ");
    assertTrue(cached().containsAll(List.of("libdnnl.so.3", "libtessera_cpu_nn.so")));
  }

  /** A class path entry with a plug-in that accepts no version of the interface. */
  private Path plugin(int abi, String sha256) throws Exception {
    Path folder = temporary.resolve("p/dev/tessera/native/linux-x86_64");
    Files.createDirectories(folder);
    Path library =
        Processes.compileLibrary(
            folder.resolve("libtessera_cuda_emulated.so"),
            "const void *ts_backend_init(unsigned abi, const void *host) { return 0; }");
    String found = Processes.run("sha256sum", library.toString()).substring(0, 64);
    Files.writeString(
        folder.resolve("libtessera_cuda_emulated.properties"),
        """
        abi=%d
        libtessera_cuda_emulated.so.resource=/dev/tessera/native/linux-x86_64/libtessera_cuda_emulated.so
        libtessera_cuda_emulated.so.size=%d
        libtessera_cuda_emulated.so.sha256=%s
        """
            .formatted(abi, Files.size(library), sha256.isEmpty() ? found : sha256));
    return temporary.resolve("p");
  }

  @Test
  void aPlugInOfTheClassPathIsFoundByTheLibrary() throws Exception {
    String classPath = plugin(tessera_h.TS_ABI_VERSION(), "") + ":" + Processes.classPath();
    assertContains(
        loadFrom(classPath, "-Ddevice=cuda-emulated"),
        "libtessera_cuda_emulated.so was built for another version", // it has been opened
        "loaded ");
    assertContains(loadFrom(classPath, "-Ddevice=cpu"), "0 ", "loaded ");
    // Without it on the class path there is none, although the cache still has it.
    assertContains(
        load("-Ddevice=cuda-emulated"),
        "device cuda-emulated cannot be had: " + temporary,
        "libtessera_cuda_emulated.so is not there",
        "loaded ");
  }

  @Test
  void aPlugInThatDoesNotFitIsRefused() throws Exception {
    String classPath = plugin(999, "") + ":" + Processes.classPath();
    assertContains(
        loadFrom(classPath, "-Ddevice=cuda-emulated"),
        "failed the plug-in of device cuda-emulated cannot be unpacked",
        "ABI version 999",
        "take the jars of one release");
    assertContains(loadFrom(classPath), "loaded "); // who does not ask for it is not concerned
    classPath = plugin(tessera_h.TS_ABI_VERSION(), "0".repeat(64)) + ":" + Processes.classPath();
    assertContains(
        loadFrom(classPath, "-Ddevice=cuda-emulated"),
        "is not the file that Tessera was built with");
  }

  @Test
  void unpacksATamperedLibraryAgain() throws Exception {
    String file = load().replaceAll("(?s)loaded (.*) abi.*", "$1");
    byte[] before = Files.readAllBytes(Path.of(file));
    byte[] tampered = before.clone();
    tampered[tampered.length / 2] ^= 1;
    Files.write(Path.of(file), tampered);
    assertContains(load(), "loaded " + file);
    assertTrue(Arrays.equals(before, Files.readAllBytes(Path.of(file))));
  }

  @Test
  void processesMayUnpackAtTheSameTime() throws Exception {
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 4; i++) {
      processes.add(
          Processes.loadLibrary(
              Processes.classPath(), List.of("-Dtessera.cache.dir=" + temporary.resolve("c"))));
    }
    for (Process process : processes) {
      assertContains(Processes.output(process), "loaded ");
    }
  }

  @Test
  void propertyMayNameAFileOrItsFolder() throws Exception {
    assertContains(load("-Dtessera.library.path=" + BUILT), "loaded ");
    assertContains(load("-Dtessera.library.path=" + BUILT.getParent()), "loaded ");
    assertFalse(Files.exists(temporary.resolve("c")), "nothing is unpacked then");
  }

  @Test
  void propertyThatIsWrongIsNotPassedOver() throws Exception {
    Path missing = temporary.resolve("none.so");
    assertContains(
        load("-Dtessera.library.path=" + missing),
        "failed Tessera's native library cannot be loaded from " + missing,
        "-Dtessera.library.path",
        "no such file",
        "Nothing else was tried",
        "again the same");
  }

  @Test
  void dlopensMessageIsKept() throws Exception {
    Path text = Files.writeString(temporary.resolve("libtessera.so"), "no library\n".repeat(99));
    assertContains(load("-Dtessera.library.path=" + text), "failed ", "invalid ELF header");
  }

  @Test
  void anotherAbiVersionIsRefused() throws Exception {
    Path library =
        Processes.compileLibrary(
            temporary.resolve("libtessera.so"), "unsigned ts_abi_version(void) { return 999; }");
    assertContains(
        load("-Dtessera.library.path=" + temporary),
        "failed " + library + " has ABI version 999",
        "need " + tessera_h.TS_ABI_VERSION(),
        "again the same");
  }

  @Test
  void aLibraryOfSomebodyElseIsRefused() throws Exception {
    Path library =
        Processes.compileLibrary(temporary.resolve("libother.so"), "int f(void) { return 1; }");
    assertContains(
        load("-Dtessera.library.path=" + library), "failed " + library + " is no Tessera library");
  }

  @Test
  void theSystemsPathIsTheLastResort() throws Exception {
    String bare = Processes.classPathWithout("/native/target/", "/tessera-native-");
    assertContains(loadFrom(bare, "-Djava.library.path=" + BUILT.getParent()), "loaded null abi ");
    assertContains(
        loadFrom(bare, "-Djava.library.path=" + temporary),
        "failed Tessera's native library cannot be loaded. Tried:",
        "-Dtessera.library.path: not set",
        "unpacking from the jar: ",
        "dev.tessera:tessera-native is missing",
        "System.loadLibrary: no tessera in java.library.path: " + temporary);
  }

  @Test
  void anUnsafeFolderIsRefused() throws Exception {
    Path folder = Files.createDirectory(temporary.resolve("c"));
    Processes.run("chmod", "777", folder.toString());
    assertContains(
        load(), "failed ", "unpacking from the jar: " + folder + " may be written by others");
  }

  @Test
  void aFolderThatCannotBeMadeIsNamed() throws Exception {
    Path file = Files.writeString(temporary.resolve("file"), "");
    assertContains(
        load("-Dtessera.cache.dir=" + file.resolve("c")),
        "failed ",
        "unpacking from the jar: ",
        file.toString(),
        "-Dtessera.cache.dir=FOLDER another place to unpack it to");
  }

  @Test
  void anotherPlatformIsNamed() throws Exception {
    assertContains(
        load("-Dos.arch=aarch64"),
        "failed ",
        "the jar has libraries for linux-x86_64 only, and this is linux-aarch64");
    assertEquals("mac-os-x-aarch64", Platform.name("Mac OS X", "aarch64"));
  }

  @Test
  void jarsOfDifferentReleasesAreNotMixed() throws Exception {
    Path manifest = temporary.resolve("m" + LibraryManifest.RESOURCE);
    Files.createDirectories(manifest.getParent());
    Files.writeString(manifest, "abi=999\n");
    String classPath = temporary.resolve("m") + ":" + Processes.classPath();
    assertContains(
        loadFrom(classPath), "failed ", "ABI version 999", "take the jars of one release");
  }

  @Test
  void aJarThatIsNotTheManifestsIsRefused() throws Exception {
    Path manifest = temporary.resolve("m" + LibraryManifest.RESOURCE);
    Files.createDirectories(manifest.getParent());
    String real;
    try (InputStream stream = LibraryManifest.class.getResourceAsStream(LibraryManifest.RESOURCE)) {
      real = new String(Objects.requireNonNull(stream).readAllBytes(), UTF_8);
    }
    Files.writeString(
        manifest, real.replaceAll("(?m)^(libtessera.so.sha256)=.*$", "$1=" + "0".repeat(64)));
    String classPath = temporary.resolve("m") + ":" + Processes.classPath();
    assertContains(loadFrom(classPath), "failed ", "is not the file that Tessera was built with");
  }
}
