package dev.tessera.cuda;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import jcuda.runtime.cudaError;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** GPUs, or one sentence that says what is missing: here, and where JCuda is not. */
class CudaGpusTest {
  @TempDir private Path temporary;

  @Test
  void thereAreGpusOrAReason() {
    CudaGpus.Listing found = CudaGpus.list();
    assertEquals(found.gpus().isEmpty(), found.missing().isPresent());
    for (CudaGpus.Gpu gpu : found.gpus()) {
      assertTrue(gpu.memoryBytes() > 1 << 30 && gpu.major() >= 3, gpu.toString());
      assertFalse(gpu.name().isBlank());
    }
    found.missing().ifPresent(CudaGpusTest::assertSentence);
    found
        .missing()
        .ifPresent(why -> assertFalse(why.contains("JCuda"), "JCuda is here, but " + why));
    if (!JCudaLibrary.canBeLoaded("libcuda.so.1")) {
      assertEquals("this machine has no NVIDIA driver (no libcuda.so.1)", found.missing().get());
    }
  }

  @Test
  void eachReasonIsNamed() {
    assertContains(CudaGpus.reason(cudaError.cudaErrorInsufficientDriver, false), "no NVIDIA");
    assertContains(
        CudaGpus.reason(cudaError.cudaErrorInsufficientDriver, true),
        "older than CUDA 12",
        "cudaErrorInsufficientDriver");
    assertContains(CudaGpus.reason(cudaError.cudaErrorNoDevice, true), "sees no GPU");
    assertContains(CudaGpus.reason(cudaError.cudaSuccess, true), "sees no GPU");
    assertContains(
        CudaGpus.reason(cudaError.cudaErrorUnknown, true), "cudaGetDeviceCount: cudaErrorUnknown");
  }

  private static void assertContains(String text, String... words) {
    assertSentence(text);
    for (String word : words) {
      assertTrue(text.contains(word), text);
    }
  }

  private static void assertSentence(String text) {
    assertTrue(text.length() > 20 && text.lines().count() == 1, text);
  }

  /** Exit code 0, a line a backend, and nothing on standard error, with these jars left out. */
  private String devicesWithout(String... jars) throws Exception {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home", ""), "bin", "java").toString());
    command.addAll(
        List.of(
            "-XX:TieredStopAtLevel=1",
            "--enable-native-access=ALL-UNNAMED",
            "-Dtessera.cache.dir=" + temporary.resolve("cache"),
            "-cp",
            String.join(
                ":",
                Arrays.stream(System.getProperty("java.class.path", "").split(":", -1))
                    .filter(entry -> Arrays.stream(jars).noneMatch(entry::contains))
                    .toList()),
            "dev.tessera.cli.Main",
            "devices"));
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), output);
    assertEquals(3, output.lines().count(), output);
    assertTrue(output.startsWith("cpu "), output);
    return output
        .lines()
        .filter(line -> line.startsWith("cuda ") || line.startsWith("cuda:"))
        .findFirst()
        .get();
  }

  @Test
  void withoutJCudaItSaysSo() throws Exception {
    assertContains(devicesWithout("/jcuda-"), "JCuda is not on the class path", "org.jcuda:jcuda");
    assertContains(devicesWithout("/jcuda-natives-"), "JCuda does not load", "jcuda-natives");
  }

  @Test
  void unpacksItsLibraryIntoAFolderOfOurOwn() throws Exception {
    devicesWithout("no jar");
    Path folder = temporary.resolve("cache").resolve("jcuda");
    try (Stream<Path> files = Files.list(folder)) {
      assertEquals(
          List.of("libJCudaRuntime-12.6.0-linux-x86_64.so"),
          files.map(file -> file.getFileName().toString()).toList());
    }
    assertEquals(
        "rwx------",
        java.nio.file.attribute.PosixFilePermissions.toString(
            Files.getPosixFilePermissions(folder)));
  }
}
