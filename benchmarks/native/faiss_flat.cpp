// FAISS' flat L2 search as the C functions that dev.tessera.benchmarks.peers.FaissVq calls: Debian packages no C API.
#include <faiss/IndexFlat.h>
#include <faiss/utils/utils.h>
#include <omp.h>

#include <cstdint>
#include <cstdio>
#include <exception>
#include <string>

#define EXPORT extern "C" __attribute__((visibility("default")))

// Version, and the instruction sets that the library says it was compiled for.
EXPORT const char *benchmark_faiss_version() {
  static const std::string text = std::to_string(FAISS_VERSION_MAJOR) + "." + std::to_string(FAISS_VERSION_MINOR) +
                                  "." + std::to_string(FAISS_VERSION_PATCH);
  return text.c_str();
}

EXPORT const char *benchmark_faiss_options() {
  static const std::string text = faiss::get_compile_options();
  return text.c_str();
}

EXPORT void benchmark_faiss_threads(int32_t threads) { omp_set_num_threads(threads); }

// An index of codes [k, d]; null if that failed.
EXPORT void *benchmark_faiss_open(const float *codes, int64_t k, int64_t d) {
  try {
    auto *index = new faiss::IndexFlatL2(d);
    index->add(k, codes);
    return index;
  } catch (const std::exception &e) {
    std::fprintf(stderr, "faiss: %s\n", e.what());
    return nullptr;
  }
}

// The nearest code of each of n rows, and its squared distance; 0, or 1 if that failed.
EXPORT int32_t benchmark_faiss_search(void *index, const float *rows, int64_t n, float *distances, int64_t *labels) {
  try {
    static_cast<faiss::IndexFlatL2 *>(index)->search(n, rows, 1, distances, labels);
    return 0;
  } catch (const std::exception &e) {
    std::fprintf(stderr, "faiss: %s\n", e.what());
    return 1;
  }
}

EXPORT void benchmark_faiss_close(void *index) { delete static_cast<faiss::IndexFlatL2 *>(index); }
