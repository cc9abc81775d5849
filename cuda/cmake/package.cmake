# Lays out what the jar of this module carries: the plug-ins that were built, each with a manifest of its name, size and
# SHA-256 for the Java loader, as the native module's package.cmake does for libtessera.so. A plug-in that was not built
# is not in the jar, and says so when its device is asked for.
#
#   cmake -DTESSERA_LIBRARIES=target/release/lib -DTESSERA_OUTPUT=... "-DTESSERA_PLUGINS=tessera_cuda ..." -P cmake/package.cmake
foreach(variable TESSERA_LIBRARIES TESSERA_OUTPUT TESSERA_PLUGINS)
  if(NOT DEFINED ${variable})
    message(FATAL_ERROR "package.cmake needs -D${variable}=...")
  endif()
endforeach()
separate_arguments(TESSERA_PLUGINS)

file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../../native/include/tessera.h" line REGEX "^#define TS_ABI_VERSION ")
string(REGEX MATCH "[0-9]+$" abi "${line}")
if(NOT abi)
  message(FATAL_ERROR "no TS_ABI_VERSION in native/include/tessera.h")
endif()

file(REMOVE_RECURSE "${TESSERA_OUTPUT}")
file(MAKE_DIRECTORY "${TESSERA_OUTPUT}")
foreach(plugin ${TESSERA_PLUGINS})
  set(name "lib${plugin}.so")
  if(EXISTS "${TESSERA_LIBRARIES}/${name}")
    file(COPY_FILE "${TESSERA_LIBRARIES}/${name}" "${TESSERA_OUTPUT}/${name}")
    file(SIZE "${TESSERA_OUTPUT}/${name}" size)
    file(SHA256 "${TESSERA_OUTPUT}/${name}" sha256)
    file(WRITE "${TESSERA_OUTPUT}/lib${plugin}.properties"
         "abi=${abi}\n${name}.resource=/dev/tessera/native/linux-x86_64/${name}\n${name}.size=${size}\n${name}.sha256=${sha256}\n")
    message(STATUS "packaged ${name}, ${size} bytes")
  else()
    message(STATUS "${name} was not built, so it is not in the jar")
  endif()
endforeach()
