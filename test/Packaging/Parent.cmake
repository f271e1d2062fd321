# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# What a project that adds this one to its own build may expect.

# What a subdirectory could change for its parent: directory properties, and
# variables in the cache.
set(parent_properties COMPILE_OPTIONS COMPILE_DEFINITIONS INCLUDE_DIRECTORIES
  LINK_OPTIONS LINK_DIRECTORIES TESTS)
set(parent_variables BUILD_SHARED_LIBS CMAKE_ARCHIVE_OUTPUT_DIRECTORY CMAKE_BUILD_TYPE
  CMAKE_CXX_FLAGS CMAKE_CXX_STANDARD CMAKE_C_FLAGS CMAKE_C_STANDARD
  CMAKE_EXPORT_COMPILE_COMMANDS CMAKE_INSTALL_RPATH CMAKE_LIBRARY_OUTPUT_DIRECTORY
  CMAKE_MODULE_PATH CMAKE_POSITION_INDEPENDENT_CODE CMAKE_RUNTIME_OUTPUT_DIRECTORY
  LLVM_EXTERNAL_LIT)

# describe_parent(OUT): all of that as a list of NAME=VALUE.
macro(describe_parent out)
  set(${out})
  foreach(name IN LISTS parent_variables)
    list(APPEND ${out} "${name}=${${name}}")
  endforeach()
  foreach(name IN LISTS parent_properties)
    get_directory_property(value ${name})
    list(APPEND ${out} "${name}=${value}")
  endforeach()
endmacro()

# check_added(BEFORE): that nothing of the parent changed, and that what it has got
# is the targets and no more.
macro(check_added before)
  describe_parent(after)
  if(NOT "${${before}}" STREQUAL "${after}")
    message(FATAL_ERROR "parent: expected ${${before}}, got ${after}")
  endif()
  foreach(name Runtime IR Transforms ToRuntime Pipelines Compiler Import Driver CAPI)
    if(NOT TARGET MLA::${name})
      message(FATAL_ERROR "MLA::${name}: expected a target, got none")
    endif()
  endforeach()
  foreach(name mla-opt mla-run check-mla mla-abi-doc)
    if(TARGET ${name})
      message(FATAL_ERROR "${name}: expected no such target in a parent's build, got one")
    endif()
  endforeach()
  get_property(languages GLOBAL PROPERTY ENABLED_LANGUAGES)
  if(TARGET MLA::RuntimeCUDA OR CUDA IN_LIST languages)
    message(FATAL_ERROR "parent: expected no CUDA that it didn't ask for, got ${languages}")
  endif()
  get_target_property(options MLAIR COMPILE_OPTIONS)
  if("${options}" MATCHES "-Werror")
    message(FATAL_ERROR "MLAIR: expected no -Werror in a parent's build, got ${options}")
  endif()
endmacro()
