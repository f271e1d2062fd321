# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails when FILE is not what TOOL makes of FILE.in today; TARGET writes it anew.

execute_process(COMMAND ${TOOL} ${FILE}.in
  OUTPUT_VARIABLE fresh COMMAND_ERROR_IS_FATAL ANY)
file(READ ${FILE} checked_in)
if(NOT fresh STREQUAL checked_in)
  message(FATAL_ERROR "${FILE}: expected what its generator prints, got another "
    "text: run the target ${TARGET}")
endif()
