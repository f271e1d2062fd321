# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# What `cmake --install` puts where, and the CMake package of the build tree and of
# the install tree.
#
# Install components, so that one build serves each kind of machine:
#   mla-runtime       the C library, its headers, the tools that link no LLVM, Python
#   mla-runtime-cuda  the CUDA backend, where it was built
#   mla-compiler      the rest
# The package's own components are Compiler, Runtime and RuntimeCUDA: those are
# there whose targets file is.

include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/MLA)
set(build_package_dir ${PROJECT_BINARY_DIR}/lib/cmake/MLA)

# mla_package_targets(COMPONENT INSTALL_COMPONENT targets...): exports targets as
# MLA<COMPONENT>Targets.cmake of both trees.
function(mla_package_targets component install_component)
  set(export MLA${component}Targets)
  install(TARGETS ${ARGN} EXPORT ${export}
    RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR} COMPONENT ${install_component}
    LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${install_component}
    ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR} COMPONENT ${install_component})
  install(EXPORT ${export} NAMESPACE MLA:: DESTINATION ${package_dir}
    COMPONENT ${install_component})
  export(EXPORT ${export} NAMESPACE MLA:: FILE ${build_package_dir}/${export}.cmake)
endfunction()

#===--- Runtime ---------------------------------------------------------------===#

# Builds what is installed, and no tests.
add_custom_target(mla-package DEPENDS mla_runtime ${MLA_RUNTIME_TOOLS})

mla_package_targets(Runtime mla-runtime mla_runtime ${MLA_RUNTIME_TOOLS})
install(DIRECTORY runtime/include/mla_runtime DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  COMPONENT mla-runtime)
install(FILES runtime/python/mla_runtime.py DESTINATION ${CMAKE_INSTALL_DATADIR}/mla/python
  COMPONENT mla-runtime)

# Relative, so that the prefix can be moved.
file(RELATIVE_PATH prefix_from_pkgconfig
  ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
configure_file(lib/Package/mla_runtime.pc.in mla_runtime.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/mla_runtime.pc
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig COMPONENT mla-runtime)

#===--- CUDA backend ----------------------------------------------------------===#

if(TARGET mla_runtime_cuda)
  # The core beside it, wherever the two are moved; of the toolkit the loader knows.
  set_target_properties(mla_runtime_cuda PROPERTIES
    INSTALL_RPATH "$ORIGIN"
    INSTALL_RPATH_USE_LINK_PATH OFF)
  mla_package_targets(RuntimeCUDA mla-runtime-cuda mla_runtime_cuda)
  add_dependencies(mla-package mla_runtime_cuda)
endif()

#===--- Compiler --------------------------------------------------------------===#

if(MLA_ENABLE_COMPILER)
  get_property(libraries GLOBAL PROPERTY MLA_COMPILER_LIBRARIES)
  mla_package_targets(Compiler mla-compiler
    mla_mlir mla_runtime_io MLACompiler ${libraries} ${MLA_COMPILER_TOOLS})
  add_dependencies(mla-package mla_runtime_io ${libraries} ${MLA_COMPILER_TOOLS})
  foreach(plugin MLAPlugin MLAPluginImpl)
    if(TARGET ${plugin})
      add_dependencies(mla-package ${plugin})
      install(TARGETS ${plugin} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}
        COMPONENT mla-compiler)
    endif()
  endforeach()
  # Golden.h is about files that only the project's own tools read.
  install(DIRECTORY include/mla include/mla-c
    ${PROJECT_BINARY_DIR}/include/mla ${PROJECT_BINARY_DIR}/include/mla-c
    DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} COMPONENT mla-compiler
    FILES_MATCHING PATTERN "*.h" PATTERN "*.td" PATTERN "*.inc"
    PATTERN Golden.h EXCLUDE
    PATTERN CMakeFiles EXCLUDE)
endif()

#===--- The package -----------------------------------------------------------===#

write_basic_package_version_file(${build_package_dir}/MLAConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)

# In the build tree headers have two places, one for those that are generated.
set(MLA_CONFIG_PREFIX)
set(MLA_CONFIG_INCLUDE_DIRS "${PROJECT_SOURCE_DIR}/include;${PROJECT_BINARY_DIR}/include")
set(MLA_CONFIG_TOOLS_DIR ${CMAKE_RUNTIME_OUTPUT_DIRECTORY})
configure_file(lib/Package/MLAConfig.cmake.in ${build_package_dir}/MLAConfig.cmake @ONLY)
configure_file(lib/Package/MLAFindMLIR.cmake ${build_package_dir}/MLAFindMLIR.cmake COPYONLY)

file(RELATIVE_PATH prefix_from_package
  ${CMAKE_INSTALL_PREFIX}/${package_dir} ${CMAKE_INSTALL_PREFIX})
set(MLA_CONFIG_PREFIX
  "get_filename_component(mla_prefix \"\${CMAKE_CURRENT_LIST_DIR}/${prefix_from_package}\" ABSOLUTE)")
set(MLA_CONFIG_INCLUDE_DIRS "\${mla_prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
set(MLA_CONFIG_TOOLS_DIR "\${mla_prefix}/${CMAKE_INSTALL_BINDIR}")
configure_file(lib/Package/MLAConfig.cmake.in install/MLAConfig.cmake @ONLY)

install(FILES
  ${PROJECT_BINARY_DIR}/install/MLAConfig.cmake
  ${build_package_dir}/MLAConfigVersion.cmake
  ${build_package_dir}/MLAFindMLIR.cmake
  DESTINATION ${package_dir} COMPONENT mla-runtime)
