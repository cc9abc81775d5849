#include "backend/product.h"

#include <cstdlib>
#include <cstring>

namespace tessera::cuda {

bool tf32_wanted() {
  static const bool wanted = [] {
    const char *text = getenv("TESSERA_TF32");
    return text && strcmp(text, "1") == 0;
  }();
  return wanted;
}

}  // namespace tessera::cuda
