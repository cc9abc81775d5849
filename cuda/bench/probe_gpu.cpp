// probe_gpu: prints the compute capability and the name of the first GPU, "90 NVIDIA H100", for gpu-check.sh to build
// for. Without one it says in one sentence why, and its exit code is 2. Knows nothing of Tessera, so that it builds in
// a second.
#include <cuda_runtime.h>

#include <cstdio>

int main() {
  int count = 0;
  const cudaError_t error = cudaGetDeviceCount(&count);
  if (error == cudaErrorInsufficientDriver) {
    printf("no NVIDIA driver was found that is new enough for this CUDA (cudaGetDeviceCount: %s)\n",
           cudaGetErrorName(error));
    return 2;
  }
  if (error != cudaSuccess || count == 0) {
    printf("the NVIDIA driver sees no GPU (cudaGetDeviceCount: %s)\n", cudaGetErrorName(error));
    return 2;
  }
  cudaDeviceProp properties;
  const cudaError_t described = cudaGetDeviceProperties(&properties, 0);
  if (described != cudaSuccess) {
    printf("the first GPU cannot be described (cudaGetDeviceProperties: %s)\n", cudaGetErrorName(described));
    return 2;
  }
  printf("%d%d %s\n", properties.major, properties.minor, properties.name);
  return 0;
}
