# libtessera_cuda.so by nvcc, one command a source: CMake's own CUDA language would want to link and run a program first,
# and says less about each kernel. What ptxas reports of registers, shared memory and spills is kept beside the objects
# (NAME.ptxas), for cuda/budget.csv.
include("${CMAKE_SOURCE_DIR}/cmake/find_nvcc.cmake")
message(STATUS "CUDA: ${TESSERA_NVCC_MESSAGE}")

option(TESSERA_ALL_ARCHS "Build sm_100 and sm_120 too" OFF)
set(TESSERA_ARCHS 80 90)
if(TESSERA_ALL_ARCHS)
  list(APPEND TESSERA_ARCHS 100 120)
endif()

# Machine code for each architecture, and PTX of the last for what comes after.
function(nvcc_targets out)
  set(flags)
  foreach(arch ${TESSERA_ARCHS})
    list(APPEND flags -gencode arch=compute_${arch},code=sm_${arch})
  endforeach()
  list(GET TESSERA_ARCHS -1 last)
  list(APPEND flags -gencode arch=compute_${last},code=compute_${last})
  set(${out} ${flags} PARENT_SCOPE)
endfunction()

function(add_cuda_library name)
  nvcc_targets(targets)
  set(objects)
  foreach(source ${ARGN})
    get_filename_component(stem "${source}" NAME)
    set(object "${CMAKE_CURRENT_BINARY_DIR}/${stem}.o")
    add_custom_command(
      OUTPUT "${object}"
      # Contraction is off as for g++: an fma is written as one. Warnings are errors here too.
      COMMAND sh "${CMAKE_SOURCE_DIR}/cmake/logged.sh" "${object}.ptxas" "${TESSERA_NVCC}" -x cu -std=c++17 -O3 -fmad=false ${targets} -Xptxas -v --Werror all-warnings
              -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wextra,-Wno-restrict,-ffp-contract=off
              "-I${CMAKE_SOURCE_DIR}" "-I${TESSERA_NATIVE_DIR}" "-I${TESSERA_NATIVE_DIR}/include"
              -MD -MF "${object}.d" -c "${source}" -o "${object}"
      DEPENDS "${source}"
      DEPFILE "${object}.d"
      COMMENT "nvcc ${stem}"
      VERBATIM)
    list(APPEND objects "${object}")
  endforeach()
  set(library "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/lib${name}.so")
  add_custom_command(
    OUTPUT "${library}"
    COMMAND "${TESSERA_NVCC}" -shared -cudart static ${targets} ${objects} -o "${library}"
            -Xlinker "--version-script=${CMAKE_SOURCE_DIR}/plugin.map" -Xlinker --no-undefined -Xlinker -z,relro
            -Xlinker -z,now -Xcompiler -static-libstdc++,-static-libgcc
    DEPENDS ${objects} "${CMAKE_SOURCE_DIR}/plugin.map"
    COMMENT "Linking lib${name}.so"
    VERBATIM)
  add_custom_target(${name} ALL DEPENDS "${library}")
endfunction()
