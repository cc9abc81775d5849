// Places in kernels that the emulator names in its messages, and that a test can take away.
#pragma once

namespace tessera::emulation {

// One barrier, wait or bounds check in a kernel's source. Two lanes are at the same place if these are equal.
struct Site {
  const char *file;
  int line;
  int id;            // the number that the kernel gave it, unique in its file; 0 for places that have none
  const char *what;  // "TS_SYNC", "shuffle"

  bool operator==(const Site &other) const { return line == other.line && what == other.what && file == other.file; }
  bool operator!=(const Site &other) const { return !(*this == other); }
};

// Of the place to take away; 0 if none is.
extern int removed_id;

bool is_in_removed_file(const Site &site);

// True if TESSERA_EMULATION_REMOVE is "FILE:ID" (a file's name without its folder) and names this place, which then
// does nothing. So one build serves a test that takes every barrier away in turn to see whether any test notices.
inline bool is_removed(const Site &site) { return site.id != 0 && site.id == removed_id && is_in_removed_file(site); }

}  // namespace tessera::emulation
