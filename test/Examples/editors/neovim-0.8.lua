-- Part of the MLA project, under the Apache License v2.0 with LLVM Exceptions.
-- SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

vim.filetype.add({ extension = { mlir = 'mlir' } })
vim.api.nvim_create_autocmd('FileType', {
  pattern = 'mlir',
  callback = function()
    vim.lsp.start({
      name = 'mla',
      cmd = { 'mla-lsp-server' },
      root_dir = vim.fn.getcwd(),
    })
  end,
})
