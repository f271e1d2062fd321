# Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

# Fails when PAGE is not what TOOL makes of PAGE.in today.

execute_process(COMMAND ${TOOL} ${PAGE}.in
  OUTPUT_VARIABLE fresh COMMAND_ERROR_IS_FATAL ANY)
file(READ ${PAGE} checked_in)
if(NOT fresh STREQUAL checked_in)
  message(FATAL_ERROR "${PAGE}: expected what mla-abi-doc prints, got another "
    "text: run the target mla-docs-runtime-abi")
endif()
