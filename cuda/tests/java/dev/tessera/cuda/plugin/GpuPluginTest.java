package dev.tessera.cuda.plugin;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.tessera.device.Device;
import dev.tessera.device.DeviceUnavailableException;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * What nvcc built loads from the class path wherever the library does: without a driver too, where
 * it says in one sentence that there is none.
 */
class GpuPluginTest {
  private static final String MANIFEST =
      "/dev/tessera/native/linux-x86_64/libtessera_cuda.properties";

  @BeforeEach
  void needsThePlugin() {
    boolean built = GpuPluginTest.class.getResource(MANIFEST) != null;
    if (!built) {
      System.out.println("libtessera_cuda.so is not tested: nvcc did not build it here");
    }
    assumeTrue(built, "nvcc did not build libtessera_cuda.so here");
  }

  private static Device.Backend backend() {
    return Device.backends().stream().filter(b -> b.name().equals("cuda")).findFirst().get();
  }

  /** The CUDA runtime in the plug-in was asked: it names its call, or it has found GPUs. */
  private static void assertTheRuntimesAnswer(String text) {
    assertEquals(1, text.lines().count(), text);
    assertTrue(
        text.contains("(cudaGetDeviceCount: cudaError") || text.contains("sees no GPU"), text);
  }

  @Test
  void theBackendIsListed() {
    Device.Backend cuda = backend();
    System.out.println("libtessera_cuda.so: " + cuda.devices() + " devices, " + cuda.detail());
    if (cuda.devices() == 0) {
      assertTheRuntimesAnswer(cuda.detail());
    }
  }

  @Test
  void aDeviceOpensOrSaysWhyNot() {
    if (backend().devices() > 0) {
      Device.open("cuda:0").close();
      return;
    }
    DeviceUnavailableException absent =
        assertThrows(DeviceUnavailableException.class, () -> Device.open("cuda:0"));
    assertTheRuntimesAnswer(String.valueOf(absent.getMessage()));
  }
}
