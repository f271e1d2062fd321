# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Finds the MLIR that this project is written for: the build and the installed
# package look in the same places. MLA_MLIR_PROBLEM is empty, or says in one
# sentence what was expected and what was there.

set(MLA_MLIR_VERSION 22.1)
set(MLA_MLIR_PROBLEM)
set(mla_mlir_places "CMAKE_PREFIX_PATH or /usr/lib/llvm-22")
get_property(mla_languages GLOBAL PROPERTY ENABLED_LANGUAGES)
if(NOT C IN_LIST mla_languages OR NOT CXX IN_LIST mla_languages)
  # LLVM's own package looks for its dependencies with both.
  set(MLA_MLIR_PROBLEM "expected LANGUAGES C CXX in project(), got ${mla_languages}")
elseif(MLIR_DIR)
  # Who names one wants that one, not another that fits.
  set(mla_mlir_dir "${MLIR_DIR}")
  set(mla_mlir_places "MLIR_DIR=${MLIR_DIR}")
  find_package(MLIR ${MLA_MLIR_VERSION} CONFIG QUIET PATHS "${MLIR_DIR}" NO_DEFAULT_PATH)
  set(MLIR_DIR "${mla_mlir_dir}" CACHE PATH "The directory containing a CMake configuration file for MLIR." FORCE)
else()
  # The hint is where Debian's packages put it; CMAKE_PREFIX_PATH wins.
  find_package(MLIR ${MLA_MLIR_VERSION} CONFIG QUIET HINTS /usr/lib/llvm-22)
endif()

if(NOT MLA_MLIR_PROBLEM AND NOT MLIR_FOUND)
  set(mla_mlir_got)
  foreach(config version IN ZIP_LISTS MLIR_CONSIDERED_CONFIGS MLIR_CONSIDERED_VERSIONS)
    list(APPEND mla_mlir_got "${version} (${config})")
  endforeach()
  list(REMOVE_DUPLICATES mla_mlir_got)
  list(JOIN mla_mlir_got ", " mla_mlir_got)
  if(NOT mla_mlir_got)
    set(mla_mlir_got "none in ${mla_mlir_places}")
  endif()
  set(MLA_MLIR_PROBLEM "expected MLIR ${MLA_MLIR_VERSION}, got ${mla_mlir_got}")
endif()
