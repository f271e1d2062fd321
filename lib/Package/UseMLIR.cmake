# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# MLIR for this build: out of an installation, or out of the LLVM build that this
# project is part of (LLVM_EXTERNAL_PROJECTS). Sets MLIR_INCLUDE_DIRS,
# LLVM_INCLUDE_DIRS, LLVM_DEFINITIONS_LIST, MLA_LLVM_OPTIONS (how code that uses
# LLVM is compiled here) and MLA_LLVM_LIBS (code generation for this machine), and
# makes the target mla_mlir.

# LLVM's build sets this, and its installed configuration doesn't.
if(NOT PROJECT_IS_TOP_LEVEL AND LLVM_MAIN_SRC_DIR)
  if(NOT TARGET mlir-headers)
    message(FATAL_ERROR "MLA: expected mlir in LLVM_ENABLE_PROJECTS, got '${LLVM_ENABLE_PROJECTS}'")
  endif()
  cmake_path(GET LLVM_MAIN_SRC_DIR PARENT_PATH mlir_source)
  string(APPEND mlir_source /mlir)
  if(NOT MLIR_INCLUDE_DIRS)
    set(MLIR_INCLUDE_DIRS ${mlir_source}/include ${LLVM_BINARY_DIR}/tools/mlir/include)
  endif()
  if(NOT LLVM_INCLUDE_DIRS)
    set(LLVM_INCLUDE_DIRS ${LLVM_MAIN_INCLUDE_DIR} ${LLVM_INCLUDE_DIR})
  endif()
  list(APPEND CMAKE_MODULE_PATH ${mlir_source}/cmake/modules)
else()
  include(${CMAKE_CURRENT_LIST_DIR}/MLAFindMLIR.cmake)
  if(MLA_MLIR_PROBLEM)
    message(FATAL_ERROR "MLA: ${MLA_MLIR_PROBLEM}; -DMLA_ENABLE_COMPILER=OFF builds the runtime without it")
  endif()
  list(APPEND CMAKE_MODULE_PATH ${MLIR_CMAKE_DIR} ${LLVM_CMAKE_DIR})
endif()
include(TableGen)
include(AddLLVM)
include(AddMLIR)

separate_arguments(LLVM_DEFINITIONS_LIST NATIVE_COMMAND ${LLVM_DEFINITIONS})
# As LLVM itself is built.
set(MLA_LLVM_OPTIONS -fno-exceptions)
if(NOT LLVM_ENABLE_RTTI)
  list(APPEND MLA_LLVM_OPTIONS -fno-rtti)
endif()

# All of MLIR comes from its one shared library: component archives would bring a
# second copy of it into every tool and break the plugin. An LLVM build without
# LLVM_BUILD_LLVM_DYLIB has nothing but archives, and no plugin.
if(TARGET MLIR)
  set(mlir_libs MLIR LLVM)
  set(MLA_LLVM_LIBS LLVM)
else()
  set(mlir_libs MLIROptLib)
  foreach(kind DIALECT CONVERSION EXTENSION TRANSLATION)
    get_property(libs GLOBAL PROPERTY MLIR_${kind}_LIBS)
    list(APPEND mlir_libs ${libs})
  endforeach()
  llvm_map_components_to_libnames(MLA_LLVM_LIBS Passes native)
endif()

# MLIR as the libraries here and their users see it. Where MLIR is, an installed
# package finds out anew.
add_library(mla_mlir INTERFACE)
add_library(MLA::MLIR ALIAS mla_mlir)
set_target_properties(mla_mlir PROPERTIES EXPORT_NAME MLIR)
target_link_libraries(mla_mlir INTERFACE ${mlir_libs})
target_compile_features(mla_mlir INTERFACE cxx_std_17)
target_include_directories(mla_mlir SYSTEM INTERFACE
  "$<BUILD_INTERFACE:${MLIR_INCLUDE_DIRS};${LLVM_INCLUDE_DIRS}>")
foreach(definition IN LISTS LLVM_DEFINITIONS_LIST)
  string(REGEX REPLACE "^-D" "" definition ${definition})
  target_compile_definitions(mla_mlir INTERFACE $<BUILD_INTERFACE:${definition}>)
endforeach()
