# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Sets MLA_HAVE_CUDA, and enables the language CUDA, where MLA_ENABLE_CUDA asks for
# it or an nvcc of version 12.4 or later is there, with cuBLASLt's header.

set(MLA_HAVE_CUDA OFF)
if(MLA_ENABLE_CUDA STREQUAL AUTO AND MLA_SANITIZE)
  # The sanitizers' objects don't link with nvcc's.
  message(STATUS "MLA: CUDA backend: off, because MLA_SANITIZE is on")
elseif(MLA_ENABLE_CUDA)
  include(CheckLanguage)
  # The toolkit's own place is often not on the PATH.
  if(NOT CMAKE_CUDA_COMPILER AND NOT DEFINED ENV{CUDACXX})
    find_program(nvcc nvcc PATHS $ENV{CUDA_PATH}/bin /usr/local/cuda/bin NO_CACHE)
    if(nvcc)
      set(ENV{CUDACXX} ${nvcc})
    endif()
  endif()
  check_language(CUDA)
  if(CMAKE_CUDA_COMPILER)
    # Each target names its own.
    set(CMAKE_CUDA_ARCHITECTURES OFF)
    enable_language(CUDA)
    find_package(CUDAToolkit QUIET)
    if(CMAKE_CUDA_COMPILER_VERSION VERSION_GREATER_EQUAL 12.4 AND CUDAToolkit_FOUND)
      set(MLA_HAVE_CUDA ON)
    endif()
  endif()
  set(mla_got none)
  if(CMAKE_CUDA_COMPILER)
    set(mla_got "${CMAKE_CUDA_COMPILER_VERSION} (${CMAKE_CUDA_COMPILER})")
  endif()
  set(mla_missing "expected nvcc 12.4 or later, got ${mla_got}")
  if(MLA_HAVE_CUDA)
    # A toolkit may come without it; the library itself is found at run time.
    find_path(MLA_CUBLASLT_INCLUDE_DIR cublasLt.h HINTS ${CUDAToolkit_INCLUDE_DIRS}
      DOC "Where cublasLt.h is, for the CUDA backend")
    mark_as_advanced(MLA_CUBLASLT_INCLUDE_DIR)
    if(NOT MLA_CUBLASLT_INCLUDE_DIR)
      set(MLA_HAVE_CUDA OFF)
      set(mla_missing "expected cublasLt.h in ${CUDAToolkit_INCLUDE_DIRS}, got none")
    endif()
  endif()
  if(MLA_HAVE_CUDA)
    message(STATUS "MLA: CUDA backend: on, nvcc ${CMAKE_CUDA_COMPILER_VERSION}")
  elseif(MLA_ENABLE_CUDA STREQUAL AUTO)
    message(STATUS "MLA: CUDA backend: off, ${mla_missing}")
  else()
    message(FATAL_ERROR "MLA_ENABLE_CUDA: ${mla_missing}")
  endif()
endif()
