/**
 * GPUs through JCuda: what this machine has ({@link dev.tessera.cuda.CudaGpus}), and JCuda's
 * pointers and streams as Tessera's tensors and streams and back ({@link
 * dev.tessera.cuda.CudaInterop}).
 *
 * <p>JCuda is optional: Tessera needs neither it nor this package to compute on a GPU. Who uses
 * this package has {@code org.jcuda:jcuda} on the class path, and {@code org.jcuda:jcuda-natives}
 * of the same version (26 MB unpacked, in no jar of ours) to call CUDA through it.
 */
@NullMarked
package dev.tessera.cuda;

import org.jspecify.annotations.NullMarked;
