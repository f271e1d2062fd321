# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails when an object of OBJECTS (separated by "|") that is compiled for certain
# instructions defines anything but its table: the linker may take such a symbol,
# an inline function say, for the one of all other objects, and an older CPU would
# run it.

string(REPLACE "|" ";" objects "${OBJECTS}")
set(found 0)
foreach(object IN LISTS objects)
  if(NOT object MATCHES "/simd/(avx[0-9]+|generic)\\.cpp\\.o[a-z]*$")
    continue()
  endif()
  math(EXPR found "${found} + 1")
  execute_process(COMMAND ${NM} -C --defined-only --extern-only ${object}
    OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
  string(STRIP "${symbols}" symbols)
  if(NOT symbols MATCHES "^[0-9a-f]+ T mla::cpu::[a-z0-9]+Kernels\\(\\)$")
    message(SEND_ERROR "${object}: expected its table's function alone, got ${symbols}")
  endif()
endforeach()
if(found EQUAL 0)
  message(SEND_ERROR "expected objects of runtime/cpu/simd, got ${OBJECTS}")
endif()
