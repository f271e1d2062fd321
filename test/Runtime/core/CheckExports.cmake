# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails when LIBRARY exports anything but the C ABI.

execute_process(COMMAND ${NM} -D --defined-only ${LIBRARY}
  OUTPUT_VARIABLE symbols COMMAND_ERROR_IS_FATAL ANY)
string(REGEX MATCHALL "[^\n]+" symbols "${symbols}")
set(found 0)
foreach(symbol IN LISTS symbols)
  string(REGEX REPLACE "^.* " "" symbol "${symbol}")
  if(symbol MATCHES "^mla_[a-z0-9_]+$")
    math(EXPR found "${found} + 1")
  else()
    message(SEND_ERROR "${LIBRARY}: expected only mla_* symbols, got ${symbol}")
  endif()
endforeach()
if(found LESS 40)
  message(SEND_ERROR "${LIBRARY}: expected the C ABI, got ${found} symbols")
endif()
