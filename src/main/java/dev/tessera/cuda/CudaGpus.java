package dev.tessera.cuda;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import jcuda.runtime.JCuda;
import jcuda.runtime.cudaDeviceProp;
import jcuda.runtime.cudaError;

/** The GPUs of this machine, as CUDA's runtime counts them, asked for through JCuda. */
public final class CudaGpus {
  /** What an installed driver brings, and CUDA's runtime opens. */
  private static final String DRIVER = "libcuda.so.1";

  private CudaGpus() {}

  /**
   * One GPU.
   *
   * @param ordinal N of the device {@code cuda:N}
   * @param name model: {@code NVIDIA H100 80GB HBM3}
   * @param memoryBytes its memory
   * @param major of its compute capability
   * @param minor of its compute capability
   */
  public record Gpu(int ordinal, String name, long memoryBytes, int major, int minor) {}

  /**
   * What was found.
   *
   * @param gpus by ordinal
   * @param missing without GPUs: one sentence that says what is missing
   */
  public record Listing(List<Gpu> gpus, Optional<String> missing) {}

  /** Lists the GPUs. Never fails: where JCuda, a driver or a GPU is missing, it says so. */
  public static Listing list() {
    Optional<String> problem = JCudaLibrary.problem();
    if (problem.isPresent()) {
      return new Listing(List.of(), problem);
    }
    int[] count = new int[1];
    int status = JCuda.cudaGetDeviceCount(count);
    if (status != cudaError.cudaSuccess || count[0] == 0) {
      return new Listing(List.of(), Optional.of(reason(status, JCudaLibrary.canBeLoaded(DRIVER))));
    }
    List<Gpu> gpus = new ArrayList<>();
    for (int i = 0; i < count[0]; i++) {
      cudaDeviceProp properties = new cudaDeviceProp();
      int described = JCuda.cudaGetDeviceProperties(properties, i);
      if (described != cudaError.cudaSuccess) {
        return new Listing(
            List.of(),
            Optional.of(
                "GPU %d does not say what it is (cudaGetDeviceProperties: %s)"
                    .formatted(i, cudaError.stringFor(described))));
      }
      gpus.add(
          new Gpu(
              i,
              string(properties.name),
              properties.totalGlobalMem,
              properties.major,
              properties.minor));
    }
    return new Listing(List.copyOf(gpus), Optional.empty());
  }

  /**
   * Why there is no GPU.
   *
   * @param status what cudaGetDeviceCount answered, success for a count of 0
   * @param driver whether the driver's library is there
   */
  static String reason(int status, boolean driver) {
    String why;
    if (!driver) {
      why = "this machine has no NVIDIA driver (no " + DRIVER + ")";
    } else if (status == cudaError.cudaErrorInsufficientDriver) {
      why = "the NVIDIA driver does not run, or is older than CUDA 12 needs";
    } else if (status == cudaError.cudaSuccess || status == cudaError.cudaErrorNoDevice) {
      why = "the NVIDIA driver sees no GPU";
    } else {
      why = "CUDA does not say what GPUs there are";
    }
    return status == cudaError.cudaSuccess || !driver
        ? why
        : why + " (cudaGetDeviceCount: " + cudaError.stringFor(status) + ")";
  }

  private static String string(byte[] chars) {
    int end = 0;
    while (end < chars.length && chars[end] != 0) {
      end++;
    }
    return new String(chars, 0, end, StandardCharsets.UTF_8);
  }
}
