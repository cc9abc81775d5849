// Opening libraries that lie beside libtessera itself.
#pragma once

#include <cstddef>

namespace tessera {

// Opens `library` from the folder of the library that this code is in, and returns its `symbol`; null with a sentence
// in `reason`, which ends in `how_made` if the file is not there.
void *open_beside(const char *library, const char *symbol, const char *how_made, char *reason, size_t capacity);

}  // namespace tessera
