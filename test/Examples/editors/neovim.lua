-- Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

vim.filetype.add({ extension = { mlir = 'mlir' } })
vim.lsp.config('mla', {
  cmd = { 'mla-lsp-server' },
  filetypes = { 'mlir' },
})
vim.lsp.enable('mla')
