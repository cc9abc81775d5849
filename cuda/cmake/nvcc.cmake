# libtessera_cuda.so by nvcc, one command a source: CMake's own CUDA language would want to link and run a program first,
# and says less about each kernel. Registers, shared memory, spills, stack and instructions of every kernel go to
# backend/kernels.csv, which a test holds against cuda/budget.csv.
include("${CMAKE_SOURCE_DIR}/cmake/find_nvcc.cmake")
message(STATUS "CUDA: ${TESSERA_NVCC_MESSAGE}")

option(TESSERA_ALL_ARCHS "Build sm_100 and sm_120 too" OFF)
set(TESSERA_ONE_ARCH "" CACHE STRING "Build for this architecture alone, say 90: for who tries the kernels on one GPU")
set(TESSERA_ARCHS 80 90)
if(TESSERA_ONE_ARCH)
  set(TESSERA_ARCHS ${TESSERA_ONE_ARCH})
elseif(TESSERA_ALL_ARCHS)
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

# Objects of the sources, into `out`. After HOST come sources without kernels, which nvcc hands on to g++, and after
# OPTIONS more options.
function(add_cuda_objects out)
  cmake_parse_arguments(objects "" "" "HOST;OPTIONS" ${ARGN})
  nvcc_targets(targets)
  set(objects)
  foreach(source ${objects_UNPARSED_ARGUMENTS} ${objects_HOST})
    get_filename_component(stem "${source}" NAME)
    set(language -x cu)
    if(source IN_LIST objects_HOST)
      set(language)
    endif()
    set(object "${CMAKE_CURRENT_BINARY_DIR}/${stem}.o")
    add_custom_command(
      OUTPUT "${object}"
      # Contraction is off as for g++: an fma is written as one. Warnings are errors here too.
      COMMAND sh "${CMAKE_SOURCE_DIR}/cmake/compile.sh" "${object}"
              "${TESSERA_NVCC}" ${language} -std=c++17 -O3 -fmad=false ${targets} -Xptxas -v --Werror all-warnings
              -Xcompiler -fPIC,-fvisibility=hidden,-Wall,-Wextra,-Wno-restrict,-ffp-contract=off
              "-I${CMAKE_SOURCE_DIR}" "-I${TESSERA_NATIVE_DIR}" "-I${TESSERA_NATIVE_DIR}/include" ${objects_OPTIONS}
              -MD -MF "${object}.d" -c "${source}" -o "${object}"
      DEPENDS "${source}" "${CMAKE_SOURCE_DIR}/cmake/compile.sh"
      DEPFILE "${object}.d"
      COMMENT "nvcc ${stem}"
      VERBATIM)
    list(APPEND objects "${object}")
  endforeach()
  set(${out} ${objects} PARENT_SCOPE)
endfunction()

function(add_cuda_library name)
  nvcc_targets(targets)
  add_cuda_objects(objects ${ARGN})
  set(library "${CMAKE_LIBRARY_OUTPUT_DIRECTORY}/lib${name}.so")
  add_custom_command(
    OUTPUT "${library}"
    COMMAND "${TESSERA_NVCC}" -shared -cudart static ${targets} ${objects} -o "${library}"
            -Xlinker "--version-script=${CMAKE_SOURCE_DIR}/plugin.map" -Xlinker --no-undefined -Xlinker -z,relro
            -Xlinker -z,now -Xcompiler -static-libstdc++,-static-libgcc
    DEPENDS ${objects} "${CMAKE_SOURCE_DIR}/plugin.map"
    COMMENT "Linking lib${name}.so"
    VERBATIM)
  set(record "${CMAKE_CURRENT_BINARY_DIR}/kernels.csv")
  add_custom_command(
    OUTPUT "${record}"
    COMMAND sh "${CMAKE_SOURCE_DIR}/cmake/record_kernels.sh" "${record}" ${objects}
    DEPENDS ${objects} "${CMAKE_SOURCE_DIR}/cmake/record_kernels.sh" "${CMAKE_SOURCE_DIR}/cmake/record_kernels.awk"
    COMMENT "Recording what the kernels take"
    VERBATIM)
  add_custom_target(${name} ALL DEPENDS "${library}" "${record}")
endfunction()

# A program that calls libtessera and the CUDA runtime; sources as for add_cuda_objects.
function(add_cuda_program name)
  nvcc_targets(targets)
  add_cuda_objects(objects ${ARGN} OPTIONS "-I${CMAKE_CURRENT_SOURCE_DIR}" "-I${TESSERA_NATIVE_DIR}/tests")
  set(program "${CMAKE_RUNTIME_OUTPUT_DIRECTORY}/${name}")
  add_custom_command(
    OUTPUT "${program}"
    COMMAND "${TESSERA_NVCC}" -cudart static ${targets} ${objects} "${TESSERA_NATIVE_BUILD}/lib/libtessera.so" -ldl
            -o "${program}" -Xlinker "-rpath=$ORIGIN/../lib" -Xlinker "-rpath-link=${TESSERA_NATIVE_BUILD}/lib"
            -Xcompiler -static-libstdc++,-static-libgcc
    DEPENDS ${objects} "${TESSERA_NATIVE_BUILD}/lib/libtessera.so"
    COMMENT "Linking ${name}"
    VERBATIM)
  add_custom_target(${name} ALL DEPENDS "${program}")
endfunction()
