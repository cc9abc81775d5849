# Finds an nvcc new enough for this backend. Sets TESSERA_NVCC (empty if there is none) and TESSERA_NVCC_MESSAGE, one
# line that says which, or why none. As a script, `cmake [-DTELL=ON] -P cmake/find_nvcc.cmake`, it prints that line, and if
# asked to tell, where nvcc is.
set(minimum 12.8)
set(TESSERA_NVCC "")
find_program(nvcc_program nvcc HINTS ENV CUDACXX ENV CUDA_HOME ENV CUDA_PATH PATH_SUFFIXES bin PATHS /usr/local/cuda)
if(NOT nvcc_program)
  set(TESSERA_NVCC_MESSAGE "no nvcc found, so the CUDA plug-in is not built (needs nvcc >= ${minimum})")
else()
  execute_process(COMMAND ${nvcc_program} --version OUTPUT_VARIABLE text ERROR_VARIABLE text RESULT_VARIABLE status)
  string(REGEX MATCH "release ([0-9]+\\.[0-9]+)" match "${text}")
  if(NOT status EQUAL 0 OR NOT match)
    set(TESSERA_NVCC_MESSAGE
        "${nvcc_program} does not say its version, so the CUDA plug-in is not built (needs nvcc >= ${minimum})")
  elseif(CMAKE_MATCH_1 VERSION_LESS minimum)
    set(TESSERA_NVCC_MESSAGE
        "nvcc ${CMAKE_MATCH_1} is too old, so the CUDA plug-in is not built (needs nvcc >= ${minimum})")
  else()
    set(TESSERA_NVCC "${nvcc_program}")
    set(TESSERA_NVCC_MESSAGE "nvcc ${CMAKE_MATCH_1} builds the CUDA plug-in")
  endif()
endif()
if(CMAKE_SCRIPT_MODE_FILE STREQUAL CMAKE_CURRENT_LIST_FILE)
  message(STATUS "CUDA: ${TESSERA_NVCC_MESSAGE}")
  if(TELL)
    message(STATUS "nvcc is ${TESSERA_NVCC}")
  endif()
endif()
