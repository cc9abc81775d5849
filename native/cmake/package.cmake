# Lays out what the jar of this module carries: Tessera's own libraries, and `manifest.properties` with the name, size
# and SHA-256 of every library that the Java loader may unpack. oneDNN and libgomp are in the manifest but not in the
# jar: 93 MB, taken at run time from the jar that they were built with (org.bytedeco:dnnl).
#
#   cmake -DTESSERA_LIBRARIES=target/release/lib -DTESSERA_DNNL=... -DTESSERA_OUTPUT=... -P cmake/package.cmake
foreach(variable TESSERA_LIBRARIES TESSERA_DNNL TESSERA_OUTPUT)
  if(NOT DEFINED ${variable})
    message(FATAL_ERROR "package.cmake needs -D${variable}=...")
  endif()
endforeach()

file(STRINGS "${CMAKE_CURRENT_LIST_DIR}/../include/tessera.h" line REGEX "^#define TS_ABI_VERSION ")
string(REGEX MATCH "[0-9]+$" abi "${line}")
if(NOT abi)
  message(FATAL_ERROR "no TS_ABI_VERSION in include/tessera.h")
endif()

set(manifest "abi=${abi}\n")
function(add_library_entry path resource)
  get_filename_component(name "${path}" NAME)
  if(NOT EXISTS "${path}")
    message(FATAL_ERROR "${path} is missing: was the native build complete?")
  endif()
  file(SIZE "${path}" size)
  file(SHA256 "${path}" sha256)
  string(APPEND manifest "${name}.resource=${resource}\n${name}.size=${size}\n${name}.sha256=${sha256}\n")
  set(manifest "${manifest}" PARENT_SCOPE)
endfunction()

file(MAKE_DIRECTORY "${TESSERA_OUTPUT}")
foreach(name libtessera.so libtessera_cpu_nn.so)
  file(COPY_FILE "${TESSERA_LIBRARIES}/${name}" "${TESSERA_OUTPUT}/${name}" ONLY_IF_DIFFERENT)
  add_library_entry("${TESSERA_OUTPUT}/${name}" "/dev/tessera/native/linux-x86_64/${name}")
endforeach()
foreach(name libgomp.so.1 libdnnl.so.3)
  add_library_entry("${TESSERA_DNNL}/${name}" "/org/bytedeco/dnnl/linux-x86_64/${name}")
endforeach()
file(CONFIGURE OUTPUT "${TESSERA_OUTPUT}/manifest.properties" CONTENT "${manifest}" @ONLY)
